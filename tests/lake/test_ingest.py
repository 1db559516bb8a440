"""Each event exactly once, however its log is delivered; each line accounted for."""

from __future__ import annotations

import gzip
import itertools
import json
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import zstandard
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.lake import naive
from tests.lake.place import NOW, Place
from tests.lake.strategies import lines, regular

from pharos.engine import Engine
from pharos.lake import logs as log_files
from pharos.lake.ingest import ingest
from pharos.lake.parse import Reason


def gzip_members(data: bytes) -> bytes:
    """As log rotation that appends to a compressed file leaves it."""
    middle = len(data) // 2
    return gzip.compress(data[:middle]) + gzip.compress(data[middle:])


def zstd_frames(data: bytes) -> bytes:
    middle = len(data) // 3
    compress = zstandard.ZstdCompressor().compress
    return compress(data[:middle]) + compress(data[middle:])


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda data: data,
    "gzip": gzip.compress,
    "gzip in members": gzip_members,
    "zstd in frames": zstd_frames,
}
packings = st.sampled_from(sorted(PACKINGS)).map(PACKINGS.__getitem__)


def agree(place: Place, expected: naive.Counted) -> None:
    """The lake holds the events of the second opinion, and the sum is as it says."""
    events = {row["event_id"]: row for row in place.events()}
    assert len(place.events()) == len(events), "an event is there twice"
    seen = {key: {name: row[name] for name in expected_row(row)} for key, row in events.items()}
    assert seen == expected.events
    total = place.status.sum
    assert (total.lines, total.blank, sum(total.quarantined.values()), total.duplicates) == (
        expected.lines, expected.blank, expected.refused, expected.duplicates,
    )  # fmt: skip
    assert total.closes
    assert all(log.sum.closes for log in place.status.logs)


def expected_row(row: dict[str, Any]) -> list[str]:
    return [name for name in row if name in COLUMNS]


COLUMNS = set(naive.event(regular(0)) or ())


# Each example fills a lake: what fails is small enough as it is drawn.
examples = settings(deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))


# --- Any order, split, overlap ---------------------------------------------------------------------------


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[bytes]]:
    """The content of files, by run: the same lines in any order, some again, split anyhow."""
    pool = draw(st.lists(lines(), min_size=1, max_size=15))
    again = draw(st.lists(st.sampled_from(pool), max_size=10))
    order = draw(st.permutations(pool + again))
    cuts = sorted(draw(st.sets(st.integers(1, len(order)), max_size=5)) | {0, len(order)})
    files = [b"".join(line + b"\n" for line in order[start:end]) for start, end in itertools.pairwise(cuts)]
    if draw(st.booleans()):
        files[-1] = files[-1].removesuffix(b"\n")
    return [files[run::3] for run in range(3)]


pytestmark = pytest.mark.everywhere


@settings(examples, max_examples=30)
@given(runs=deliveries(), packing=packings)
def test_any_delivery_of_the_same_lines_gives_the_same_events(
    embedded: Engine, runs: list[list[bytes]], packing: Callable[[bytes], bytes]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder) / "lake", embedded)
        logs = Path(folder) / "logs"
        logs.mkdir()
        for run, files in enumerate(runs):
            for number, content in enumerate(files):
                (logs / f"tracking.log-{run}{number}").write_bytes(packing(content))
            place.read(logs)
        agree_on_events(place, naive.count(content for files in runs for content in files))
        assert place.read(logs).lines == 0


def agree_on_events(place: Place, expected: naive.Counted) -> None:
    """Where files may hold one another, how often a line was read is not fixed; the events are."""
    events = {row["event_id"]: row for row in place.events()}
    assert len(place.events()) == len(events)
    assert {key: {name: row[name] for name in COLUMNS} for key, row in events.items()} == expected.events
    assert place.status.sum.closes


# --- A server's logs over time ---------------------------------------------------------------------------


# A line that is an event until more is written behind it cannot be taken back.
written_lines = lines().filter(lambda line: not line.endswith(b" x"))


