"""Which tables and columns of the LMS database Pharos reads; anything not named here never leaves the LMS.

Names are those of the LMS (spec 04 §2.4), which orders columns differently from release to release: they are
always read by name. Moments are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

_MOMENT = pa.timestamp("us")


@dataclass(frozen=True)
class LMSTable:
    """A table of the LMS database.

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
