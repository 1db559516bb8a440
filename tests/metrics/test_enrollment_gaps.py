from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pharos.config import EngineSettings
from pharos.engine import Engine, open_engine
from pharos.lms.tables import VALIDATION
from pharos.metrics.enrollment_gaps import missing_events, with_gaps_filled
from pharos.pipeline.graph import FACTS

C = "course-v1:U+C+R"
US, MINUTE = timedelta(microseconds=1), timedelta(minutes=1)
ON, OFF, MODE = "activated", "deactivated", "mode_changed"
_FACT = FACTS["enrollment_event"].schema
# As `population.enrollment_events` gives them to metrics.
_TOLD = {"is_from_browser", "is_mode_changed", "events"}
EVENTS = pa.schema([*(field for field in _FACT if field.name not in _TOLD), ("date", pa.date32())])
Row = dict[str, Any]
Made = tuple[int, datetime, str, str]  # learner, time, last word of the type, mode


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2013, 9, 1, hour) + timedelta(days=day - 1)


def event(kind: str, time: datetime, mode: str = "honor", user: int = 1, course: str = C) -> Row:
    return {
        "course_id": course, "user_id": user, "time": time, "date": time.date(), "mode": mode,
        "event_type": f"edx.course.enrollment.{kind}",
    }  # fmt: skip


def seen(
    active: bool,
    time: datetime,
    mode: str | None = "honor",
    created: datetime | None = datetime(2013, 4, 1),
    user: int = 1,
    minutes: int = 5,
) -> Row:
    """What an import saw that ended at a moment."""
    return {
        "course_id": C, "user_id": user, "mode": mode, "is_active": active, "created": created,
        "dump_start": time - minutes * MINUTE, "dump_end": time,
    }  # fmt: skip


def made(engine: Engine, events: list[Row], validations: list[Row]) -> list[Made]:
    found = missing_events(
        engine.table(pa.Table.from_pylist(events, EVENTS)),
        engine.table(pa.Table.from_pylist(validations, VALIDATION.schema)),
    )
    rows = engine.fetch(found).to_pylist()
    return sorted(
        (row["user_id"], row["time"].replace(tzinfo=None), row["event_type"].rpartition(".")[2], row["mode"])
        for row in rows
    )


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = open_engine(EngineSettings(threads=2), tmp_path_factory.mktemp("scratch"))
    yield engine
    engine.close()


CREATED = datetime(2013, 4, 1)
STATES = ("on", "off", "seen on", "seen off", "mode")
# The table of the spec without what changes no state: what is made between an earlier and a later state.
TABLE = {
    ("on", "seen off"): OFF, ("on", "absent"): OFF,
    ("off", "seen on"): ON,
    ("seen on", "seen off"): OFF,
    ("seen off", "seen on"): ON,
    ("start", "off"): ON, ("start", "seen on"): ON,
}  # fmt: skip
CELLS = [(earlier, later) for earlier in (*STATES, "start") for later in STATES[:4]] + [
    (earlier, "absent") for earlier in ("on", "off", "mode")
]


def test_every_cell_of_the_table(engine: Engine) -> None:
    """spec 01 §11.124; each cell is a learner of its own."""
    events, validations, wanted = [], [], []
    for user, cell in enumerate(CELLS):
        for what, time in zip(cell, (at(9), at(19)), strict=True):
            if what in ("on", "off", "mode"):
                events.append(event({"on": ON, "off": OFF, "mode": MODE}[what], time, user=user))
            elif what.startswith("seen"):
                validations.append(seen(what == "seen on", time, user=user))
        if cell[1] != "absent":  # a row in the latest import, which says nothing new
            validations.append(seen(cell[1] in ("on", "seen on"), at(20), user=user))
        if cell in TABLE:
            time = CREATED if cell[0] == "start" else at(9) + US
            wanted.append((user, time, TABLE[cell], "honor"))
    is_first = {user: earlier == "start" for user, (earlier, _) in enumerate(CELLS)}
    # What is made before the earlier of the two is another cell.
    found = [row for row in made(engine, events, validations) if is_first[row[0]] or row[1] > at(9)]
    assert found == wanted


