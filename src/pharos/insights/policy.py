"""What a browser may do with our pages: the Content-Security-Policy."""

from __future__ import annotations

from urllib.parse import urlsplit

from pharos.config import Settings
from pharos.lms.oauth import public_url

NOBODY = "'none'"


def content_policy(settings: Settings, framed_by: str = NOBODY) -> str:
    """No inline script or style, nothing from elsewhere; the sign-out form may end at the LMS."""
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob:",
            "connect-src 'self'",
            f"form-action 'self' {origin_of_lms(settings)}",
            "base-uri 'none'",
            f"frame-ancestors {framed_by}",
        ]
    )


def origin_of_lms(settings: Settings) -> str:
    """Scheme and host of the LMS as browsers reach it."""
    lms = urlsplit(public_url(settings.lms))
    return f"{lms.scheme}://{lms.netloc}"
