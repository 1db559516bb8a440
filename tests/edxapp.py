"""The LMS database of a current Open edX release, as far as Pharos reads it: real columns, order and types.

The same tables on MySQL (what the platform runs on), PostgreSQL and SQLite.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

BEGIN = datetime(2026, 1, 5, 8, 30, 15, 123456)
TABLES = sa.MetaData()
_moment = (
    sa.DateTime()
    .with_variant(mysql.DATETIME(fsp=6), "mysql")
    .with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
)
_long = sa.Text().with_variant(mysql.LONGTEXT(), "mysql")
_bool = sa.Boolean().with_variant(mysql.TINYINT(1), "mysql")
_unsigned = sa.BigInteger().with_variant(mysql.BIGINT(unsigned=True), "mysql")


def _table(name: str, *columns: tuple[str, Any]) -> sa.Table:
    """Columns whose name ends in `?` may be null."""
    return sa.Table(
        name,
        TABLES,
        *(
            sa.Column(
                column.rstrip("?"), type_, nullable=column.endswith("?"), primary_key=column == "id",
                autoincrement=False,
            )
            for column, type_ in columns
        ),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )  # fmt: skip


auth_user = _table(
    "auth_user",
    ("id", sa.Integer),
    ("password", sa.String(128)),
    ("last_login?", _moment),
    ("is_superuser", _bool),
    ("username", sa.String(150)),
    ("first_name", sa.String(150)),
    ("last_name", sa.String(150)),
    ("email", sa.String(254)),
    ("is_staff", _bool),
    ("is_active", _bool),
    ("date_joined", _moment),
)
auth_userprofile = _table(
    "auth_userprofile",
    ("id", sa.Integer),
    ("name", sa.String(255)),
    ("meta", _long),
    ("courseware", sa.String(255)),
    ("language", sa.String(255)),
    ("location", sa.String(255)),
    ("year_of_birth?", sa.Integer),
    ("gender?", sa.String(6)),
    ("level_of_education?", sa.String(6)),
    ("mailing_address?", _long),
    ("city?", _long),
    ("country?", sa.String(2)),
    ("goals?", _long),
    ("bio?", sa.String(3000)),
    ("profile_image_uploaded_at?", _moment),
    ("user_id", sa.Integer),
    ("phone_number?", sa.String(50)),
    ("state?", sa.String(2)),
)
user_api_userpreference = _table(
    "user_api_userpreference",
    ("id", sa.Integer),
    ("key", sa.String(255)),
    ("value", _long),
    ("user_id", sa.Integer),
)
student_courseenrollment = _table(
    "student_courseenrollment",
    ("id", sa.Integer),
    ("course_id", sa.String(255)),
    ("created?", _moment),
    ("is_active", _bool),
    ("mode", sa.String(100)),
    ("user_id", sa.Integer),
)
student_courseaccessrole = _table(
    "student_courseaccessrole",
    ("id", sa.Integer),
    ("org", sa.String(64)),
    ("course_id", sa.String(255)),
    ("role", sa.String(64)),
    ("user_id", sa.Integer),
)
course_groups_courseusergroup = _table(
    "course_groups_courseusergroup",
    ("id", sa.Integer),
    ("name", sa.String(255)),
    ("course_id", sa.String(255)),
    ("group_type", sa.String(20)),
)
course_groups_cohortmembership = _table(
    "course_groups_cohortmembership",
    ("id", sa.Integer),
    ("course_id", sa.String(255)),
    ("course_user_group_id", sa.Integer),
    ("user_id", sa.Integer),
)
course_groups_coursecohortssettings = _table(
    "course_groups_coursecohortssettings",
    ("id", sa.Integer),
    ("is_cohorted", _bool),
    ("course_id", sa.String(255)),
    ("cohorted_discussions?", _long),
    ("always_cohort_inline_discussions", _bool),
)
casbin_rule = _table(
    "casbin_rule",
    ("id", sa.Integer),
    ("ptype", sa.String(255)),
    *((f"v{number}?", sa.String(255)) for number in range(6)),
)
grades_persistentcoursegrade = _table(
    "grades_persistentcoursegrade",
    ("created", _moment),
    ("modified", _moment),
    ("id", _unsigned),
    ("user_id", sa.Integer),
    ("course_id", sa.String(255)),
    ("course_edited_timestamp?", _moment),
    ("course_version", sa.String(255)),
    ("grading_policy_hash", sa.String(255)),
    ("percent_grade", sa.Double),
    ("letter_grade", sa.String(255)),
    ("passed_timestamp?", _moment),
)
certificates_generatedcertificate = _table(
    "certificates_generatedcertificate",
    ("id", sa.Integer),
    ("course_id", sa.String(255)),
    ("verify_uuid", sa.String(32)),
    ("grade", sa.String(5)),
    ("key", sa.String(32)),
    ("distinction", _bool),
    ("status", sa.String(32)),
    ("mode", sa.String(32)),
    ("name", sa.String(255)),
    ("created_date", _moment),
    ("modified_date", _moment),
    ("download_uuid", sa.String(32)),
    ("download_url", sa.String(128)),
    ("error_reason", sa.String(512)),
    ("user_id", sa.Integer),
)
courseware_studentmodule = _table(
    "courseware_studentmodule",
    ("id", _unsigned),
    ("module_type", sa.String(32)),
    ("module_id", sa.String(255)),
    ("course_id", sa.String(255)),
    ("state?", _long),
    ("grade?", sa.Double),
    ("max_grade?", sa.Double),
    ("done", sa.String(8)),
    ("created", _moment),
    ("modified", _moment),
    ("student_id", sa.Integer),
)
grades_persistentsubsectiongrade = _table(
    "grades_persistentsubsectiongrade",
    ("created", _moment),
    ("modified", _moment),
    ("id", _unsigned),
    ("user_id", sa.Integer),
    ("course_id", sa.String(255)),
    ("usage_key", sa.String(255)),
    ("subtree_edited_timestamp?", _moment),
    ("course_version", sa.String(255)),
    ("earned_all", sa.Double),
    ("possible_all", sa.Double),
    ("earned_graded", sa.Double),
    ("possible_graded", sa.Double),
    ("first_attempted?", _moment),
    ("visible_blocks_hash", sa.String(100)),
)
grades_visibleblocks = _table(
    "grades_visibleblocks",
    ("id", sa.Integer),
    ("blocks_json", _long),
    ("hashed", sa.String(100)),
    ("course_id", sa.String(255)),
)
completion_blockcompletion = _table(
    "completion_blockcompletion",
    ("created", _moment),
    ("modified", _moment),
    ("id", sa.BigInteger),
    ("course_key", sa.String(255)),
    ("block_key", sa.String(255)),
    ("block_type", sa.String(64)),
    ("completion", sa.Double),
    ("user_id", sa.Integer),
)
course_overviews_courseoverview = _table(
    "course_overviews_courseoverview",
    ("created", _moment),
    ("modified", _moment),
    ("version", sa.Integer),
    ("id", sa.String(255)),
    ("_location", sa.String(255)),
    ("org", _long),
    ("display_name?", _long),
    ("display_number_with_default", _long),
    ("display_org_with_default", _long),
    ("start?", _moment),
    ("end?", _moment),
    ("advertised_start?", _long),
    ("self_paced", _bool),
    ("visible_to_staff_only", _bool),
    ("lowest_passing_grade?", sa.Numeric(5, 2)),
    ("enrollment_start?", _moment),
    ("enrollment_end?", _moment),
    ("invitation_only", _bool),
    ("short_description?", _long),
    ("catalog_visibility?", _long),
    ("language?", _long),
    ("start_date?", _moment),
    ("end_date?", _moment),
)
learning_sequences_learningcontext = _table(
    "learning_sequences_learningcontext",
    ("id", sa.BigInteger),
    ("context_key", sa.String(255)),
    ("title", sa.String(255)),
    ("published_at", _moment),
    ("published_version", sa.String(255)),
    ("created", _moment),
    ("modified", _moment),
)
learning_sequences_coursesection = _table(
    "learning_sequences_coursesection",
    ("id", sa.BigInteger),
    ("ordering", sa.Integer),
    ("usage_key", sa.String(255)),
    ("title", sa.String(1000)),
    ("hide_from_toc", _bool),
    ("visible_to_staff_only", _bool),
    ("created", _moment),
    ("modified", _moment),
    ("course_context_id", sa.BigInteger),
)
learning_sequences_learningsequence = _table(
    "learning_sequences_learningsequence",
    ("id", sa.BigInteger),
    ("usage_key", sa.String(255)),
    ("title", sa.String(1000)),
    ("created", _moment),
    ("modified", _moment),
    ("learning_context_id", sa.BigInteger),
)
learning_sequences_coursesectionsequence = _table(
    "learning_sequences_coursesectionsequence",
    ("id", sa.BigInteger),
    ("ordering", sa.Integer),
    ("inaccessible_after_due", _bool),
    ("hide_from_toc", _bool),
    ("visible_to_staff_only", _bool),
    ("section_id", sa.BigInteger),
    ("sequence_id", sa.BigInteger),
    ("course_context_id", sa.BigInteger),
)
edxval_video = _table(
    "edxval_video",
    ("id", sa.Integer),
    ("created", _moment),
    ("edx_video_id", sa.String(100)),
    ("client_video_id", sa.String(255)),
    ("duration", sa.Double),
    ("status", sa.String(255)),
    ("error_description?", _long),
)
edxval_coursevideo = _table(
    "edxval_coursevideo",
    ("id", sa.Integer),
    ("course_id", sa.String(255)),
    ("is_hidden", _bool),
    ("video_id", sa.Integer),
)
edxval_profile = _table("edxval_profile", ("id", sa.Integer), ("profile_name", sa.String(50)))
edxval_encodedvideo = _table(
    "edxval_encodedvideo",
    ("id", sa.Integer),
    ("created", _moment),
    ("modified", _moment),
    ("url", sa.String(200)),
    ("file_size", sa.Integer),
    ("bitrate", sa.Integer),
    ("profile_id", sa.Integer),
    ("video_id", sa.Integer),
)
edxval_videotranscript = _table(
    "edxval_videotranscript",
    ("id", sa.Integer),
    ("created", _moment),
    ("modified", _moment),
    ("transcript?", sa.String(255)),
    ("language_code", sa.String(50)),
    ("provider", sa.String(30)),
    ("file_format", sa.String(20)),
    ("video_id", sa.Integer),
)
oel_tagging_taxonomy = _table(
    "oel_tagging_taxonomy",
    ("id", sa.BigInteger),
    ("name", sa.String(255)),
    ("description", _long),
    ("enabled", _bool),
    ("allow_multiple", _bool),
    ("allow_free_text", _bool),
    ("visible_to_authors", _bool),
    ("_taxonomy_class?", sa.String(255)),
    ("export_id", sa.String(255)),
)
oel_tagging_tag = _table(
    "oel_tagging_tag",
    ("id", sa.BigInteger),
    ("value", sa.String(500)),
    ("external_id?", sa.String(255)),
    ("parent_id?", sa.BigInteger),
    ("taxonomy_id?", sa.BigInteger),
)
oel_tagging_objecttag = _table(
    "oel_tagging_objecttag",
    ("id", sa.BigInteger),
    ("object_id", sa.String(255)),
    ("_export_id", sa.String(255)),
    ("_value", sa.String(500)),
    ("tag_id?", sa.BigInteger),
    ("taxonomy_id?", sa.BigInteger),
    ("is_copied", _bool),
)
_post = (
    ("author_username?", sa.String(255)),
    ("retired_username?", sa.String(255)),
    ("course_id", sa.String(255)),
    ("body", _long),
    ("anonymous", _bool),
    ("anonymous_to_peers", _bool),
    ("endorsed", _bool),
    ("visible", _bool),
    ("created_at", _moment),
    ("updated_at", _moment),
    ("author_id", sa.Integer),
)
forum_commentthread = _table(
    "forum_commentthread",
    ("id", sa.BigInteger),
    ("title", sa.String(1024)),
    ("thread_type", sa.String(50)),
    ("context", sa.String(50)),
    ("commentable_id", sa.String(255)),
    ("group_id?", sa.Integer),
    ("closed", _bool),
    ("pinned?", _bool),
    ("last_activity_at?", _moment),
    *_post,
)
forum_comment = _table(
    "forum_comment",
    ("id", sa.BigInteger),
    ("comment_thread_id", sa.BigInteger),
    ("parent_id?", sa.BigInteger),
    ("depth", sa.Integer),
    ("child_count", sa.Integer),
    *_post,
)

COURSE = "course-v1:UniX+Zoë101+2026"


def fill(connection: sa.Connection) -> None:
    """A few rows in each table: learners 1 to 3 (the third without a profile) of one course."""
    for number, name in enumerate(("zoe", "ali", "mo"), start=1):
        insert(
            connection, auth_user, id=number, username=name, email=f"{name}@x.example", is_active=number != 3
        )
    insert(
        connection,
        auth_userprofile,
        id=71, user_id=1, name="Zoë Ψ", gender="f", year_of_birth=1990, level_of_education="b",
        goals="learn\nmuch", country="SE",
    )  # fmt: skip
    insert(connection, auth_userprofile, id=72, user_id=2, name="", gender="")
    insert(connection, user_api_userpreference, id=1, user_id=1, key="pref-lang", value="es-419")
    insert(connection, user_api_userpreference, id=2, user_id=1, key="time_zone", value="Europe/" + "x" * 60)
    for number in (1, 2, 3):
        insert(
            connection,
            student_courseenrollment,
            id=number * 10, user_id=number, course_id=COURSE, created=BEGIN, is_active=number != 2,
            mode="verified" if number == 1 else "audit",
        )  # fmt: skip
    insert(connection, student_courseaccessrole, id=1, org="UniX", course_id=COURSE, role="staff", user_id=3)
    insert(
        connection, course_groups_courseusergroup, id=5, name="Morning", course_id=COURSE, group_type="cohort"
    )
    insert(
        connection,
        course_groups_cohortmembership,
        id=1, course_id=COURSE, course_user_group_id=5, user_id=1,
    )  # fmt: skip
    insert(connection, course_groups_coursecohortssettings, id=1, is_cohorted=True, course_id=COURSE)
    insert(
        connection,
        casbin_rule,
        id=1, ptype="g", v0="user^ali", v1="role^course_staff", v2=f"course-v1^{COURSE}",
    )  # fmt: skip
    insert(
        connection,
        grades_persistentcoursegrade,
        id=1, user_id=1, course_id=COURSE, percent_grade=0.825, letter_grade="B",
        passed_timestamp=BEGIN + timedelta(days=1), modified=BEGIN + timedelta(days=2),
    )  # fmt: skip
    insert(
        connection,
        certificates_generatedcertificate,
        id=1,
        user_id=1,
        course_id=COURSE,
        status="downloadable",
    )
    for number in (1, 2, 3, 4):
        insert(connection, courseware_studentmodule, **student_module(number))
    _fill_outline(connection)
    _fill_videos_and_tags(connection)
    _fill_progress(connection)


def _fill_outline(connection: sa.Connection) -> None:
    """Two sections; the second has both subsections."""
    insert(
        connection,
        course_overviews_courseoverview,
        id=COURSE, display_name="Zoë's  Course", org="UniX", display_org_with_default="UniX",
        display_number_with_default="Zoë101", short_description="Short.", start=BEGIN,
        enrollment_start=BEGIN - timedelta(days=30), self_paced=True,
    )  # fmt: skip
    insert(
        connection,
        learning_sequences_learningcontext,
        id=7, context_key=COURSE, title="Zoë's Course", published_at=BEGIN,
    )  # fmt: skip
    for number, name in enumerate(("one", "two")):
        insert(
            connection,
            learning_sequences_coursesection,
            id=20 + number, course_context_id=7, usage_key=usage("chapter", name), title=f"Section {name}",
            ordering=number,
        )  # fmt: skip
    for number, name in enumerate(("lecture", "test")):
        insert(
            connection,
            learning_sequences_learningsequence,
            id=30 + number, learning_context_id=7, usage_key=usage("sequential", name), title=name,
        )  # fmt: skip
        insert(
            connection,
            learning_sequences_coursesectionsequence,
            id=40 + number, course_context_id=7, section_id=21, sequence_id=30 + number, ordering=number,
        )  # fmt: skip


def _fill_videos_and_tags(connection: sa.Connection) -> None:
    insert(connection, edxval_video, id=3, edx_video_id="0f2c", client_video_id="a.mp4", duration=61.5)
    insert(connection, edxval_coursevideo, id=1, course_id=COURSE, is_hidden=False, video_id=3)
    insert(connection, edxval_profile, id=1, profile_name="youtube")
    insert(connection, edxval_encodedvideo, id=1, url="abcdefghijk", profile_id=1, video_id=3)
    insert(
        connection,
        edxval_videotranscript,
        id=1, transcript="video-transcripts/1.srt", language_code="en", file_format="srt", video_id=3,
    )  # fmt: skip
    insert(connection, oel_tagging_taxonomy, id=1, name="Outcomes", enabled=True)
    insert(connection, oel_tagging_tag, id=5, value="Reading", taxonomy_id=1)
    insert(
        connection,
        oel_tagging_objecttag,
        id=1, object_id=usage("problem", "p0"), _value="Reading", tag_id=5, taxonomy_id=1,
    )  # fmt: skip


def _fill_progress(connection: sa.Connection) -> None:
    insert(
        connection,
        grades_persistentsubsectiongrade,
        id=1, user_id=1, course_id=COURSE, usage_key=usage("sequential", "test"), earned_all=1.0,
        possible_all=2.0, earned_graded=1.0, possible_graded=2.0, first_attempted=BEGIN,
        visible_blocks_hash="abc=", modified=BEGIN,
    )  # fmt: skip
    insert(
        connection,
        grades_visibleblocks,
        id=1, hashed="abc=", course_id=COURSE,
        blocks_json='{"blocks": [{"graded": true, "locator": "p0", "raw_possible": 2.0, "weight": null}]}',
    )  # fmt: skip
    insert(
        connection,
        completion_blockcompletion,
        id=1, user_id=1, course_key=COURSE, block_key=usage("problem", "p0"), block_type="problem",
        completion=1.0, modified=BEGIN,
    )  # fmt: skip
    insert(
        connection,
        forum_commentthread,
        id=1, author_id=1, author_username="zoe", course_id=COURSE, title="secret", body="secret",
        thread_type="question", commentable_id="general", created_at=BEGIN, updated_at=BEGIN,
    )  # fmt: skip
    insert(
        connection,
        forum_comment,
        id=1, author_id=3, author_username="mo", course_id=COURSE, body="secret", comment_thread_id=1,
        endorsed=True, created_at=BEGIN, updated_at=BEGIN,
    )  # fmt: skip


def usage(block_type: str, name: str) -> str:
    """Usage key of a block of the course."""
    return f"block-v1:{COURSE.removeprefix('course-v1:')}+type@{block_type}+block@{name}"


def student_module(number: int, **changed: Any) -> dict[str, Any]:
    """A row of `courseware_studentmodule`, modified `number` hours after the first moment."""
    return {
        "id": number,
        "student_id": number,
        "course_id": COURSE,
        "module_id": usage("problem", f"p{number % 2}"),
        "module_type": "problem",
        "state": '{"student_answers": "secret"}',
        "grade": number / 2,
        "max_grade": None if number == 4 else 2.0,
        "modified": BEGIN + timedelta(hours=number),
        **changed,
    }


def insert(connection: sa.Connection, table: sa.Table, **values: Any) -> None:
    connection.execute(table.insert().values(harmless_row(table, **values)))


def harmless_row(table: sa.Table, **values: Any) -> dict[str, Any]:
    """A row; columns that must not be null and are not given hold something harmless."""
    required = {column.name: _filler(column.type) for column in table.columns if not column.nullable}
    return {**required, **values}


def _filler(type_: Any) -> Any:
    if isinstance(type_, sa.DateTime):
        return BEGIN
    return "" if isinstance(type_, sa.String) else False if isinstance(type_, sa.Boolean) else 0


def open_database(store_url: str) -> sa.Engine:
    """An engine for a database of any kind, with moments in UTC."""
    options = {"options": "-c timezone=utc"} if store_url.startswith("postgresql") else {}
    return sa.create_engine(store_url, poolclass=sa.NullPool, connect_args=options)


def create(store_url: str) -> str:
    """Make and fill the tables in an empty database; its URL as an operator writes it."""
    with open_database(store_url).begin() as connection:
        TABLES.create_all(connection)
        fill(connection)
    return store_url.partition("?")[0]


def change(store_url: str, *statements: sa.Executable | str) -> None:
    """Do something to the database."""
    with open_database(store_url).begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement) if isinstance(statement, str) else statement)