def test_the_worked_examples(engine: Engine) -> None:
    """spec 01 §9.2.2, examples; and §11.128-130. Each is a learner."""
    events = [
        event(ON, at(2), user=2),
        event(OFF, at(30) - MINUTE, user=3),
        event(ON, at(1), user=3),
        event(MODE, at(3), "verified", user=4),
        event(ON, at(1), user=5),  # and no row in the import
        event(ON, datetime(2013, 9, 2, 23, 59, 59, 999_999), user=6),
        event(ON, at(2), user=7), event(MODE, at(3), "verified", user=7),
        event(OFF, at(5), "verified", user=8), event(ON, at(4), user=8),
        event(ON, at(30) - MINUTE, "verified", user=9),
        event(OFF, at(2), "audit", user=10),
        event(OFF, at(30) - 2 * MINUTE, user=11), event(ON, at(30) - MINUTE, user=11),
        event(OFF, at(31), user=12), event(ON, at(2), user=12),
    ]  # fmt: skip
    validations = [
        seen(True, at(30), user=1),
        seen(True, at(30), "verified", user=2),
        seen(True, at(30), user=3),
        seen(False, at(30), user=6),
        seen(True, at(30), user=7),
        seen(False, at(30), "verified", user=8),
        seen(False, at(30), user=9, created=None),
        seen(False, at(30), "audit", user=10, created=at(9)),
        seen(True, at(30), user=11, created=None),
        seen(True, at(30), user=12),
    ]
    assert made(engine, events, validations) == [
        (1, CREATED, ON, "honor"),  # nothing but the row
        (2, at(2) + US, MODE, "verified"),
        # 3: left during the import, which had read the row before
        # 4: a change of mode alone says nothing
        (5, at(1) + US, OFF, "honor"),  # rolled back
        (6, datetime(2013, 9, 3), OFF, "honor"),  # the microsecond is carried
        (7, at(3) + US, MODE, "honor"),
        (8, at(4) + US, MODE, "verified"),  # known by the event of leaving
        # 9: entered during the import, which had read the row before
        (10, at(2) - US, ON, "audit"),  # not after having left
        # 11: left and came back during the import
        # 12: left after it
    ]


def test_two_imports_tell_when_it_happened(engine: Engine) -> None:
    """A script enrolled somebody, another took him out; no events at all."""
    validations = [seen(True, at(3)), seen(False, at(9))]
    assert made(engine, [], validations) == [(1, CREATED, ON, "honor"), (1, at(3) + US, OFF, "honor")]
    validations = [seen(True, at(3)), seen(True, at(9), "verified")]
    assert made(engine, [], validations) == [(1, CREATED, ON, "honor"), (1, at(3) + US, MODE, "verified")]


def test_both_at_one_place(engine: Engine) -> None:
    """The activation has the mode from before, and the change follows it. §9.2.2 mode check"""
    assert made(engine, [event(OFF, at(3))], [seen(True, at(9), "verified", created=at(1))]) == [
        (1, at(1), ON, "honor"),
        (1, at(3) + US, ON, "honor"),
        (1, at(3) + 2 * US, MODE, "verified"),
    ]


def test_what_is_not_known_makes_nothing(embedded: Engine) -> None:
    assert made(embedded, [event(ON, at(1)), event(OFF, at(2), user=2)], []) == []
    assert made(embedded, [], []) == []
    assert made(embedded, [], [seen(True, at(9), None)]) == []  # no mode
    assert made(embedded, [event(ON, at(1))], [seen(True, at(9), None)]) == []
    assert made(embedded, [event(OFF, at(2))], [seen(False, at(9), created=None)]) == []
    assert made(embedded, [], [seen(True, at(9), created=None)]) == [(1, at(9) - US, ON, "honor")]
    # a course that is not in the table is not ours: nobody of it was rolled back
    assert made(embedded, [event(ON, at(1), course="course-v1:U+D+R")], [seen(False, at(9))]) == []
    # and who came after the import is no absentee
    assert made(embedded, [event(ON, at(10), user=2)], [seen(False, at(9))]) == []


def test_an_import_sees_what_is_at_its_borders(embedded: Engine) -> None:
    """An event at its first moment happened before it was read, one at its last after."""
    start, end = at(30) - 5 * MINUTE, at(30)
    left_at_start = [event(ON, at(1)), event(OFF, start)]
    assert made(embedded, left_at_start, [seen(True, end)]) == [(1, start + US, ON, "honor")]
    left_within = [event(ON, at(1)), event(OFF, start + US)]
    assert made(embedded, left_within, [seen(True, end)]) == []
    left_before_the_end = [event(ON, at(1)), event(OFF, end - US)]
    assert made(embedded, left_before_the_end, [seen(True, end)]) == []
    left_at_the_end = [event(ON, at(1)), event(OFF, end)]
    assert made(embedded, left_at_the_end, [seen(True, end)]) == [(1, end + US, ON, "honor")]


def test_who_came_as_the_import_began_is_no_absentee(embedded: Engine) -> None:
    others = [seen(False, at(30), user=2)]
    start = at(30) - 5 * MINUTE
    assert made(embedded, [event(ON, start)], others) == []
    assert made(embedded, [event(ON, start - US)], others) == [(1, start, OFF, "honor")]


