"""The time that a page may wait for other services: one deadline for all its requests.

A page with old or missing values in time is better than a complete page that comes too late. Requests that
miss the deadline continue in the background, so that the next page has their results.
"""

from __future__ import annotations

import time
from contextvars import Context, ContextVar, copy_context

PAGE_S = 2.5  # half a second of three is left for making the page
LMS_S = 2.0

_began: ContextVar[float | None] = ContextVar("page_began", default=None)


def begin() -> None:
    """Start the deadline of this request's page."""
    _began.set(time.monotonic())


def for_services(at_most_s: float | None = None) -> float:
    """Seconds that the page may still wait for the Data API; outside a page `at_most_s`."""
    return _left(PAGE_S, at_most_s)


def for_lms(at_most_s: float | None = None) -> float:
    """Seconds that the page may still wait for the LMS; outside a page `at_most_s`."""
    return _left(LMS_S, at_most_s)


def outside() -> Context:
    """The context of this request without its deadline, for work that continues after the page."""
    context = copy_context()
    context.run(_began.set, None)
    return context


def _left(whole_s: float, at_most_s: float | None) -> float:
    if at_most_s is None:
        at_most_s = whole_s
    began = _began.get()
    if began is None:
        return at_most_s
    return max(0.0, min(at_most_s, began + whole_s - time.monotonic()))