class LogsOverTime(RuleBasedStateMachine):
    """Live logs grow, are rotated, compressed and copied, between runs; each beginning is like no other."""

    engine: Engine

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        root = Path(self._folder.name)
        self.logs = root / "logs"
        self.logs.mkdir()
        self.place = Place(root / "lake", self.engine)
        self.contents: list[bytearray] = []  # of each log there ever was; the last is the live one
        self.files: dict[Path, int] = {}  # rotated, still plain: number of its log
        self.numbers = itertools.count()
        self.unwritten = b""  # of the live log's last line
        self.is_read = False

    def teardown(self) -> None:
        self._folder.cleanup()

    @property
    def live(self) -> Path:
        return self.logs / "tracking.log"

    def begin(self) -> None:
        self.contents.append(bytearray(regular(1000 + len(self.contents)) + b"\n"))
        self.live.write_bytes(self.contents[-1])
        self.is_read = False

    def new_name(self, kind: str = "") -> Path:
        return self.logs / f"tracking.log-{next(self.numbers)}{kind}"

    @initialize()
    def first(self) -> None:
        self.begin()

    @rule(
        added=st.lists(written_lines, min_size=1, max_size=4),
        is_whole=st.booleans(),
        missing=st.integers(1, 30),
    )
    def grow(self, added: list[bytes], missing: int, *, is_whole: bool) -> None:
        """New lines; the last may not be written to its end yet, which the next growth makes up for."""
        if not self.contents[-1].endswith(b"\n"):
            self.complete()
        data = b"".join(line + b"\n" for line in added)
        self.unwritten = b"" if is_whole else data[-missing:]
        self.append(data[: len(data) - len(self.unwritten)])

    @precondition(lambda self: self.unwritten)
    @rule()
    def complete(self) -> None:
        self.append(self.unwritten)
        self.unwritten = b""

    def append(self, data: bytes) -> None:
        self.contents[-1] += data
        with self.live.open("ab") as file:
            file.write(data)
        self.is_read = False

    @precondition(lambda self: len(self.contents) < 6)
    @rule()
    def rotate_by_rename(self) -> None:
        path = self.new_name()
        self.live.rename(path)
        self.files[path] = len(self.contents) - 1
        self.unwritten = b""
        self.begin()

    @precondition(lambda self: len(self.contents) < 6)
    @rule()
    def copy_and_truncate(self) -> None:
        path = self.new_name()
        path.write_bytes(self.live.read_bytes())
        self.files[path] = len(self.contents) - 1
        self.unwritten = b""
        self.begin()

    @precondition(lambda self: self.files)
    @rule(packing=packings, data=st.data())
    def compress(self, packing: Callable[[bytes], bytes], data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(sorted(self.files)))
        self.new_name(".packed").write_bytes(packing(bytes(self.contents[self.files.pop(path)])))
        path.unlink()

    @precondition(lambda self: self.is_read)  # of an older state it would be a log of its own
    @rule(packing=packings, data=st.data())
    def deliver_again(self, packing: Callable[[bytes], bytes], data: st.DataObject) -> None:
        """A copy of a log, beside it."""
        number = data.draw(st.integers(0, len(self.contents) - 1))
        self.new_name(".again").write_bytes(packing(bytes(self.contents[number])))

    @rule()
    def read(self) -> None:
        self.place.read(self.logs)
        agree(self.place, naive.count(map(bytes, self.contents)))
        assert self.place.read(self.logs).lines == 0
        self.is_read = True

    @rule()
    def touch(self) -> None:
        self.live.touch()

    @invariant()
    def nothing_new_without_change(self) -> None:
        if self.is_read:
            assert self.place.read(self.logs).lines == 0


@pytest.mark.slow
def test_logs_over_time(embedded: Engine) -> None:
    machine = type("Machine", (LogsOverTime,), {"engine": embedded})
    run_state_machine_as_test(machine, settings=settings(examples, max_examples=25, stateful_step_count=20))


