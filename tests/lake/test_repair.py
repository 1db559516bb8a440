"""Damaged files come back from the logs exactly, or not at all unless somebody says so."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
from tests.lake.harm import HARMS
from tests.lake.place import NOW, Place
from tests.lake.strategies import regular

from pharos.lake import land, reader
from pharos.lake import repair as repair_
from pharos.lake.addresses import forget_addresses
from pharos.lake.damage import DataFilesDamaged
from pharos.lake.data_files import read_quarantine
from pharos.lake.logs import discover, named_sources
from pharos.lake.repair import Repaired, repair
from pharos.lake.verify import verify

LOGS = 8


def countries(addresses: Sequence[str | None]) -> list[str | None]:
    return ["country:IE" for _ in addresses]


def repaired(place: Place, *logs: Path, accept_loss: bool = False) -> Repaired:
    lake = place.lake
    with lake.alone():
        return repair(
            lake, place.engine, discover(named_sources(map(str, logs))), NOW,
            in_place=countries, accept_loss=accept_loss,
        )  # fmt: skip


@pytest.fixture
def logs(place: Place, tmp_path: Path) -> list[Path]:
    """Logs of two days that share some events, with lines that are none, one cut off at its end; all read."""
    paths = []
    for number in range(LOGS):
        path = tmp_path / "logs" / f"tracking.log-{number}"
        path.parent.mkdir(exist_ok=True)
        events = [regular(5 * number + item) for item in range(7)]  # the last two are in the next one, too
        events.append(events[0].replace(b"2024-03-02T09", b"2024-03-03T10"))
        events.insert(3, b"no event %d" % number)
        path.write_bytes(b"\n".join([*events, b'{"time": "2024-03-0' if number == 4 else b""]))
        place.read(path)
        paths.append(path)
    return paths


def test_whatever_is_damaged_is_restored_while_the_logs_are_there(place: Place, logs: list[Path]) -> None:
    events, quarantine, status = place.events(), place.quarantine(), place.status
    logs[4].write_bytes(logs[4].read_bytes() + b'2T08:00:00Z","name":"x","host":"later"}\n')  # not read yet
    for seed in range(12):
        draw, lake = random.Random(seed), place.lake
        files = [*lake.events(), *lake.quarantine()]
        for path in draw.sample(files, draw.randint(1, len(files))):
            draw.choice(HARMS)(draw, path)
        done = repaired(place)
        assert done.is_whole
        assert not done.lost
        assert not verify(place.lake, NOW).damaged
        found = place.events()
        assert [(row["event_id"], row["time"]) for row in by_id(found)] == [
            (row["event_id"], row["time"]) for row in by_id(events)
        ]
        assert sorted(place.quarantine()) == sorted(quarantine)
        assert (place.status.sum, place.status.days) == (status.sum, status.days)
    place.read(*logs)
    assert "later" in {row["host"] for row in place.events()}
    assert len(place.events()) == len(events) + 1


def by_id(events: list[dict[str, object]]) -> list[dict[str, object]]:
    return sorted(events, key=lambda row: str(row["event_id"]))


def test_much_is_restored_in_batches_of_few(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two logs share a third of a day's events; every fifth line is none."""
    monkeypatch.setattr(land, "PART_LINES", 40)
    monkeypatch.setattr(land, "REFUSED_LINES", 10)
    logs = [tmp_path / f"tracking.log-{number}" for number in range(2)]
    for number, path in enumerate(logs):
        first = 200 * number
        lines = [regular(item) for item in range(first, first + 300)]
        lines = [b"no event %d" % at if at % 5 == 0 else line for at, line in enumerate(lines)]
        path.write_bytes(b"\n".join(lines) + b"\n")
        monkeypatch.setattr(reader, "BLOCK_BYTES", 10 * len(lines[1]))
        place.read(path)
    events, quarantine, status = place.events(), place.quarantine(), place.status
    lake = place.lake
    assert len(lake.events()) > 2
    kept = next(iter(lake.state.events.values()))[0].rows
    refused = sum(len(list(read_quarantine(path))) for path in lake.quarantine()[2:9])
    for path in [*lake.events()[1:], *lake.quarantine()[2:9]]:
        path.unlink()
    held = []
    end = repair_._Batch.end  # noqa: SLF001

    def looked_at(batch: repair_._Batch) -> None:
        held.append(sum(map(len, batch._tables)))  # noqa: SLF001
        end(batch)

    monkeypatch.setattr(repair_._Batch, "end", looked_at)  # noqa: SLF001
    monkeypatch.setattr(repair_, "ROWS_AT_ONCE", 30)
    done = repaired(place)
    assert done.is_whole
    assert (done.restored, done.lines) == (len(events) - kept, refused)
    assert 30 <= max(held) < 30 + 50  # a batch, and a part of a log that is added to it
    assert len(held) > len(events) / (30 + 50)
    assert by_id(place.events()) == by_id(events)
    assert sorted(place.quarantine()) == sorted(quarantine)
    assert (place.status.sum, place.status.days) == (status.sum, status.days)
    assert not verify(place.lake, NOW).damaged
    place.read(*logs)
    assert len(place.events()) == len(events)


