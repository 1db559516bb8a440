"""Every answer of the Data API that is not a result: status, body and headers (spec 05 §2.7).

The bodies keep the original's keys, because clients test them: `detail`, or `error_code` with
`developer_message`, or `status`. A message never holds SQL, addresses or names of learners.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from pharos.errors import PharosError


class APIError(PharosError):
    """Ends a request with a status, a JSON body and headers.

    The classes below only set attributes: `Exception` keeps the arguments by itself, for pickling.
    """

    status: ClassVar[int] = 400
    headers: Mapping[str, str] = MappingProxyType({})

    @property
    def body(self) -> dict[str, object]:
        return {"status": self.status}

    def __str__(self) -> str:
        return f"{self.status}: {'; '.join(str(value) for value in self.body.values())}"


class Coded(APIError):
    """The original's form for mistakes a program shall tell apart."""

    def __init__(self, error_code: str, developer_message: str) -> None:
        self.error_code, self.developer_message = error_code, developer_message

    @property
    def body(self) -> dict[str, object]:
        return {"error_code": self.error_code, "developer_message": self.developer_message}


class IllegalParameter(Coded):
    """A parameter's value is not possible. The message says which are."""

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
    """There is no such report or learner."""

    status = 404


class CannotLink(Coded):
    """The report storage cannot make a link."""

    status = 501

    def __init__(self) -> None:
        super().__init__(
            "cannot_create_report_download_link", "Could not create a downloadable link to the report."
        )


class Detailed(APIError):
    """The original's form for everything else."""

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
    """Somebody we know, who may not read this."""

    status = 403


class NoData(Detailed):
    """The route exists, the data do not (spec 05 §2.5)."""

    status = 404

    def __init__(self, detail: str = "Not found.") -> None:
        super().__init__(detail)


class NoRoute(APIError):
    """There is no such address."""

    status = 404


class NotAcceptable(Detailed):
    """No format we have is one the client takes."""

    status = 406

    def __init__(self) -> None:
        super().__init__("Could not satisfy the request Accept header.")


class BodyTooLarge(Detailed):
    """The body of a POST is larger than any list of courses."""

    status = 413

    def __init__(self, most_bytes: int) -> None:
        super().__init__(f"The body is larger than {most_bytes} bytes.")


class UnsupportedMediaType(Detailed):
    """A POST in a form we do not read."""

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
    """The request asks for an edition that is no longer, or not yet, published. Says which is."""

    status = 412

    def __init__(self, current: str) -> None:
        super().__init__(f"The results are of edition {current} now.")
        self.headers = {"X-Pharos-Edition": current}


class Busy(Detailed):
    """More is asked for at once than can be answered."""

    status = 503

    def __init__(self, detail: str, wait_s: int) -> None:
        super().__init__(f"{detail} Try again in {wait_s} seconds.")
        self.headers = {"Retry-After": str(wait_s)}


class PlainText(Detailed):
    """The original's answer to a wrong recent_date: a line of text instead of JSON."""
