"""The LMS data that Pharos keeps: tables of its database and of its REST APIs' answers, with their columns.

Data not named here never leaves the LMS. Names in the database are the LMS's (spec 04 §2.4); the order of
columns differs from release to release, so they are always read by name. Moments are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

_MOMENT = pa.timestamp("us")


@dataclass(frozen=True)
class LMSTable:
    """A table of the LMS.

    `schema` holds the columns that are read. A row with a null in a column that is not nullable is dropped.
    """

    name: str
    schema: pa.Schema
    changed_by: str | None = None
    """Of a large table, whose rows have an `id`: the column that grows with each change of a row (`id` itself
    where rows never change). Only what is new by it is read."""
    is_optional: bool = False
    """Not every LMS has it: older releases do not, or the feature is off."""
    learner: str = "user_id"
    """Column of the learner's number, where rows are about learners."""
    course: str = "course_id"
    """Column of the course run, where rows are about course runs."""


def _table(
    name: str,
    /,
    *,
    changed_by: str | None = None,
    is_optional: bool = False,
    learner: str = "user_id",
    course: str = "course_id",
    **columns: pa.DataType | pa.Field,
) -> LMSTable:
    """A table's schema; columns given as a plain type are nullable."""
    fields = [
        type_.with_name(column) if isinstance(type_, pa.Field) else pa.field(column, type_)
        for column, type_ in columns.items()
    ]
    return LMSTable(name, pa.schema(fields), changed_by, is_optional, learner, course)


def _required(type_: pa.DataType) -> pa.Field:
    return pa.field("", type_, nullable=False)


def _short(longest: int) -> pa.Field:
    """A text of at most so many characters; see `limits`."""
    return pa.field("", pa.string(), metadata={"longest": str(longest)})


def _between(first: int, last: int) -> pa.Field:
    """A number within bounds; see `limits`."""
    return pa.field("", pa.int64(), metadata={"first": str(first), "last": str(last)})


def _only(value: str) -> pa.Field:
    """A text; rows in which it differs from the value are not read. See `wanted`."""
    return pa.field("", pa.string(), nullable=False, metadata={"only": value})


def wanted(field: pa.Field) -> str | None:
    """The only value of a column whose rows are read; None if rows with any value are."""
    value = (field.metadata or {}).get(b"only")
    return value.decode() if value is not None else None


def limits(field: pa.Field) -> dict[str, int]:
    """The limits of a column's values; a value beyond them is read as null and its row counted as malformed.

    `longest`: characters of a text; `first` and `last`: bounds of a number. Databases changed by hand, and
    those without types, can hold any value; one odd value must not end a run when results are published.
    """
    metadata = (field.metadata or {}).items()
    return {name.decode(): int(value) for name, value in metadata if name != b"only"}