def test_several_lines_of_one_record_are_several(place: Place, tmp_path: Path) -> None:
    """A record of a collector holds two lines that are none: they have one number, and neither is lost."""
    log, other = tmp_path / "one.log", tmp_path / "two.log"
    record = json.dumps([json.loads(regular(1)), {"no": "event"}, {"nor": "this"}]).encode()
    log.write_bytes(record + b"\n")
    other.write_bytes(b"rubbish\n")
    place.read(log)
    place.read(other)
    before = place.quarantine()
    assert [line for line, _, _ in before] == [1, 1, 1]
    for damaged in place.lake.quarantine():
        damaged.unlink()
        done = repaired(place)
        assert (done.is_whole, done.lost_lines) == (True, 0)
        assert sorted(place.quarantine()) == sorted(before)


def test_logs_that_have_another_name_now_are_found_by_their_content(place: Place, logs: list[Path]) -> None:
    events = place.events()
    for path in place.lake.events():
        path.unlink()
    elsewhere = logs[0].parent.with_name("elsewhere")
    logs[0].parent.rename(elsewhere)
    with pytest.raises(DataFilesDamaged):
        place.read()
    assert not repaired(place).is_whole
    assert repaired(place, elsewhere).is_whole
    assert by_id(place.events()) == by_id(events)


def test_what_the_logs_do_not_give_back_is_lost_only_if_a_person_says_so(
    place: Place, logs: list[Path]
) -> None:
    events = {row["event_id"]: row["source"] for row in place.events()}
    lake = place.lake
    for path in lake.events():
        path.write_bytes(b"")
    for path in logs[:3]:
        path.unlink()
    before = lake.state
    done = repaired(place)
    assert not done.is_whole
    assert sorted(done.missing) == sorted(map(str, logs[:3]))
    lost = sum(loss.events for loss in done.lost)
    assert 0 < lost < len(events)
    assert place.lake.state == before
    done = repaired(place, accept_loss=True)
    assert done.is_whole
    assert done.restored == len(events) - lost
    found = {row["event_id"] for row in place.events()}
    # An event of a lost log that the next one has as well comes back from there.
    assert {id_ for id_, source in events.items() if source not in map(str, logs[:3])} <= found
    assert found < events.keys()
    assert sum(loss.events for loss in place.lake.state.lost) == lost
    place.read(*logs[3:])
    assert {row["event_id"] for row in place.events()} == found


def test_addresses_that_were_forgotten_do_not_come_back(place: Place, logs: list[Path]) -> None:
    lake = place.lake
    with lake.locked():
        forget_addresses(lake, place.engine, NOW.date(), countries, NOW)
    before = by_id(place.events())
    for path in lake.events():
        path.unlink()
    done = repaired(place, *logs)
    assert done.is_whole
    assert by_id(place.events()) == before
    assert all(file.without_addresses for files in place.lake.state.events.values() for file in files)


def test_a_whole_lake_is_left_alone(place: Place, logs: list[Path]) -> None:
    before = place.lake.state
    assert repaired(place, *logs) == Repaired()
    assert place.lake.state == before
    assert before.at != datetime(2024, 1, 1)