@pytest.mark.parametrize(
    ("created", "begins"),
    [(at(2) - US, at(2) - US), (at(2), at(2) - US), (at(2) - 2 * US, at(2) - 2 * US)],
)
def test_an_enrollment_begins_before_the_first_event(
    embedded: Engine, created: datetime, begins: datetime
) -> None:
    events = [event(OFF, at(2))]
    assert made(embedded, events, [seen(False, at(30), created=created)]) == [(1, begins, ON, "honor")]


def test_only_up_to_the_last_day(embedded: Engine) -> None:
    events = embedded.table(pa.Table.from_pylist([event(OFF, at(3), user=2)], EVENTS))
    rows = [seen(True, at(9), created=at(5)), seen(True, at(9), user=2, created=at(1))]
    validations = embedded.table(pa.Table.from_pylist(rows, VALIDATION.schema))

    def learners(last_day: date) -> list[int]:
        found = embedded.fetch(with_gaps_filled(events, validations, last_day))
        assert found.column_names == EVENTS.names
        return sorted(found["user_id"].to_pylist())

    assert learners(at(9).date()) == [1, 2, 2, 2]
    assert learners(at(5).date()) == [1, 2, 2, 2]
    assert learners(at(4).date()) == [2, 2, 2]


# --- Against the rules written down once more, step by step ------------------------------------------------


REPAIRS = {
    (ON, "seen off"): OFF, (OFF, "seen on"): ON, ("seen on", "seen off"): OFF, ("seen off", "seen on"): ON,
}  # fmt: skip


def walked(events: list[Row], validations: list[Row]) -> list[Made]:
    """spec 01 §9.2.2, literally: one learner, backwards in time. What changes no state is left out."""
    made: list[Made] = []
    state, state_time, mode, next_type, created = "", datetime(2099, 1, 1), "", "", None
    for step in in_turn(events, validations):
        time: datetime = step["time"]
        kind = REPAIRS.get((step["state"], state))
        if kind is not None:
            time += US
            made.append((1, time, kind, step["mode"]))
        if mode and step["mode"] != mode and next_type not in (ON, MODE):
            made.append((1, time + US, MODE, mode))
        if step["state"] != MODE:
            state, state_time = step["state"], step["time"]
        mode, next_type, created = step["mode"], step["type"], step.get("created", created)
    if created is not None and state in ("seen on", OFF):
        made.append((1, min(created, state_time - US), ON, mode))
    return sorted(made)


def in_turn(events: list[Row], validations: list[Row]) -> list[Row]:
    """The latest first; a validation that an event of its own time contradicts stands before that."""
    kinds = [row["event_type"].rpartition(".")[2] for row in events]
    steps = [
        {"time": row["time"], "type": kind, "state": kind, "mode": row["mode"]}
        for row, kind in zip(events, kinds, strict=True)
    ]
    steps += [
        {**row, "time": row["dump_end"], "type": "validated", "state": f"seen {SEEN[row['is_active']]}"}
        for row in validations
    ]
    steps.sort(key=lambda step: (step["time"], step["type"], step["mode"]), reverse=True)
    for place in range(len(steps) - 1):
        v, e = steps[place : place + 2]
        if v["type"] == "validated" and e["type"] != "validated" and v["dump_start"] < e["time"]:
            against = (e["type"], v["is_active"]) in ((ON, False), (OFF, True))
            if against or (e["type"] == MODE and e["mode"] != v["mode"]):
                v["time"] = e["time"] - US
                steps[place : place + 2] = e, v
    return steps


SEEN = {True: "on", False: "off"}
MOMENTS = st.integers(0, 60).map(lambda minute: at(5) + minute * MINUTE)
MODES = st.sampled_from(["audit", "honor"])
SOME_EVENTS = st.lists(
    st.builds(event, st.sampled_from([ON, OFF, MODE]), MOMENTS, MODES),
    max_size=6,
    unique_by=lambda row: row["time"],
)
SOME_IMPORTS = st.lists(
    st.builds(
        seen, st.booleans(), st.integers(1, 6).map(lambda n: at(5) + 10 * n * MINUTE + MINUTE / 2), MODES,
        st.just(at(1)), st.just(1), st.sampled_from([1, 5]),
    ),
    min_size=1, max_size=3, unique_by=lambda row: row["dump_end"],
)  # fmt: skip


@given(SOME_EVENTS, SOME_IMPORTS)
@settings(max_examples=40, deadline=None)
def test_as_written_down(embedded: Engine, events: list[Row], validations: list[Row]) -> None:
    found = made(embedded, events, validations)
    assert found == walked(events, validations)
    during = [e for v in validations for e in events if v["dump_start"] < e["time"] < v["dump_end"]]
    if not during:  # a moved validation may leave no room between two events
        repaired = events + [event(kind, time, mode) for _, time, kind, mode in found]
        assert made(embedded, repaired, validations) == []  # §11.134: nothing is left to repair
