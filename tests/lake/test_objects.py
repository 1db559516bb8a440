"""A lake in a bucket: whatever writers, networks and stores do, each event is in it once."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyarrow import fs
from tests import s3
from tests.lake.place import NOW, Place
from tests.lake.strategies import regular

from pharos.engine import Engine
from pharos.errors import Busy
from pharos.lake import lease, ledger
from pharos.lake.backup import NotEqual, copy_lake, prove
from pharos.lake.damage import DataFilesDamaged
from pharos.lake.ingest import ingest
from pharos.lake.lake import Lake
from pharos.lake.lease import PlaceUnfit
from pharos.lake.logs import discover, named_sources
from pharos.lake.objects import Objects
from pharos.lake.place import Unreachable
from pharos.lake.places import lake_at
from pharos.lake.repair import repair
from pharos.lake.salvage import rebuild
from pharos.lake.verify import verify

pytestmark = pytest.mark.xdist_group("s3")
WRITES = ("put", "put_new", "remove", "_upload")


@pytest.fixture
def cloud(bucket_url: str, embedded: Engine, tmp_path: Path) -> Place:
    """An empty lake in a bucket."""
    return Place(tmp_path / "here", embedded, bucket_url)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Three logs of ten events, of which five are in two of them, and a line that is none."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for number in range(3):
        lines = [regular(event) for event in range(number * 10 - 5 * (number > 0), number * 10 + 10)]
        (folder / f"tracking.log-{number}").write_bytes(b"\n".join([*lines, b"no event", b""]))
    return folder


def elsewhere(place: Place, name: str) -> Place:
    """The same lake as another machine sees it."""
    return Place(place.root.with_name(name), place.engine, place.url)


def hosts(place: Place) -> list[int]:
    return sorted(int(row["host"]) for row in place.events())


def is_whole(place: Place) -> bool:
    """Whether it holds the events of `logs` once, and nothing else, and all of it is as it was written."""
    seen = elsewhere(place, "seen")
    files = seen.lake.place.sizes("events")
    named = {file.path for files in seen.lake.state.events.values() for file in files}
    return (
        hosts(seen) == list(range(30))
        and len(seen.quarantine()) == 3
        and not verify(seen.lake, NOW).damaged
        and named <= files.keys()
        and seen.status.sum.closes
    )


# --- One writer ------------------------------------------------------------------------------------------


def test_a_second_writer_is_sent_away_and_the_next_begins_at_once(cloud: Place, logs: Path) -> None:
    with cloud.lake.locked(), pytest.raises(Busy, match=r"s3://.*another run is writing"):
        elsewhere(cloud, "other").read(logs)
    elsewhere(cloud, "other").read(logs)
    cloud.read(logs)
    assert is_whole(cloud)


def test_of_many_writers_at_once_one_gets_the_lease(cloud: Place) -> None:
    taken, begin = [], threading.Barrier(6)

    def take() -> None:
        begin.wait()
        try:
            with cloud.lake.place.alone():
                taken.append(1)
                ended.wait()
        except Busy:
            pass

    for _ in range(3):
        ended = threading.Event()
        writers = [threading.Thread(target=take) for _ in range(6)]
        for writer in writers:
            writer.start()
        while sum(writer.is_alive() for writer in writers) > 1:
            time.sleep(0.01)
        ended.set()
        for writer in writers:
            writer.join()
    assert len(taken) == 3


def test_a_lease_lasts_as_long_as_its_writer_and_not_much_longer(
    cloud: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LEASE_S", 6)  # a busy machine renews seconds late
    with cloud.lake.place.alone() as hold:
        time.sleep(8)
        with pytest.raises(Busy), cloud.lake.place.alone():
            pass
        hold.check()
        with monkeypatch.context() as patch:
            patch.setattr(lease, "_quietly", lambda _: None)  # as if it hung
            time.sleep(8)
        with cloud.lake.place.alone() as other:
            assert other.is_taken_over
            assert other.number > hold.number
            with pytest.raises(Busy, match="silent for more than 6 seconds"):
                hold.check()
            other.check()


def test_a_store_that_ignores_conditions_is_refused(
    s3_address: str, cloud: Place, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with s3.gate(s3_address) as gate:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{gate.port}")
        gate.ignores_conditions = True
        with pytest.raises(PlaceUnfit, match=r"If-None-Match.*nothing was written"):
            cloud.read(logs)
    assert not cloud.lake.place.sizes("ledger")


# --- Killed, slow ----------------------------------------------------------------------------------------


class Killed(BaseException):
    """As a process that ends: nothing that it would still do is done."""


def killed_at(monkeypatch: pytest.MonkeyPatch, moment: int) -> Callable[[], bool]:
    """Let the writer die when it writes to the store for this time; whether it has come to that."""
    left = iter(range(moment))

    def dying(call: Callable[..., Any]) -> Callable[..., Any]:
        def write(*args: Any, **kwargs: Any) -> Any:
            if next(left, None) is None:
                raise Killed
            return call(*args, **kwargs)

        return write

    for name in WRITES:
        monkeypatch.setattr(Objects, name, dying(getattr(Objects, name)))
    return lambda: next(left, None) is None


# Of an ingestion: some of its writes to the store, and the others for a cluster.
MOMENTS = [
    pytest.param(moment, marks=[] if moment in {3, 9, 13, 16} else [pytest.mark.cluster])
    for moment in range(45)
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_writer_leaves_nothing_half_done(
    cloud: Place, logs: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    monkeypatch.setattr(ledger, "FOLD_AFTER", 2)
    with monkeypatch.context() as patch:
        has_come = killed_at(patch, moment)
        try:
            cloud.read(logs / "tracking.log-0")
            cloud.read(logs)
        except Killed:
            assert has_come()
    monkeypatch.setattr(lease, "_is_old", lambda *_: True)
    elsewhere(cloud, "next").read(logs)
    assert is_whole(cloud)


class Slow:
    """A writer that stops before a call, lets others work, and goes on as if nothing had happened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, call: str, meanwhile: Callable[[], object]) -> None:
        self.is_done = False
        original = getattr(Objects, call)

        def stopped(place: Objects, *args: Any) -> Any:
            if not self.is_done and "here" in str(place.copies) and "ledger" in str(args) + call:
                self.is_done = True
                meanwhile()
            return original(place, *args)

        monkeypatch.setattr(Objects, call, stopped)


