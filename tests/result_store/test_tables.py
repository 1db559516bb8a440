"""What the definitions of the tables say of themselves."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from pharos.result_store.tables import ABOUT_LEARNERS, kept_in_lake, metadata

TABLES = [
    table
    for tables in (metadata, kept_in_lake)
    for table in tables.sorted_tables
    if "definition" in table.info
]
NAMES_OF_LEARNERS = {
    "email",
    "lms_user_id",
    "name",
    "user_email",
    "user_id",
    "user_username",
    "username",
}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_that_names_learners_says_so(table: sa.Table) -> None:
    """A column that names people makes a table one about learners, and `persons` is such a column."""
    named = NAMES_OF_LEARNERS & set(table.columns.keys())
    persons = table.info["definition"].persons
    assert persons in named if named else persons == ""
    assert (table.name in ABOUT_LEARNERS) == bool(named)


def test_tables_about_learners_are_those() -> None:
    assert set(ABOUT_LEARNERS) == {
        "course_enrollment_summary",
        "effective_enrollment_event",
        "enrollment_change_point",
        "enrollment_difference",
        "enterprise_user",
        "event_name",
        "learner_activity",
        "learner_item",
        "learner_name",
        "learner_place",
        "learner_status",
        "module_engagement",
        "module_engagement_roster",
        "module_engagement_roster_token",
        "module_engagement_summary",
        "module_engagement_user_segments",
        "problem_response",
        "student_engagement_all",
        "student_engagement_daily",
        "student_engagement_weekly",
        "video_learner",
        "viewing",
    }
