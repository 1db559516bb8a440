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
course_groups_courseusergroup_users = _table(
    "course_groups_courseusergroup_users",
    ("id", sa.Integer),
    ("courseusergroup_id", sa.Integer),
    ("user_id", sa.Integer),
)
grades_persistentcoursegrade = _table(
    "grades_persistentcoursegrade",
    ("created", _moment),
    ("modified", _moment),
    ("id", sa.BigInteger),
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
    ("id", sa.BigInteger),
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
    insert(connection, course_groups_courseusergroup_users, id=1, courseusergroup_id=5, user_id=1)
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


def student_module(number: int, **changed: Any) -> dict[str, Any]:
    """A row of `courseware_studentmodule`, modified `number` hours after the first moment."""
    return {
        "id": number,
        "student_id": number,
        "course_id": COURSE,
        "module_id": f"block-v1:UniX+Zoë101+2026+type@problem+block@p{number % 2}",
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
    return "" if isinstance(type_, sa.String) else 0 if not isinstance(type_, sa.Boolean) else False


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
