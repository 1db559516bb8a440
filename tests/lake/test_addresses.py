"""Addresses of older days are forgotten, and nothing else. `spec 01 §10.37`"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lake.place import NOW, Place
from tests.lines import COURSE, event, write

from pharos import geolocation
from pharos.engine import Engine
from pharos.lake import addresses, compaction, folder
from pharos.lake.addresses import forget_addresses
from pharos.lake.backup import copy_lake
from pharos.lake.compaction import FEW
from pharos.lake.lake import Lake
from pharos.lake.rebuild import original
from pharos.lake.safely import move_safely

IRISH, IPV6 = "87.32.1.1", "2001:770::1f"
OLD, BEFORE, YOUNG = "2024-03-02", date(2024, 3, 3), "2024-03-03"
IN_PLACE = partial(geolocation.in_place_of_addresses, str(geolocation.SHIPPED), None)


def forget(place: Place, before: date = BEFORE) -> int:
    lake = place.lake
    with lake.locked():
        return forget_addresses(lake, place.engine, before, IN_PLACE, NOW)


def context(**more: object) -> dict[str, object]:
    return {"user_id": 7, "course_id": COURSE, "org_id": "UniX", "path": "/", **more}


def stored(folder: Path) -> str:
    """Everything that Parquet files in a folder hold, as text; quotes of JSON in JSON without backslashes."""
    tables = [pq.ParquetFile(path).read().to_pylist() for path in folder.rglob("*.parquet")]
    return json.dumps(tables, default=str).replace("\\", "")


def only(place: Place) -> dict[str, Any]:
    [row] = place.events()
    return row


pytestmark = pytest.mark.everywhere


def test_the_country_takes_the_place_of_the_address(place: Place, tmp_path: Path) -> None:
    """Days before the given one; all else is as it was, of the ledger too."""
    log = [event(f"{day} 09:00", "x", user=user, ip=ip) for day in (OLD, YOUNG)
           for user, ip in enumerate((IRISH, IPV6, "10.0.0.5", " ", "", None), 1)]  # fmt: skip
    place.read(write(tmp_path / "tracking.log", log))
    before, status = place.events(), place.status
    assert forget(place) == 1

    after = place.events()
    assert [row["ip"] for row in after[:6]] == ["country:IE", "country:IE", "country:UNKNOWN", " ", "", None]
    assert [row["ip"] for row in after[6:]] == [IRISH, IPV6, "10.0.0.5", " ", "", None]
    for was, row in zip(before, after, strict=True):
        assert {**row, "ip": None, "raw": None} == {**was, "ip": None, "raw": None}
    assert place.status == status


def test_only_what_was_not_written_anew_before_is(place: Place, tmp_path: Path) -> None:
    place.read(write(tmp_path / "tracking.log", [event(f"{OLD} 09:00", "x"), event(f"{YOUNG} 09:00", "x")]))
    assert [forget(place) for _ in range(2)] == [1, 0]
    assert forget(place, BEFORE + timedelta(days=1)) == 1
    place.read(write(tmp_path / "late.log", [event(f"{OLD} 08:00", "late")]))
    assert forget(place, BEFORE + timedelta(days=1)) == 1
    assert "203.0.113.9" not in stored(place.root)


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        (f"from {IRISH}", "from "),
        (f"{IRISH}:443, {IRISH}", ":443, "),
        (f"187.32.1.1 {IRISH}2 8.8.8.8 1.2.3", f"187.32.1.1 {IRISH}2 8.8.8.8 1.2.3"),
        ("nothing of the kind", "nothing of the kind"),
    ],
)
def test_the_events_own_address_is_erased_from_its_members(
    place: Place, tmp_path: Path, found: str, kept: str
) -> None:
    """Not what only looks like it: other addresses that a learner typed are no address of theirs."""
    line = event(f"{OLD} 09:00", "x", ip=f" {IRISH}", event={"answer": found}, context=context(note=found))
    place.read(write(tmp_path / "tracking.log", [line]))
    forget(place)
    assert json.loads(only(place)["payload"]) == {"answer": kept}
    assert json.loads(only(place)["context"]) == context(note=kept)


def test_members_that_hold_addresses_are_emptied(place: Place, tmp_path: Path) -> None:
    """In contexts of 2014 and of mobile apps; whether or not it is the address of the envelope."""
    client = {"ip": "198.51.100.7", "os": {"version": "10.0.19.1"}}
    lines = [
        event(f"{OLD} 09:00", "x", ip=IPV6, context=context(ip=IPV6, client=client)),
        event(f"{OLD} 09:01", "x", ip="", event=json.dumps({"ip": "198.51.100.7", "a": f'"{IPV6}"'})),
        event(f"{OLD} 09:02", "x", ip=IPV6, more=1, event=json.dumps({"ip": "198.51.100.7", "of": IPV6})),
    ]
    place.read(write(tmp_path / "tracking.log", lines))
    forget(place)
    first, second, third = (original(row) for row in place.events())
    assert first["context"] == context(ip="", client={"ip": "", "os": {"version": "10.0.19.1"}})
    assert first["ip"] == "country:IE"
    assert json.loads(second["event"]) == {"ip": "", "a": f'"{IPV6}"'}
    assert (third["ip"], third["more"], json.loads(third["event"])) == ("", 1, {"ip": "", "of": ""})


def test_what_is_no_address_is_no_pattern(place: Place, tmp_path: Path) -> None:
    """Anything may be sent as an address; only what looks like one is looked for."""
    answer = {"answer": "1 a .* 1.2.3.4 ::"}
    lines = [event(f"{OLD} 09:00", "x", ip=ip, event=answer) for ip in ("1", "a", ".*")]
    place.read(write(tmp_path / "tracking.log", lines))
    forget(place)
    assert {row["payload"] for row in place.events()} == {'{"answer": "1 a .* 1.2.3.4 ::"}'}
    assert {row["ip"] for row in place.events()} == {"country:UNKNOWN"}


ODD = ['ip":', 'ip": "', '"ip": "1.2.3.4"', "\\", 'a\\"ip\\": \\"b', IRISH, f'["{IPV6}"]', "é", "", None, 5]
texts = st.sampled_from(ODD)
members = st.recursive(
    texts,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["ip", "client", 'ip": "', "ip\\"]), inner, max_size=2)
        | inner.map(json.dumps)
    ),
    max_leaves=5,
)


def without_texts(value: Any) -> Any:
    """What is left of a JSON value when all its texts are taken for the same."""
    if isinstance(value, dict):
        return {key: without_texts(item) for key, item in value.items()}
    return (
        [without_texts(item) for item in value]
        if isinstance(value, list)
        else isinstance(value, str) or value
    )


def addresses_in(value: Any) -> Iterator[str]:
    """Those that stand where they are known to be one: in members of their name."""
    if isinstance(value, dict):
        yield from (value[key] for key in value if key == "ip" and isinstance(value[key], str))
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from addresses_in(item)


@settings(max_examples=100, deadline=None)
@given(
    drawn=st.lists(
        st.tuples(members, members, st.sampled_from([IRISH, IPV6, "", "x"])), min_size=1, max_size=9
    )
)
def test_whatever_members_hold_only_texts_change(embedded: Engine, drawn: list[tuple[Any, Any, str]]) -> None:
    """JSON stays JSON of the same form, whatever stands in its texts."""
    lines = [
        event(f"{OLD} 09:00:0{number}", "x", ip=ip, event=payload, context={"more": more}, **unknown)
        for number, (payload, more, ip) in enumerate(drawn)
        for unknown in [{"line": number} if number % 2 else {}]  # then the lake keeps the whole text
    ]
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder) / "lake", embedded)
        place.read(write(Path(folder) / "tracking.log", lines))
        before = [original(row) for row in place.events()]
        forget(place)
        for was, row in zip(before, place.events(), strict=True):
            now = original(row)
            assert without_texts(now) == without_texts(was)
            for part in ("event", "context"):
                assert {*addresses_in(now[part])} & {IRISH, IPV6, "1.2.3.4"} == set()
                assert was["ip"] not in {IRISH, IPV6} or was["ip"] not in json.dumps(now[part])


def test_an_old_log_read_again_is_known(place: Place, tmp_path: Path) -> None:
    """Ids stay: neither the same file under another name nor one that overlaps brings addresses back."""
    log = [event(f"{OLD} 09:0{number}", "x", ip=IRISH, more=number) for number in range(3)]
    place.read(write(tmp_path / "tracking.log", log))
    forget(place)
    before = place.events()
    again = place.read(write(tmp_path / "other.log", [event(f"{OLD} 10:00", "new", ip=""), *reversed(log)]))
    assert (again.events, again.duplicates) == (1, 3)
    assert [row for row in place.events() if row["event_type"] == "x"] == before
    assert place.status.sum.events == 4


def test_merged_files_have_forgotten_what_all_their_parts_have(place: Place, tmp_path: Path) -> None:
    place.read(write(tmp_path / "young.log", [event(f"{YOUNG} 09:00", "x")]))
    for number in range(2 * FEW):
        forget(place)
        late = [event(f"{OLD} 09:00:0{number}", "x", ip=IRISH)]
        place.read(write(tmp_path / f"{number}.log", late))  # which merges small files
    lake = place.lake
    with lake.locked():
        compaction.compact(lake, place.engine, NOW)
    assert forget(place) == 1, "the one that came last, alone or merged with others"
    files = place.lake.state.events[date.fromisoformat(OLD)]
    assert (len(files) <= FEW, all(file.without_addresses for file in files)) == (True, True)
    assert IRISH not in stored(place.root)
    for number in range(FEW):
        place.read(write(tmp_path / f"more-{number}.log", [event(f"{OLD} 08:00:0{number}", "x", ip="")]))
    assert forget(place) > 0, "nobody knows yet what is in them"


def test_files_with_addresses_go_when_nobody_reads_them(place: Place, tmp_path: Path) -> None:
    place.read(write(tmp_path / "tracking.log", [event(f"{OLD} 09:00", "x", ip=IRISH)]))
    reader = place.lake
    with reader.reading():
        forget(place)
        assert pq.ParquetFile(reader.events()[0]).read(["ip"])["ip"].to_pylist() == [IRISH]
    place.read()
    assert IRISH not in stored(place.root)


def test_a_backup_forgets_too(place: Place, tmp_path: Path) -> None:
    place.read(write(tmp_path / "tracking.log", [event(f"{OLD} 09:00", "x", ip=IRISH)]))
    copy_lake(place.lake, Lake(tmp_path / "copy"))
    assert IRISH in stored(tmp_path / "copy")
    forget(place)
    copy_lake(place.lake, Lake(tmp_path / "copy"))
    assert IRISH not in stored(tmp_path / "copy")
    assert Place(tmp_path / "copy", place.engine).events() == place.events()


@pytest.mark.folder
def test_a_crash_leaves_every_file_as_it_was_or_forgotten(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next time goes on where it ended."""
    for number in range(3):
        place.read(write(tmp_path / f"{number}.log", [event(f"{OLD} 09:0{number}", "x", ip=IRISH)]))
    before = [row["event_id"] for row in place.events()]

    def crash_before_the_second(moves: Sequence[tuple[Path, Path]]) -> None:
        if place.lake.state.events[date.fromisoformat(OLD)][-1].without_addresses:
            raise KeyboardInterrupt
        move_safely(moves)

    with monkeypatch.context() as patch:
        patch.setattr(folder, "move_safely", crash_before_the_second)
        with pytest.raises(KeyboardInterrupt):
            forget(place)
    assert sorted(row["ip"] for row in place.events()) == [IRISH, IRISH, "country:IE"]
    assert forget(place) == 2
    assert [row["event_id"] for row in place.events()] == before
    assert IRISH not in stored(place.root)


def test_on_each_engine_and_in_pieces(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many files and events as are not done at once."""
    monkeypatch.setattr(compaction, "LARGE_ROWS", 0)
    monkeypatch.setattr(addresses, "FILES_AT_ONCE", 2)
    place = Place(tmp_path / "lake", engine)
    done: list[tuple[int, int]] = []
    for number in range(3):
        log = [event(f"{OLD} 0{number}:00", f"x{user}", user=user, ip=IRISH) for user in range(1, 50)]
        place.read(write(tmp_path / f"{number}.log", log))
    rows = place.events(["event_id", "time", "page_course_id"])
    lake = place.lake
    with lake.locked():
        forget_addresses(lake, engine, BEFORE, IN_PLACE, NOW, lambda *numbers: done.append(numbers))
    assert done == [(1, 3), (2, 3), (3, 3)]
    assert place.events(["event_id", "time", "page_course_id"]) == rows, "in the same order"
    assert {row["ip"] for row in place.events()} == {"country:IE"}