# --- Duplicates are equal in every byte ------------------------------------------------------------------


@settings(examples, max_examples=15)
@given(place_of_change=st.integers(0, 200), bit=st.sampled_from([1, 2, 4]))
def test_two_lines_that_differ_in_any_byte_are_two_events(
    embedded: Engine, place_of_change: int, bit: int
) -> None:
    line = regular(1)
    other = bytearray(line)
    other[place_of_change % len(line)] ^= bit
    if b"\n" in other:
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder) / "lake", embedded)
        (Path(folder) / "tracking.log").write_bytes(line + b"\n" + bytes(other) + b"\n" + line + b"\n")
        place.read(Path(folder) / "tracking.log")
        assert place.status.sum.events == 1 + (naive.event(bytes(other)) is not None)
        assert place.status.sum.duplicates == 1


def test_files_of_a_day_are_merged_whatever_else_was_read_with_them(place: Place, tmp_path: Path) -> None:
    for number in range(12):
        other_day = (
            b'{"name":"x","time":"2024-03-01T09:00:00+00:00","host":"%d"}\n' % number if number % 2 else b""
        )
        (tmp_path / f"{number}.log").write_bytes(regular(number) + b"\n" + other_day)
        place.read(tmp_path / f"{number}.log")
    assert len(place.lake.events()) < 12
    assert place.status.sum.events == len(place.events()) == 18


