"""Known event types: of the LMS, its mobile apps and the XBlocks that come with it."""

from __future__ import annotations

import re

# Whole families, by how their names begin.
_FAMILIES = (
    "edx.annotation.", "edx.bi.", "edx.bookmark.", "edx.certificate.", "edx.cohort.", "edx.completion.",
    "edx.content_library.", "edx.cookie.", "edx.course.", "edx.course_experiments.", "edx.discussion.",
    "edx.discussions.", "edx.done.", "edx.drag_and_drop_v2.", "edx.edxnotes.", "edx.enrollment.",
    "edx.exam.", "edx.forum.", "edx.googlecomponent.", "edx.grades.", "edx.instructor.",
    "edx.itembankblock.", "edx.library.", "edx.librarycontentblock.", "edx.poll.", "edx.problem.",
    "edx.rapid_response.", "edx.social.", "edx.special_exam.", "edx.student_notes.", "edx.team.", "edx.ui.",
    "edx.user.", "edx.video.", "edx.xblock.", "lti.", "openassessment.", "openassessmentblock.", "openedx.",
    "oppia.", "org.openedx.", "staff_", "textbook.pdf.", "ubcpi.", "xblock.", "xmodule.partitions.",
)  # fmt: skip
_PROBLEMS = """
    problem_check problem_check_fail problem_graded problem_reset problem_rescore problem_rescore_fail
    problem_save problem_show reset_problem reset_problem_fail save_problem_check save_problem_check_fail
    save_problem_fail save_problem_success show_answer showanswer
"""
_VIDEOS = """
    hide_transcript load_video pause_video play_video seek_video show_transcript speed_change_video stop_video
    video_hide_cc_menu video_show_cc_menu
"""
_PAGES = (
    "book link_clicked oe_hide_question oe_show_question page_close rubric_select seq_goto seq_next seq_prev"
)
_INSTRUCTORS = """
    add-forum-admin add-forum-community-TA add-forum-mod add-instructor add-or-remove-user-group
    delete-student-module-state dump-answer-dist-csv dump-graded-assignments-config dump-grades
    dump-grades-csv dump-grades-csv-raw dump-grades-raw get-student-progress-page list-beta-testers
    list-forum-admins list-forum-community-TAs list-forum-mods list-instructors list-staff list-students
    remove-forum-admin remove-forum-community-TA remove-forum-mod remove-instructor rescore-all-submissions
    rescore-student-submission reset-all-attempts reset-student-attempts
"""
_SINGLE = frozenset((_PROBLEMS + _VIDEOS + _PAGES + _INSTRUCTORS).split())
_FAMILY = re.compile("|".join(map(re.escape, _FAMILIES)))


def is_known(event_type: str) -> bool:
    """True for types of the LMS and of components shipped with it, for request paths, and for the empty type.

    The families of `spec 04 §8.6` and `07 §4.4`, and types that Open edX has documented since.
    """
    is_request = event_type.startswith("/")
    return not event_type or is_request or event_type in _SINGLE or _FAMILY.match(event_type) is not None
