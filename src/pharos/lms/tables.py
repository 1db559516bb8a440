"""What Pharos keeps of the LMS: tables of its database and of its REST APIs' answers, with their columns.

Anything not named here never leaves the LMS. Names in the database are the LMS's (spec 04 §2.4), which orders
columns differently from release to release: they are always read by name. Moments are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

_MOMENT = pa.timestamp("us")


@dataclass(frozen=True)
class LMSTable:
    """A table.

    `schema` holds the columns that are read. A row without a value in one that is not nullable is no row.
    """

    name: str
    schema: pa.Schema
    is_incremental: bool = False
    """Large: with its columns `id` and `modified`, only what is new is read."""


def _table(name: str, /, *, is_incremental: bool = False, **columns: pa.DataType | pa.Field) -> LMSTable:
    """Columns given as a type may be null."""
    fields = [
        type_.with_name(column) if isinstance(type_, pa.Field) else pa.field(column, type_)
        for column, type_ in columns.items()
    ]
    return LMSTable(name, pa.schema(fields), is_incremental)


def _required(type_: pa.DataType) -> pa.Field:
    return pa.field("", type_, nullable=False)


_NUMBER, _TEXT = _required(pa.int64()), _required(pa.string())

TABLES: dict[str, LMSTable] = {
    table.name: table
    for table in (
        _table(
            "auth_user",
            id=_NUMBER,
            username=_TEXT,
            email=pa.string(),
            is_active=pa.bool_(),
            is_staff=pa.bool_(),
            is_superuser=pa.bool_(),
        ),
        _table(
            "auth_userprofile",
            user_id=_NUMBER,
            name=pa.string(),
            gender=pa.string(),
            year_of_birth=pa.int64(),
            level_of_education=pa.string(),
        ),
        _table(
            "student_courseenrollment",
            id=_NUMBER,
            user_id=_NUMBER,
            course_id=_TEXT,
            created=_MOMENT,
            is_active=_required(pa.bool_()),
            mode=pa.string(),
        ),
        # Who teaches or tests what: a role in a course run, or, without one, in all of an organisation.
        _table(
            "student_courseaccessrole", user_id=_NUMBER, org=pa.string(), course_id=pa.string(), role=_TEXT
        ),
        _table("course_groups_courseusergroup", id=_NUMBER, name=_TEXT, course_id=_TEXT, group_type=_TEXT),
        _table("course_groups_courseusergroup_users", courseusergroup_id=_NUMBER, user_id=_NUMBER),
        _table(
            "grades_persistentcoursegrade",
            user_id=_NUMBER,
            course_id=_TEXT,
            percent_grade=pa.float64(),
            letter_grade=pa.string(),
            passed_timestamp=_MOMENT,
            modified=_MOMENT,
        ),
        _table(
            "certificates_generatedcertificate",
            user_id=_NUMBER,
            course_id=_TEXT,
            status=pa.string(),
            mode=pa.string(),
            created_date=_MOMENT,
            modified_date=_MOMENT,
        ),
        # Never `state`: nothing needs the answers themselves, and they are most of the table (spec 02 §8).
        _table(
            "courseware_studentmodule",
            is_incremental=True,
            id=_NUMBER,
            student_id=_NUMBER,
            course_id=_TEXT,
            module_id=_TEXT,
            module_type=_TEXT,
            grade=pa.float64(),
            max_grade=pa.float64(),
            modified=_required(_MOMENT),
        ),
    )
}

ANSWERS: dict[str, LMSTable] = {
    table.name: table
    for table in (
        # Course runs, also those that the LMS no longer has. spec 04 §3.2
        _table(
            "course_list",
            course_id=_TEXT,
            name=_TEXT,
            org=pa.string(),
            number=pa.string(),
            short_description=pa.string(),
            start_date=_MOMENT,
            end_date=_MOMENT,
            enrollment_start=_MOMENT,
            enrollment_end=_MOMENT,
            pacing=pa.string(),
            is_deleted=_required(pa.bool_()),
        ),
        # Outlines, and beside them the blocks that were there once. spec 04 §3.3; see `lms.outline.Block`
        _table(
            "course_blocks",
            course_id=_TEXT,
            block_id=_TEXT,
            block_type=_TEXT,
            display_name=_TEXT,
            is_root=_required(pa.bool_()),
            is_orphan=_required(pa.bool_()),
            is_dag=_required(pa.bool_()),
            is_deleted=_required(pa.bool_()),
            parent_block_id=pa.string(),
            course_path=pa.string(),
            ancestor_ids=pa.list_(pa.string()),
            sort_idx=_NUMBER,
            position=pa.string(),
            section=pa.string(),
            subsection=pa.string(),
            unit=pa.string(),
            graded=_required(pa.bool_()),
            format=pa.string(),
        ),
        # Lines of the grading policies, in their order. spec 06 §6
        _table(
            "grading_policy",
            course_id=_TEXT,
            number=_NUMBER,
            assignment_type=_TEXT,
            count=_NUMBER,
            dropped=_NUMBER,
            weight=_required(pa.float64()),
        ),
        # Course runs and programs of the discovery service, if there is one. spec 04 §4.2
        _table(
            "course_catalog",
            course_id=_TEXT,
            catalog_course=_TEXT,
            catalog_course_title=pa.string(),
            start_time=_MOMENT,
            end_time=_MOMENT,
            pacing_type=pa.string(),
            availability=pa.string(),
        ),
        _table(
            "program_course", course_id=_TEXT, program_id=_TEXT, program_type=_TEXT, program_title=pa.string()
        ),
    )
}

# States of enrollments that were there at one import and not at the next, with the time of the last import
# that saw them. spec 01 §9.2.1
VALIDATION = _table(
    "enrollment_validation",
    course_id=_TEXT,
    user_id=_NUMBER,
    mode=pa.string(),
    is_active=_required(pa.bool_()),
    created=_MOMENT,
    dump_start=_required(_MOMENT),
    dump_end=_required(_MOMENT),
)

ALL = TABLES | ANSWERS | {VALIDATION.name: VALIDATION}
