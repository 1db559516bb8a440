"""Which types of events are known. `spec 04 §8.6`"""

from __future__ import annotations

import pytest

from pharos.facts.event_types import is_known


@pytest.mark.parametrize("known", [
    "problem_check", "edx.video.played", "edx.course.enrollment.activated", "list-staff", "page_close",
    "xblock.poll.submitted", "textbook.pdf.page.scrolled", "edx.ui.lms.link_clicked", "/dashboard", "",
])  # fmt: skip
def test_types_of_the_lms_are_known(known: str) -> None:
    assert is_known(known)


@pytest.mark.parametrize("unknown", ["problem_chekc", "edxwvideo.played", "acme.badge", "play_video2"])
def test_others_are_not(unknown: str) -> None:
    assert not is_known(unknown)
