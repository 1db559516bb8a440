"""Which types of events are known. `spec 04 §8.6`"""

from __future__ import annotations

import pytest

from pharos.facts.event_types import is_known


@pytest.mark.parametrize("known", [
    "problem_check", "edx.video.played", "edx.course.enrollment.activated", "list-staff", "page_close",
    "xblock.poll.submitted", "textbook.pdf.page.scrolled", "edx.ui.lms.link_clicked", "/dashboard", "",
    "edx.drag_and_drop_v2.item.dropped", "xblock.drag_and_drop_v2.loaded", "openassessmentblock.self_assess",
    "edx.special_exam.timed.attempt.submitted", "edx.forum.thread.locked", "edx.discussions.x",
    "edx.librarycontentblock.content.assigned", "edx.itembankblock.content.assigned",
    "edx.certificate.revoked",
    "edx.completion.block_completion.changed", "edx.ui.lms.jump_nav.selected", "edx.user.login",
    "edx.course.home.resume_course.clicked", "edx.course.tool.accessed", "edx.grades.grading_policy_changed",
    "edx.cohort.user_added", "edx.bi.user.account.linked", "oppia.loaded", "edx.bookmark.added",
])  # fmt: skip
def test_types_of_the_lms_are_known(known: str) -> None:
    assert is_known(known)


@pytest.mark.parametrize("unknown", ["problem_chekc", "edxwvideo.played", "acme.badge", "play_video2"])
def test_others_are_not(unknown: str) -> None:
    assert not is_known(unknown)
