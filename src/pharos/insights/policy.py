"""The Content-Security-Policy of the pages."""

from __future__ import annotations

from urllib.parse import urlsplit

from pharos.config import Settings
from pharos.lms.oauth import public_url

NOBODY = "'none'"


def content_policy(settings: Settings, framed_by: str = NOBODY) -> str:
    """No inline script or style, nothing from other sites; the sign-out form may end at the LMS.

    The only exception is the site's usage counter, if set: its script may contact its own host, its picture
    may be loaded.
    """
    script = _origin(settings.insights.usage_script)
    pixel = _origin(settings.insights.usage_pixel)
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self'{script}",
            "style-src 'self'",
            "img-src 'self' blob:" + "".join(dict.fromkeys((script, pixel))),
            f"connect-src 'self'{script}",
            f"form-action 'self' {origin_of_lms(settings)}",
            "base-uri 'none'",
            f"frame-ancestors {framed_by}",
        ]
    )


def origin_of_lms(settings: Settings) -> str:
    """Scheme and host of the LMS's address for browsers."""
    return _origin(public_url(settings.lms)).strip()


def _origin(address: str | None) -> str:
    """A blank, then scheme and host of the address; empty without an address."""
    if address is None:
        return ""
    parts = urlsplit(address)
    return f" {parts.scheme}://{parts.netloc}"