# --- What real disks do ----------------------------------------------------------------------------------


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder for logs alone."""
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


def log_of(*numbers: int) -> bytes:
    return b"".join(regular(number) + b"\n" for number in numbers)


def hosts(place: Place) -> list[int]:
    return sorted(int(row["host"]) for row in place.events())


@pytest.mark.parametrize("pack", [gzip.compress, gzip_members, zstd_frames])
def test_a_truncated_file_counts_up_to_the_cut_and_is_completed_later(
    place: Place, logs: Path, pack: Callable[[bytes], bytes]
) -> None:
    path, whole = logs / "tracking.log-20240302.gz", pack(random_log(3000))
    path.write_bytes(whole[: len(whole) * 2 // 3])
    result = place.read(path)
    assert str(path) in result.problems
    before = hosts(place)
    assert 500 < len(before) < 3000
    assert before == list(range(len(before)))
    assert place.status.sum.quarantined == {Reason.INCOMPLETE: 1}
    assert place.status.logs[0].problem == result.problems[str(path)]
    assert place.read(path).lines == 0
    path.write_bytes(whole)
    assert place.read(path).problems == {}
    assert hosts(place) == list(range(3000))
    assert place.status.sum.lines == 3000
    assert not place.status.sum.quarantined
    assert place.status.logs[0].problem is None


def random_log(size: int) -> bytes:
    """Lines that do not compress to nothing."""
    draw = random.Random(1)
    return b"".join(
        b'{"name":"x","host":"%d","time":"2024-03-02T09:00:00+00:00","session":"%d"}\n'
        % (number, draw.getrandbits(200))
        for number in range(size)
    )


def test_all_that_precedes_the_damage_of_a_file_is_read(place: Place, logs: Path) -> None:
    content = random_log(3000)
    packed = bytearray(gzip.compress(content))
    packed[-6] ^= 1  # of the checksum: that the content is not what was written shows at its end
    (logs / "tracking.log-1.gz").write_bytes(packed)
    lines = content.splitlines(keepends=True)
    frames = [zstandard.compress(b"".join(lines[number : number + 20])) for number in range(0, 3000, 20)]
    (logs / "tracking.log-2.zst").write_bytes(b"".join([*frames[:80], b"\xff" * 100, *frames[80:]]))

    assert place.read(logs / "tracking.log-1.gz").lines in range(2997, 3001)
    again = place.read(logs)
    assert (again.lines, again.events) == (80 * 20, 0)
    assert [why.partition(":")[0] for why in again.problems.values()] == ["zstd data is damaged"]
    assert place.status.sum.closes


def test_a_damaged_file_does_not_keep_others_from_being_read(place: Place, logs: Path) -> None:
    damaged = bytearray(gzip.compress(random_log(3000)))
    damaged[len(damaged) // 2 :] = b"\0" * 100
    (logs / "tracking.log-1.gz").write_bytes(damaged)
    (logs / "tracking.log-2").write_bytes(log_of(5000, 5001))
    (logs / "tracking.log-3.gz").write_bytes(b"\x1f\x8b")
    (logs / "tracking.log-4.zst").write_bytes(b"\x28\xb5\x2f\xfd")
    result = place.read(logs)
    assert sorted(Path(path).name for path in result.problems) == [
        "tracking.log-1.gz", "tracking.log-3.gz", "tracking.log-4.zst",
    ]  # fmt: skip
    assert hosts(place)[-2:] == [5000, 5001]
    assert sorted(Path(path).name for path in place.status.unreadable) == [
        "tracking.log-3.gz",
        "tracking.log-4.zst",
    ]
    assert place.status.sum.closes


class Meanwhile:
    """An engine before whose work something happens to the logs, once."""

    def __init__(self, engine: Engine, happens: Callable[[], object]) -> None:
        self._engine, self._happens = engine, happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        self._happens()
        self._happens = lambda: None
        return self._engine.map(function, items)


@pytest.mark.parametrize("new", [log_of(100), log_of(*range(100, 200))], ids=["shorter", "longer"])
def test_a_log_that_is_rotated_while_it_is_read(place: Place, logs: Path, new: bytes) -> None:
    live, rotated = logs / "tracking.log", logs / "tracking.log-1"
    live.write_bytes(log_of(*range(10)))
    place.read(logs)
    live.write_bytes(log_of(*range(20)))

    def rotate() -> None:
        live.rename(rotated)
        live.write_bytes(new)

    replace(place, engine=cast("Engine", Meanwhile(place.engine, rotate))).read(live)
    nothing_to_tell(place)
    place.read(logs)
    assert hosts(place) == sorted([*range(20), *(int(json.loads(line)["host"]) for line in new.splitlines())])
    total = place.status.sum
    assert (total.lines, total.duplicates) == (20 + new.count(b"\n"), 0)


def nothing_to_tell(place: Place) -> None:
    """Rotation is no trouble, whenever it happens: no line of the status is about it."""
    status = place.status
    assert status.sum.closes
    assert not status.unreadable
    assert not any(log.problem for log in status.logs)


def test_a_log_that_vanishes_before_it_is_read(place: Place, logs: Path) -> None:
    """A new file; it may also come back under its name, unchanged, as on a network file system."""
    live, rotated = logs / "tracking.log", logs / "tracking.log-1"
    live.write_bytes(log_of(*range(10)))
    found = log_files.discover(log_files.named_sources([str(live)]))
    live.rename(rotated)
    lake = place.lake
    with lake.locked():
        result = ingest(lake, place.engine, found, NOW)
    assert list(result.problems) == [str(live)]
    nothing_to_tell(place)
    rotated.rename(live)
    place.read(logs)
    assert hosts(place) == [*range(10)]


def test_a_log_that_vanishes_while_it_is_read(place: Place, logs: Path) -> None:
    live = logs / "tracking.log"
    live.write_bytes(log_of(*range(10)))
    (logs / "tracking.log-0").write_bytes(log_of(50))
    place.read(logs)
    live.write_bytes(log_of(*range(20)))
    rename = Meanwhile(place.engine, lambda: live.rename(logs / "tracking.log-1"))
    moved = replace(place, engine=cast("Engine", rename))
    assert "No such file" in moved.read(logs).problems[str(live)]
    nothing_to_tell(place)
    place.read(logs)
    assert hosts(place) == [*range(20), 50]
    assert (place.status.sum.lines, place.status.sum.duplicates) == (21, 0)
