"""Errors between Pharos and the LMS.

LMSError
├── LMSUnreachable   no answer, or an unusable one (5xx, not JSON): try again later
├── LMSRefused       the LMS refused the request (401, 403): the service account lacks a right
├── NotInLMS         the LMS does not have the requested object (404)
├── LMSDatabaseFailed  its database cannot be opened, or a table of it cannot be read
├── TokenRefused     a signed token is not accepted (`lms.tokens`)
└── SignInFailed     the sign-in failed; the subclasses name the cause:
    ├── SignInMisconfigured  the settings of Pharos and the LMS do not fit together
    ├── ClocksDiffer         the clock of one of the two servers is wrong
    ├── SignInCancelled      the person refused at the LMS
    └── SignInOver           it took too long, was begun in another browser, or was finished before
"""

from __future__ import annotations

from pharos.database_causes import cause
from pharos.errors import PharosError


class LMSError(PharosError):
    """The LMS did not give the requested data."""


class LMSUnreachable(LMSError):
    """No usable answer, because of the LMS or the network; a later attempt may succeed."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(address, reason)
        self.address, self.reason = address, reason

    def __str__(self) -> str:
        return f"{self.address}: the LMS gave no usable answer ({self.reason}); check lms.url and try again"


class LMSRefused(LMSError):
    """The LMS refused the request."""

    def __init__(self, address: str, status: int, reason: str = "") -> None:
        super().__init__(address, status, reason)
        self.address, self.status, self.reason = address, status, reason

    def __str__(self) -> str:
        return (
            f"{self.address}: the LMS refused with status {self.status} {self.reason}".rstrip()
            + "; check lms.client_id, lms.client_secret and that the service account is global staff"
        )


class NotInLMS(LMSError):
    """The requested object does not exist in the LMS."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address

    def __str__(self) -> str:
        return f"{self.address}: not found in the LMS"


class LMSDatabaseFailed(LMSError):
    """The database of the LMS cannot be opened or a table cannot be read."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(place, reason)
        self.place, self.reason = place, reason

    def __str__(self) -> str:
        found = cause(self.reason, "lms.database")
        return f"{self.place}: {found.what} ({self.reason}); {found.remedy}"


class SignInFailed(LMSError):
    """The sign-in failed. The text is for the log; the person sees a page."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"sign-in failed: {self.reason}"


class SignInMisconfigured(SignInFailed):
    """The operator has to correct the settings of Pharos or of the LMS."""


class ClocksDiffer(SignInFailed):
    """The LMS's token is not yet valid or has expired: one of the clocks is wrong."""


class SignInCancelled(SignInFailed):
    """The person did not permit the LMS to identify them to Pharos."""


class SignInOver(SignInFailed):
    """The sign-in can no longer be finished; the person can begin another one."""
