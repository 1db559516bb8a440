"""Publishing differences, all tables at once, into real databases of each kind."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pharos.result_store import checksums, store, tables
from pharos.result_store.connecting import engine_for
from pharos.result_store.editions import Batches, Change, Written
from pharos.result_store.errors import ContractViolation, StoreAltered
from pharos.result_store.store import Publication
from pharos.result_store.tables.bookkeeping import publications

MODES, DAILY = tables.course_enrollment_mode_daily, tables.course_enrollment_daily
EFFECTIVE = tables.course_enrollment_effective_mode_daily
GENDER, YEARS = tables.course_enrollment_gender_daily, tables.course_enrollment_birth_year_daily
FIRST = date(2031, 3, 1)
Span = tuple[str, str | None, int, int, int]  # course, group, first day, days, count


@pytest.fixture
def engine(store_url: str) -> Iterator[sa.Engine]:
    store.upgrade(store_url)
    engine = store.connect(store_url)
    yield engine
    engine.dispose()


def publication(fingerprint: str = "f") -> Publication:
    return Publication(fingerprint=fingerprint, until=datetime(2031, 4, 1), last_event=None, version=1)


def given_once(*found: pa.Table) -> Batches:
    return partial(iter, found)


def spans(group: str, *found: Span) -> pa.Table:
    return pa.table(
        {
            "course_id": pa.array([span[0] for span in found], pa.string()),
            "date": pa.array([FIRST + timedelta(days=span[2]) for span in found], pa.date32()),
            group: pa.array([span[1] for span in found], pa.string()),
            "count": pa.array([span[4] for span in found], pa.int64()),
            "cumulative_count": pa.array([span[4] for span in found], pa.int64()),
            "end": pa.array([FIRST + timedelta(days=span[2] + span[3]) for span in found], pa.date32()),
        }
    )


def by_day(*found: Span) -> set[tuple[object, ...]]:
    """The rows that spans stand for, made one after the other."""
    return {
        (course, FIRST + timedelta(days=day), group, count)
        for course, group, first, days, count in found
        for day in range(first, first + days)
    }


def stored(engine: sa.Engine, table: sa.Table, group: str) -> set[tuple[object, ...]]:
    with engine.connect() as connection:
        rows = connection.execute(sa.select(table)).mappings().all()
    found = [(row["course_id"], row["date"], row[group], row["count"]) for row in rows]
    assert len(set(found)) == len(found)
    return set(found)


def publish(engine: sa.Engine, *changes: Change) -> dict[str, Written]:
    return store.publish_edition(engine, changes)


def change(table: sa.Table, *, new: Batches, gone: Batches | None = None, **more: object) -> Change:
    options: dict[str, object] = {"table": table, "publication": publication(), "new": new}
    if gone is not None:
        options["gone"] = gone
    return Change(**(options | more))  # type: ignore[arg-type]


OLD: tuple[Span, ...] = (("a", None, 0, 10, 3), ("a", "f", 2, 5, 1), ("b", "m", 0, 3, 7))


def test_spans_are_spread_over_their_days_and_differences_written(engine: sa.Engine) -> None:
    """Rows that stay are not touched: they keep their number and the time of their publication."""
    written = publish(engine, change(GENDER, new=given_once(spans("gender", *OLD)), spans=True))
    assert written[GENDER.name] == Written(rows=18, inserted=18)
    assert stored(engine, GENDER, "gender") == by_day(*OLD)
    with engine.begin() as connection:
        connection.execute(sa.update(GENDER).values(created=datetime(2001, 1, 1)))
    gone = spans("gender", ("a", None, 4, 2, 3), ("b", "m", 2, 1, 7))
    new = spans("gender", ("a", None, 4, 1, 8), ("c", None, 0, 2, 1))
    written = publish(engine, change(GENDER, new=given_once(new), gone=given_once(gone), spans=True))
    assert written[GENDER.name] == Written(rows=18, deleted=3, inserted=3)
    expected = by_day(*OLD) - by_day(("a", None, 4, 2, 3), ("b", "m", 2, 1, 7))
    assert stored(engine, GENDER, "gender") == expected | by_day(("a", None, 4, 1, 8), ("c", None, 0, 2, 1))
    with engine.connect() as connection:
        kept = sa.select(sa.func.count()).where(GENDER.c.created == datetime(2001, 1, 1))
        assert connection.scalar(kept) == 15
    assert store.altered(engine) == {}


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    found=st.lists(
        st.tuples(
            st.sampled_from("ab"), st.sampled_from([None, "f", "m"]), st.integers(0, 50), st.integers(1, 40)
        ),
        max_size=8,
        unique_by=lambda span: span[:2],
    ),
    removed=st.integers(0, 8),
)
def test_checksums_follow_what_is_written(
    engine: sa.Engine, found: list[tuple[str, str | None, int, int]], removed: int
) -> None:
    """Kept up to date by what is inserted and deleted, they are those of the whole table."""
    whole = [(*span, number) for number, span in enumerate(found)]
    rows = given_once(spans("gender", *whole))
    publish(engine, change(GENDER, new=rows, spans=True, is_whole=True))
    gone = whole[:removed]
    publish(engine, change(GENDER, new=given_once(), gone=given_once(spans("gender", *gone)), spans=True))
    assert stored(engine, GENDER, "gender") == by_day(*whole[removed:])
    assert store.altered(engine) == {}


def test_a_stamp_is_written_for_all_rows(engine: sa.Engine) -> None:
    def years(*found: tuple[str, int | None]) -> Batches:
        columns = {
            "course_id": pa.array([course for course, _ in found], pa.string()),
            "birth_year": pa.array([year for _, year in found], pa.int64()),
        }
        ones = pa.array([1] * len(found), pa.int64())
        return given_once(pa.table(columns | {"count": ones, "cumulative_count": ones}))

    publish(engine, change(YEARS, new=years(("a", 1990), ("a", None)), stamp=("date", FIRST)))
    later = ("date", FIRST + timedelta(days=1))
    gone = given_once(pa.table({"course_id": ["a"], "birth_year": pa.array([None], pa.int64())}))
    written = publish(engine, change(YEARS, new=years(("b", 1991)), gone=gone, stamp=later))
    assert written[YEARS.name] == Written(rows=2, deleted=1, inserted=1, stamped=1)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(YEARS.c.course_id, YEARS.c.birth_year, YEARS.c.date)).all()
    assert set(map(tuple, rows)) == {("a", 1990, later[1]), ("b", 1991, later[1])}
    assert store.altered(engine) == {}


def test_rows_that_do_not_fit_hold_back_their_table_alone(engine: sa.Engine) -> None:
    good, bad = spans("mode", ("a", "audit", 0, 2, 1)), spans("mode", ("a", "x" * 300, 0, 2, 1))
    daily = good.drop_columns("mode")
    publish(engine, change(MODES, new=given_once(good), spans=True))
    written = publish(
        engine,
        change(MODES, new=given_once(bad), gone=given_once(good), spans=True, publication=publication("g")),
        change(DAILY, new=given_once(daily), spans=True, publication=publication("g")),
    )
    assert isinstance(written[MODES.name].problem, ContractViolation)
    assert written[DAILY.name] == Written(rows=2, inserted=2)
    assert stored(engine, MODES, "mode") == by_day(("a", "audit", 0, 2, 1))
    known = store.published(engine)
    assert (known[MODES.name].fingerprint, known[DAILY.name].fingerprint) == ("f", "g")
    assert (known[MODES.name].edition, known[DAILY.name].edition) == (1, 2)


def test_a_table_that_refuses_rows_is_told_in_words_and_holds_back_itself_alone(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE UNIQUE INDEX of_somebody_else ON {MODES.name} (course_id)")
    two_days = spans("mode", ("a", "audit", 0, 2, 1))
    written = publish(
        engine,
        change(MODES, new=given_once(two_days), spans=True),
        change(DAILY, new=given_once(two_days.drop_columns("mode")), spans=True),
    )
    assert written[DAILY.name] == Written(rows=2, inserted=2)
    told = str(written[MODES.name].problem)
    assert told.startswith(f"{MODES.name}: not published, the old rows stay: two rows have the same key (")
    assert told.endswith("); look at the rows of the table that have this key, and remove those that another "
                         "program wrote")  # fmt: skip
    assert "((" not in told


def test_rows_to_delete_that_are_not_there_stop_the_edition(engine: sa.Engine) -> None:
    rows = spans("mode", ("a", "audit", 0, 5, 1))
    publish(engine, change(MODES, new=given_once(rows), spans=True))
    with engine.begin() as connection:
        connection.execute(sa.delete(MODES).where(MODES.c.date == FIRST + timedelta(days=2)))
    daily = change(DAILY, new=given_once(rows.drop_columns("mode")), spans=True)
    with pytest.raises(StoreAltered, match="not as it was published"):
        publish(engine, daily, change(MODES, new=given_once(), gone=given_once(rows), spans=True))
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(DAILY)) == 0


def _emptied(connection: sa.Connection) -> None:
    connection.execute(sa.delete(MODES))


def _one_row_less(connection: sa.Connection) -> None:
    connection.execute(sa.delete(MODES).where(MODES.c.date == FIRST))


def _another_count(connection: sa.Connection) -> None:
    connection.execute(sa.update(MODES).where(MODES.c.date == FIRST).values(count=2))


def _another_mode(connection: sa.Connection) -> None:
    connection.execute(sa.update(MODES).where(MODES.c.date == FIRST).values(mode="honor"))


def _a_high_bit_of_a_count(connection: sa.Connection) -> None:
    connection.execute(sa.update(MODES).where(MODES.c.date == FIRST).values(count=1 + 2**20))


def _a_letter_of_a_mode(connection: sa.Connection) -> None:
    connection.execute(sa.update(MODES).where(MODES.c.date == FIRST).values(mode="auoit"))


def _another_day(connection: sa.Connection) -> None:
    connection.execute(sa.update(MODES).where(MODES.c.date == FIRST).values(date=date(2030, 1, 1)))


def _dropped(connection: sa.Connection) -> None:
    MODES.drop(connection)


@pytest.mark.parametrize(
    "how",
    [
        *(_emptied, _one_row_less, _another_count, _another_mode, _another_day, _dropped),
        *(_a_high_bit_of_a_count, _a_letter_of_a_mode),
    ],
)
def test_what_somebody_changed_by_hand_is_seen_and_made_right(
    how: object, engine: sa.Engine, store_url: str
) -> None:
    rows = given_once(spans("mode", ("a", "audit", 0, 5, 1)))
    publish(engine, change(MODES, new=rows, spans=True))
    assert store.altered(engine) == {}
    with engine.begin() as connection:
        how(connection)  # type: ignore[operator]
    assert store.altered(engine).keys() == {MODES.name}
    store.upgrade(store_url)
    publish(engine, change(MODES, new=rows, spans=True, is_whole=True))
    assert stored(engine, MODES, "mode") == by_day(("a", "audit", 0, 5, 1))
    assert store.altered(engine) == {}


def test_of_150_changed_bits_in_values_none_is_unseen(tmp_path: Path) -> None:
    """In SQLite, for which we hash texts ourselves, and whose files have no checksums."""
    engine = engine_for(f"sqlite:///{tmp_path}/store.sqlite")
    table = sa.Table("t", sa.MetaData(), sa.Column("text", sa.String(99)), sa.Column("number", sa.BigInteger))
    draw = random.Random(14)
    with engine.connect() as connection:
        table.create(connection)
        for _ in range(150):
            text = bytearray(f"course-v1:Org+{draw.randrange(10**9)}+Ré".encode())
            number, bit = draw.randrange(-(2**62), 2**62), draw.randrange(8 * len(text))
            found = []
            flipped = bytearray(text)
            flipped[bit // 8] ^= 1 << bit % 8
            for row in ((text, number), (flipped, number), (text, number ^ (1 << draw.randrange(62)))):
                connection.execute(sa.delete(table))
                connection.exec_driver_sql("INSERT INTO t VALUES (CAST(? AS TEXT), ?)", row)
                found.append(checksums.of(connection, table, ["text", "number"]).total)
            assert len(set(found)) == 3
    engine.dispose()


def test_a_checksum_of_an_earlier_release_is_taken_for_unknown_and_replaced(engine: sa.Engine) -> None:
    publish(engine, change(MODES, new=given_once(spans("mode", ("a", "audit", 0, 5, 1))), spans=True))
    with engine.begin() as connection:
        connection.execute(sa.update(publications).values(content="5 abc"))
    assert store.altered(engine) == {}
    rows = given_once(spans("mode", ("a", "honor", 0, 5, 1)))
    publish(engine, change(MODES, new=rows, spans=True))
    assert store.altered(engine) == {}
    with engine.begin() as connection:
        assert str(connection.scalar(sa.select(publications.c.content))).startswith("v2 10 ")
        _another_count(connection)
    assert store.altered(engine).keys() == {MODES.name}


def test_the_smallest_tables_are_compared_always_and_larger_ones_in_turn(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(store, "LARGEST_CHECKED", 5)
    url = f"sqlite:///{tmp_path}/store.sqlite"
    store.upgrade(url)
    engine = store.connect(url)
    days = {MODES: 2, GENDER: 4, EFFECTIVE: 5, DAILY: 6}
    for table, length in days.items():
        rows = spans("gender" if table is GENDER else "mode", ("a", "x", 0, length, 1))
        columns = [name for name in rows.column_names if name in {*table.columns.keys(), "end"}]
        publish(engine, change(table, new=given_once(rows.select(columns)), spans=True))
        with engine.begin() as connection:
            connection.execute(sa.update(table).values(count=9))
    assert store.altered(engine).keys() == {table.name for table in days}
    assert store.altered(engine, most=2).keys() == {MODES.name}
    assert store.altered(engine, most=2, turn=8).keys() == {MODES.name, GENDER.name}
    assert store.altered(engine, most=2, turn=9).keys() == {MODES.name, EFFECTIVE.name}
    engine.dispose()


def test_the_same_rows_are_not_written_again(engine: sa.Engine) -> None:
    rows = given_once(spans("mode", ("a", "audit", 0, 5, 1)))
    publish(engine, change(MODES, new=rows, spans=True))
    first = store.published(engine)[MODES.name].published
    written = publish(engine, change(MODES, new=rows, spans=True, is_whole=True))
    assert written[MODES.name] == Written(rows=5)
    assert store.published(engine)[MODES.name].published == first


@pytest.mark.slow
def test_a_reader_never_sees_two_editions(engine: sa.Engine, store_url: str) -> None:
    """Two tables, read in one transaction while they are published 60 times: both always say the same."""

    def edition(count: int, before: int | None) -> list[Change]:
        def rows(number: int) -> pa.Table:
            return spans("mode", ("a", "audit", 0, 40, number))

        gone = given_once() if before is None else given_once(rows(before))
        return [
            change(MODES, new=given_once(rows(count)), gone=gone, spans=True),
            change(
                DAILY,
                new=given_once(rows(count).drop_columns("mode")),
                gone=given_once() if before is None else given_once(rows(before).drop_columns("mode")),
                spans=True,
            ),
        ]

    publish(engine, *edition(0, None))
    seen: set[tuple[object, ...]] = set()
    is_over = threading.Event()

    def read() -> None:
        reader = store.connect(store_url)
        level = {} if reader.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        with reader.connect().execution_options(**level) as connection:
            while not is_over.is_set():
                with connection.begin():
                    found = [
                        connection.execute(
                            sa.select(
                                sa.func.min(table.c["count"]), sa.func.max(table.c["count"]), sa.func.count()
                            )
                        ).one()
                        for table in (MODES, DAILY)
                    ]
                seen.add(tuple(value for row in found for value in row))
        reader.dispose()

    thread = threading.Thread(target=read)
    thread.start()
    for number in range(1, 60):
        publish(engine, *edition(number, number - 1))
    is_over.set()
    thread.join()
    assert len(seen) > 1
    assert all(found == (found[0], found[0], 40) * 2 for found in seen), seen
