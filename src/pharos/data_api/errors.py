"""All error answers of the Data API: status, body and headers (spec 05 §2.7).

The bodies keep the original's keys, because clients test them: `detail`, or `error_code` with
`developer_message`, or `status`. A message never contains SQL, addresses or names of learners.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from pharos.errors import PharosError


class APIError(PharosError):
    """Ends a request with a status, a JSON body and headers.

    The subclasses only set attributes: `Exception` itself keeps the arguments, for pickling.
    """

    status: ClassVar[int] = 400
    headers: Mapping[str, str] = MappingProxyType({})

    @property
    def body(self) -> dict[str, object]:
        return {"status": self.status}

    def __str__(self) -> str:
        return f"{self.status}: {'; '.join(str(value) for value in self.body.values())}"


class Coded(APIError):
    """The original's form of errors that programs must distinguish."""

    def __init__(self, error_code: str, developer_message: str) -> None:
        self.error_code, self.developer_message = error_code, developer_message

    @property
    def body(self) -> dict[str, object]:
        return {"error_code": self.error_code, "developer_message": self.developer_message}


class IllegalParameter(Coded):
    """A parameter's value is invalid. The message lists the valid values."""

    def __init__(self, message: str) -> None:
        super().__init__("illegal_parameter_values", message)


class CourseMalformed(Coded):
    """The text is not a valid course id."""

    def __init__(self, course_id: str) -> None:
        super().__init__("course_key_malformed", f"Course id/key {course_id} malformed.")


class CourseNotSpecified(Coded):
    """A course id is needed."""

    def __init__(self) -> None:
        super().__init__("course_not_specified", "Course id/key not specified.")


class NotFoundCoded(Coded):
    """The report or learner does not exist."""

    status = 404


class CannotLink(Coded):
    """The report storage cannot make a link."""

    status = 501

    def __init__(self) -> None:
        super().__init__(
            "cannot_create_report_download_link", "Could not create a downloadable link to the report."
        )


class Detailed(APIError):
    """The original's form of all other errors."""

    def __init__(self, detail: str) -> None:
        self.detail = detail

    @property
    def body(self) -> dict[str, object]:
        return {"detail": self.detail}


class BadBody(Detailed):
    """The body of a POST cannot be read."""


class Unauthenticated(Detailed):
    """The caller is unknown. `name`: the name of the token, if it was once valid."""

    status = 401
    headers = MappingProxyType({"WWW-Authenticate": "Token"})

    def __init__(self, detail: str = "Authentication credentials were not provided.", name: str = "") -> None:
        super().__init__(detail)
        self.name = name


class Forbidden(Detailed):
    """The caller is known, but may not read this."""

    status = 403


class NoData(Detailed):
    """The route exists, but has no data (spec 05 §2.5)."""

    status = 404

    def __init__(self, detail: str = "Not found.") -> None:
        super().__init__(detail)


class NoRoute(APIError):
    """There is no such address."""

    status = 404


class NotAcceptable(Detailed):
    """The client accepts none of our formats."""

    status = 406

    def __init__(self) -> None:
        super().__init__("Could not satisfy the request Accept header.")


class BodyTooLarge(Detailed):
    """The body of a POST is larger than any list of courses."""

    status = 413

    def __init__(self, most_bytes: int) -> None:
        super().__init__(f"The body is larger than {most_bytes} bytes.")


class UnsupportedMediaType(Detailed):
    """The POST's media type is not supported."""

    status = 415

    def __init__(self, media_type: str) -> None:
        super().__init__(f'Unsupported media type "{media_type}" in request.')


class Throttled(Detailed):
    """Too many requests."""

    status = 429

    def __init__(self, wait_s: int) -> None:
        unit = "second" if wait_s == 1 else "seconds"
        super().__init__(f"Request was throttled. Expected available in {wait_s} {unit}.")
        self.headers = {"Retry-After": str(wait_s)}


class EditionGone(Detailed):
    """The requested edition is no longer, or not yet, published. The message names the current one."""

    status = 412

    def __init__(self, current: str) -> None:
        super().__init__(f"The results are of edition {current} now.")
        self.headers = {"X-Pharos-Edition": current}


class Busy(Detailed):
    """Too many requests at once."""

    status = 503

    def __init__(self, detail: str, wait_s: int) -> None:
        super().__init__(f"{detail} Try again in {wait_s} seconds.")
        self.headers = {"Retry-After": str(wait_s)}


class PlainText(Detailed):
    """The original's answer to a wrong recent_date: a line of text instead of JSON."""