@pytest.mark.parametrize("folds", [False, True])
def test_a_writer_that_lost_its_lease_cannot_commit(
    cloud: Place, logs: Path, monkeypatch: pytest.MonkeyPatch, *, folds: bool
) -> None:
    """Also not if its number is free again, because the commits since were folded into one."""
    monkeypatch.setattr(ledger, "FOLD_AFTER", 0 if folds else 50)
    monkeypatch.setattr(lease, "_is_old", lambda *_: True)
    slow = Slow(monkeypatch, "put_new", lambda: elsewhere(cloud, "other").read(logs))
    with pytest.raises(Busy, match="another run has written commit 1 meanwhile"):
        cloud.read(logs)
    assert slow.is_done
    assert is_whole(cloud)
    assert cloud.read(logs).lines == 0


def test_a_writer_that_lost_its_lease_cannot_commit_what_its_successor_cleared_away(
    cloud: Place, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also not if that one has nothing of its own to commit."""
    monkeypatch.setattr(lease, "_is_old", lambda *_: True)

    def clear() -> None:
        with elsewhere(cloud, "other").lake.locked():
            pass

    Slow(monkeypatch, "put_new", clear)
    with pytest.raises(Busy, match="another run has written commit 1 meanwhile"):
        cloud.read(logs)
    assert not cloud.lake.place.sizes("events")
    cloud.read(logs)
    assert is_whole(cloud)


def test_a_writer_that_lost_its_lease_removes_nothing_of_its_successor(
    cloud: Place, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sees files that no commit names which it knows."""
    monkeypatch.setattr(lease, "_is_old", lambda *_: True)
    lake = cloud.lake
    with lake.locked():
        elsewhere(cloud, "other").read(logs)
        lake.clear_leftovers()
    assert is_whole(cloud)


def test_files_are_not_removed_while_somebody_reads(cloud: Place, logs: Path) -> None:
    for log in sorted(logs.iterdir()):
        cloud.read(log)
    reader = elsewhere(cloud, "reader").lake
    with reader.reading():
        with cloud.lake.locked():
            lake = cloud.lake
            [old] = {file.path for files in lake.state.events.values() for file in files[:1]}
            lake.state.removed.append(old)
            lake.state.events = {}
            lake.clear_leftovers()
        assert old in lake.place.sizes("events")
        assert len(reader.events()) == 3


# --- The network -----------------------------------------------------------------------------------------


@pytest.fixture
def gate(s3_address: str, bucket: fs.FileSystem, monkeypatch: pytest.MonkeyPatch) -> Iterator[s3.Gate]:
    """What stands between the lake and its store; it is tried again without delay."""
    assert bucket is not None
    soon = {"init_backoff": timedelta(milliseconds=1), "max_backoff": timedelta(milliseconds=5), "base": 2}
    monkeypatch.setattr("pharos.lake.objects.RETRIES", {"backoff": soon, "max_retries": 10})
    with s3.gate(s3_address) as gate:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{gate.port}")
        yield gate


def test_a_store_that_has_no_time_and_answers_that_are_lost(gate: s3.Gate, cloud: Place, logs: Path) -> None:
    draw = random.Random(1)
    gate.answers_503 = lambda: draw.random() < 0.2
    gate.loses_answer = lambda: draw.random() < 0.3
    cloud.read(logs / "tracking.log-0")
    cloud.read(logs)
    assert is_whole(cloud)


def test_a_store_that_never_has_time_is_named(gate: s3.Gate, cloud: Place, logs: Path) -> None:
    cloud.read(logs / "tracking.log-0")
    lake = cloud.lake

    def interrupted() -> None:
        with lake.locked():
            gate.answers_503 = lambda: True
            ingest(lake, cloud.engine, discover(named_sources([str(logs)])), NOW)

    with pytest.raises(Unreachable, match=r"s3://.*SlowDown.*nothing that was already in the lake is lost"):
        interrupted()
    with pytest.raises(Unreachable):
        _ = cloud.lake


def test_each_file_is_brought_here_once(gate: s3.Gate, cloud: Place, logs: Path) -> None:
    cloud.read(logs)
    other = elsewhere(cloud, "other").lake
    gate.requests.clear()
    days = list(other.state.events)
    assert other.events(days) == other.events(days)
    assert sum(request.startswith("GET") and "events" in request for request in gate.requests) == len(
        other.events()
    )


# --- Damage, copies --------------------------------------------------------------------------------------


def test_damage_is_seen_in_the_store_and_in_the_copy(cloud: Place, logs: Path, bucket: fs.FileSystem) -> None:
    cloud.read(logs)
    lake = cloud.lake
    [copy] = {str(path) for path in lake.events()}
    whole = Path(copy).read_bytes()
    Path(copy).write_bytes(whole[:-1] + b"?")
    assert lake.events(list(lake.state.events)) == [Path(copy)]  # brought anew
    assert Path(copy).read_bytes() == whole
    assert cloud.url is not None
    [file] = [file for files in lake.state.events.values() for file in files]
    with bucket.open_output_stream(f"{cloud.url.removeprefix('s3://')}/{file.path}") as stream:
        stream.write(whole[:-1] + b"?")
    assert [one.path for one in verify(lake, NOW).damaged] == [file.path]
    with pytest.raises(DataFilesDamaged, match="does not fit its checksum"):
        lake.events(list(lake.state.events))


def test_what_is_damaged_in_the_store_is_made_anew_from_the_logs(cloud: Place, logs: Path) -> None:
    cloud.read(logs)
    lake = cloud.lake
    for name in [*lake.place.sizes("events"), *lake.place.sizes("quarantine")]:
        lake.place.put(name, lake.place.read(name)[:-9])
    with pytest.raises(DataFilesDamaged):
        elsewhere(cloud, "other").read(logs)
    with lake.alone():
        assert repair(lake, cloud.engine, [], NOW, in_place=list).restored == 30
    assert is_whole(cloud)
    lake.place.remove("ledger/head")
    assert not rebuild(lake_at(str(cloud.url), cloud.root, is_read=False), NOW).was_whole
    cloud.read(logs)
    assert is_whole(cloud)


def test_a_lake_is_copied_into_a_bucket_and_back(place: Place, cloud: Place, logs: Path) -> None:
    place.read(logs / "tracking.log-0")
    copy_lake(place.lake, cloud.lake)
    place.read(logs)
    lake = place.lake
    assert copy_lake(lake, cloud.lake).new_files < copy_lake(lake, Lake(cloud.root / "again")).new_files
    assert prove(lake, cloud.lake).events == 30
    back = Place(cloud.root / "back", place.engine)
    copy_lake(cloud.lake, back.lake)
    assert prove(cloud.lake, back.lake) == prove(lake, cloud.lake)
    assert back.events() == place.events()
    assert cloud.read(logs).lines == back.read(logs).lines == 0
    file = next(file for files in lake.state.events.values() for file in files)
    cloud.lake.place.put(file.path, b"something else")
    cloud.lake.place.let_go(file.path)
    with pytest.raises(NotEqual, match=r"Copy again"):
        prove(lake, cloud.lake)