_NUMBER, _TEXT = _required(pa.int64()), _required(pa.string())
_SHARE, _TRUTH = _required(pa.float64()), _required(pa.bool_())

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
            gender=_short(6),
            year_of_birth=_between(1, 9999),
            level_of_education=_short(6),
        ),
        # One preference of several: the language of the LMS's pages. spec 07 §1.7
        _table(
            "user_api_userpreference",
            is_optional=True,
            user_id=_NUMBER,
            key=_only("pref-lang"),
            value=_short(50),
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
        # The same since Verawood, where an operator has moved it: `v0` has the role `v1` in the scope `v2`.
        # spec 07 §3.6
        _table("casbin_rule", is_optional=True, ptype=_TEXT, v0=pa.string(), v1=pa.string(), v2=pa.string()),
        _table("course_groups_courseusergroup", id=_NUMBER, name=_TEXT, course_id=_TEXT, group_type=_TEXT),
        _table("course_groups_cohortmembership", course_user_group_id=_NUMBER, user_id=_NUMBER),
        _table("course_groups_coursecohortssettings", course_id=_TEXT, is_cohorted=_TRUTH),
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
            changed_by="modified",
            learner="student_id",
            id=_NUMBER,
            student_id=_NUMBER,
            course_id=_TEXT,
            module_id=_TEXT,
            module_type=_TEXT,
            grade=pa.float64(),
            max_grade=pa.float64(),
            modified=_required(_MOMENT),
        ),
        # Points of each subsection; the hash names the problems that count in it. spec 07 §3.7
        _table(
            "grades_persistentsubsectiongrade",
            changed_by="modified",
            is_optional=True,
            id=_NUMBER,
            user_id=_NUMBER,
            course_id=_TEXT,
            usage_key=_TEXT,
            earned_all=_SHARE,
            possible_all=_SHARE,
            earned_graded=_SHARE,
            possible_graded=_SHARE,
            first_attempted=_MOMENT,
            visible_blocks_hash=_TEXT,
            modified=_required(_MOMENT),
        ),
        # The JSON text lists problems: `locator`, `weight`, `raw_possible`, `graded`. A row never changes.
        _table(
            "grades_visibleblocks",
            changed_by="id",
            is_optional=True,
            id=_NUMBER,
            hashed=_TEXT,
            course_id=_TEXT,
            blocks_json=_TEXT,
        ),
        # Leaves of the outline only. spec 07 §3.11
        _table(
            "completion_blockcompletion",
            changed_by="modified",
            is_optional=True,
            course="course_key",
            id=_NUMBER,
            user_id=_NUMBER,
            course_key=_TEXT,
            block_key=_TEXT,
            completion=_SHARE,
            modified=_required(_MOMENT),
        ),
        # Every course run, also hidden ones, but no deleted one. spec 07 §3.4
        _table(
            "course_overviews_courseoverview",
            is_optional=True,
            id=_TEXT,
            display_name=pa.string(),
            display_org_with_default=pa.string(),
            display_number_with_default=pa.string(),
            short_description=pa.string(),
            start=_MOMENT,
            end=_MOMENT,
            enrollment_start=_MOMENT,
            enrollment_end=_MOMENT,
            self_paced=pa.bool_(),
        ),
        # Sections and subsections, and when a course run was published last. spec 07 §3.5
        _table(
            "learning_sequences_learningcontext",
            is_optional=True,
            id=_NUMBER,
            context_key=_TEXT,
            title=pa.string(),
            published_at=_required(_MOMENT),
        ),
        _table(
            "learning_sequences_coursesection",
            is_optional=True,
            id=_NUMBER,
            course_context_id=_NUMBER,
            usage_key=_TEXT,
            title=pa.string(),
            ordering=_NUMBER,
        ),
        _table(
            "learning_sequences_learningsequence",
            is_optional=True,
            id=_NUMBER,
            usage_key=_TEXT,
            title=pa.string(),
        ),
        _table(
            "learning_sequences_coursesectionsequence",
            is_optional=True,
            section_id=_NUMBER,
            sequence_id=_NUMBER,
            ordering=_NUMBER,
        ),
        # Seconds (0: unknown) and transcripts by video; a video is found by its course run, by its id in
        # events, or by its YouTube id, the `url` of the profile `youtube`. spec 07 §3.9
        _table("edxval_video", is_optional=True, id=_NUMBER, edx_video_id=_TEXT, duration=pa.float64()),
        _table("edxval_coursevideo", is_optional=True, course_id=_TEXT, video_id=_NUMBER, is_hidden=_TRUTH),
        _table("edxval_profile", is_optional=True, id=_NUMBER, profile_name=_TEXT),
        _table("edxval_encodedvideo", is_optional=True, video_id=_NUMBER, profile_id=_NUMBER, url=_TEXT),
        _table(
            "edxval_videotranscript",
            is_optional=True,
            video_id=_NUMBER,
            language_code=_TEXT,
            transcript=pa.string(),
            file_format=pa.string(),
        ),
        # Tags of courses and blocks; the text is that of the tag, or `_value` of one that is gone.
        # spec 07 §3.10
        _table("oel_tagging_taxonomy", is_optional=True, id=_NUMBER, name=_TEXT, enabled=pa.bool_()),
        _table(
            "oel_tagging_tag",
            is_optional=True,
            id=_NUMBER,
            taxonomy_id=pa.int64(),
            parent_id=pa.int64(),
            value=_TEXT,
        ),
        _table(
            "oel_tagging_objecttag",
            is_optional=True,
            object_id=_TEXT,
            taxonomy_id=pa.int64(),
            tag_id=pa.int64(),
            _value=pa.string(),
        ),
        # Who posted when and in answer to what; never the texts. spec 07 §3.12
        _table(
            "forum_commentthread",
            changed_by="updated_at",
            is_optional=True,
            id=_NUMBER,
            author_id=_NUMBER,
            course_id=_TEXT,
            thread_type=_TEXT,
            commentable_id=pa.string(),
            created_at=_required(_MOMENT),
            updated_at=_required(_MOMENT),
        ),
        _table(
            "forum_comment",
            changed_by="updated_at",
            is_optional=True,
            id=_NUMBER,
            author_id=_NUMBER,
            course_id=_TEXT,
            comment_thread_id=_NUMBER,
            parent_id=pa.int64(),
            endorsed=pa.bool_(),
            created_at=_required(_MOMENT),
            updated_at=_required(_MOMENT),
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
            due=_MOMENT,
            video_seconds=pa.float64(),
            transcript_languages=pa.list_(pa.string()),
        ),
        # When the outline and the policy of a course run were read, and when what was read had been published
        _table("course_reading", course_id=_TEXT, read_at=_required(_MOMENT), published_at=_MOMENT),
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
