"""Editions; days to spread spans over; tables by day without indexes that their key makes superfluous."""

from datetime import date, timedelta

import sqlalchemy as sa
from alembic import op

from pharos.result_store.migrations.creating import drop, table

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BY_DAY = (
    "course_enrollment_daily",
    "course_enrollment_mode_daily",
    "course_enrollment_effective_mode_daily",
    "course_enrollment_gender_daily",
)
GROUPS = {"mode": 255, "gender": 6}  # column and its length
FIRST, LAST = date(2000, 1, 1), date(2099, 12, 31)


def upgrade() -> None:
    table("pharos_day", sa.Column("day", sa.Date, primary_key=True))
    database = op.get_bind()
    days = sa.table("pharos_day", sa.column("day", sa.Date))
    if not database.execute(sa.select(days.c.day).limit(1)).first():
        count = (LAST - FIRST).days + 1
        database.execute(
            sa.insert(days), [{"day": FIRST + timedelta(days=number)} for number in range(count)]
        )
    if "edition" not in _columns("pharos_publication"):
        with op.batch_alter_table("pharos_publication") as batch:
            batch.add_column(sa.Column("edition", sa.BigInteger, nullable=False, server_default="0"))
    for name in BY_DAY:
        if database.dialect.name == "sqlite":
            _rebuild(name, clustered=True)
        else:
            for columns in (("course_id",), ("course_id", "date")):
                index = f"ix_{name}_{'_'.join(columns)}"
                if index in _indexes(name):
                    op.drop_index(index, name)


def downgrade() -> None:
    for name in BY_DAY:
        if op.get_bind().dialect.name == "sqlite":
            _rebuild(name, clustered=False)
        indexes: list[tuple[str, ...]] = [("course_id", "date")]
        if name != "course_enrollment_effective_mode_daily":
            indexes.append(("course_id",))
        for columns in indexes:
            index = f"ix_{name}_{'_'.join(columns)}"
            if index not in _indexes(name):
                op.create_index(index, name, list(columns))
    if "edition" in _columns("pharos_publication"):
        with op.batch_alter_table("pharos_publication") as batch:
            batch.drop_column("edition")
    drop("pharos_day")


def _columns(name: str) -> set[str]:
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(name)}


def _indexes(name: str) -> set[str | None]:
    return {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(name)}


def _rebuild(name: str, *, clustered: bool) -> None:
    """Make an SQLite table anew, with its rows: by day and clustered, or as it was before."""
    database, old = op.get_bind(), f"{name}_old"
    days = [
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("course_id", sa.String(255), nullable=False),
    ]
    group = [column for column in GROUPS if column in _columns(name)]
    key = ["course_id", "date", *group]
    for index in _indexes(name):
        if index and not index.startswith("sqlite_autoindex"):
            op.drop_index(index, name)
    op.rename_table(name, old)
    op.create_table(
        name,
        sa.Column(
            "id", sa.Integer, primary_key=not clustered, nullable=False,
            server_default=sa.text("(random())") if clustered else None,
        ),
        *(days if group else reversed(days)),
        *(sa.Column(name, sa.String(GROUPS[name]), nullable=name == "gender") for name in group),
        sa.Column("count", sa.Integer),
        sa.Column("cumulative_count", sa.Integer),
        sa.Column("created", sa.DateTime, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("course_id", "date", "id")
        if clustered
        else sa.UniqueConstraint(*key, name=f"uq_{name}"),
        **({"sqlite_with_rowid": False} if clustered else {}),
    )  # fmt: skip
    columns = ", ".join(f'"{column}"' for column in ("id", *key, "count", "cumulative_count", "created"))
    ids = columns if clustered else columns.replace('"id"', "NULL")
    database.exec_driver_sql(
        f"INSERT INTO {name} ({columns}) SELECT {ids} FROM {old} ORDER BY course_id, date, id"  # noqa: S608
    )
    op.drop_table(old)
