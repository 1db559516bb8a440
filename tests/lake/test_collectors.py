"""What collectors and container runtimes make of lines is undone; each event counts once, however it came."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.lake.place import Place
from tests.lake.strategies import PREFIX, json_values
from tests.lines import event

from pharos.lake import collectors, land
from pharos.lake.parse import Reason

FIRST = event("2024-03-05 10:00:01.100000", "edx.course.enrollment.activated", event={"mode": "audit"})
SECOND = event("2024-03-05 10:00:02", "/courses/x", event='{"GET": {}}', agent="caf\u00e9 \\ \"'\t")
NOISE = "2024-03-05 10:00:00,101 INFO 31 [other] no event {here}"


def cri(text: str, tag: str = "F", stream: str = "stdout") -> str:
    return f"2024-03-05T10:00:01.123456789Z {stream} {tag} {text}"


def docker(text: str, end: str = "\n", stream: str = "stdout") -> str:
    return json.dumps({"log": text + end, "stream": stream, "time": "2024-03-06T10:00:01.1Z"})


def vector(text: str) -> str:
    return json.dumps({
        "kubernetes": {"pod_name": "lms-1", "pod_annotations": {"a": '{"time": "x"}'}}, "message": text,
        "stream": "stdout", "timestamp": "2024-03-06T10:00:01.1Z", "source_type": "kubernetes_logs",
    })  # fmt: skip


def fluent_bit_merged(text: str) -> str:
    """The event's JSON decoded into the record."""
    record = {"stream": "stdout", "logtag": "F", "kubernetes": {"labels": {"app": "lms"}}}
    return json.dumps(json.loads(text) | record)


def fluent_bit_both(text: str) -> str:
    """The text and what it says."""
    return json.dumps({"log": text, "log_processed": json.loads(text), "kubernetes": {"host": "n1"}})


def nested_as_text(text: str) -> str:
    value = json.loads(text)
    value["context"] = json.dumps(value["context"])
    if isinstance(value["event"], dict):
        value["event"] = json.dumps(value["event"])
    return json.dumps(value | {"labels": ["edx_tracking"], "log_file": "/l"})


def with_text_context(text: str) -> str:
    value = json.loads(text)
    return json.dumps(value | {"context": json.dumps(value["context"])})


WAYS: dict[str, Callable[[str], str]] = {
    "the file itself": lambda text: text,
    "the LMS's prefix": lambda text: PREFIX + text,
    "CRI": lambda text: cri(PREFIX + text),
    "Docker": lambda text: docker(PREFIX + text),
    "Vector": lambda text: vector(PREFIX + text),
    "Vector of Docker": lambda text: vector(docker(text)),
    "Docker of Vector of CRI": lambda text: docker(vector(cri(text))),
    "Fluent Bit": lambda text: json.dumps({"stream": "stderr", "logtag": "F", "message": text, "file": "/v"}),
    "Fluent Bit, merged": fluent_bit_merged,
    "Fluent Bit, both": fluent_bit_both,
    "Fluentd": lambda text: json.dumps({"log": text, "tag": "k.var", "time": "2024-03-06T10:00:00+00:00"}),
    "journald": lambda text: json.dumps({"MESSAGE": text, "_PID": "7", "__REALTIME_TIMESTAMP": "1709632801"}),
    "Python's JSON logger": lambda text: json.dumps(
        {"time": "2024-03-06T10:00:00+00:00", "name": "tracking", "level": "INFO", "message": text}
    ),
    "Loki, logcli jsonl": lambda text: json.dumps(
        {"labels": {"app": "lms"}, "line": text, "timestamp": "2024-03-06T10:00:01Z"}
    ),
    "Loki, logcli": lambda text: f'2024-03-06T10:00:01Z {{app="lms", pod="a\\"}}b"}} {PREFIX}{text}',
    "Loki, API": lambda text: json.dumps({"stream": {"app": "lms"}, "values": [["1709632801000", text]]}),
    "Loki, whole answer": lambda text: json.dumps(
        {"status": "success", "data": {"result": [{"stream": {}, "values": [["1709632801000", text]]}]}}
    ),
    "CloudWatch, exported": lambda text: f"2024-03-06T10:00:01.123Z {text}",
    "CloudWatch, events": lambda text: json.dumps(
        {"timestamp": 1709632801000, "message": text, "ingestionTime": 1709632802000}
    ),
    "CloudWatch, subscription": lambda text: json.dumps(
        {"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "timestamp": 1, "message": text}]}
    ),
    "CloudWatch, Insights": lambda text: json.dumps({"@timestamp": "2024-03-06", "@message": text}),
    "CSV": lambda text: f'2024-03-06T10:00:01Z,"{PREFIX}{{""a"": 1}}"'.replace(
        '{""a"": 1}', text.replace('"', '""')
    ),
    "Splunk": lambda text: json.dumps({"time": "2024-03-06T10:00:00Z", "host": "h", "event": text}),
    "decoded, in a record": lambda text: json.dumps({"jsonPayload": json.loads(text), "severity": "INFO"}),
    "context and payload as text": nested_as_text,
    "context as text": with_text_context,
    "pretty-printed in a record": lambda text: docker(json.dumps(json.loads(text), indent=1)),
}


def read(place: Place, path: Path, lines: list[str], end: str = "\n") -> None:
    path.write_text("\n".join(lines) + end, encoding="utf-8")
    place.read(path)


def ids(place: Place) -> list[str]:
    return sorted(row["event_id"] for row in place.events())


@pytest.mark.parametrize("way", WAYS)
def test_an_event_is_the_same_whichever_way_it_came(place: Place, tmp_path: Path, way: str) -> None:
    read(place, tmp_path / "tracking.log", [FIRST, SECOND])
    whole, expected = place.events(), ids(place)
    read(place, tmp_path / "collected.log", [WAYS[way](FIRST), NOISE, WAYS[way](SECOND)])
    total = place.status.sum
    assert total.closes
    if way == "pretty-printed in a record":  # its text is another one: nothing tells that it was rewritten
        assert total.events == 4
        assert {row["time"] for row in place.events()} == {row["time"] for row in whole}
        return
    assert ids(place) == expected
    assert (total.lines, total.events, total.duplicates) == (5, 2, 2)
    assert [(number, data) for number, _, data in place.quarantine()] == [(2, NOISE.encode())]


@pytest.mark.parametrize("way", WAYS)
def test_a_collected_log_alone_gives_the_events_themselves(place: Place, tmp_path: Path, way: str) -> None:
    read(place, tmp_path / "collected.log", [WAYS[way](FIRST), WAYS[way](SECOND)])
    found = [(row["event_type"], row["user_id"], row["payload"], row["line"]) for row in place.events()]
    assert [(type_, user, json.loads(payload), line) for type_, user, payload, line in found] == [
        ("edx.course.enrollment.activated", 7, {"mode": "audit"}, 1),
        ("/courses/x", 7, {"GET": {}}, 2),
    ]
    assert [row["payload_is_object"] for row in place.events()] == [True, True]


@pytest.mark.parametrize("way", ["CRI", "Docker", "Vector", "Loki, API", "Fluent Bit, both"])
def test_records_without_an_event_are_kept_as_they_were(place: Place, tmp_path: Path, way: str) -> None:
    plain = "INFO nothing"
    of_object = '{"level": "INFO", "time": "2024-03-05T10:00:01Z"}'
    lines = [WAYS[way](text) for text in ([of_object] if "both" in way else [plain, of_object])]
    read(place, tmp_path / "collected.log", lines)
    assert place.events() == []
    assert [data.decode() for _, _, data in place.quarantine()] == lines
    assert place.status.sum.closes


def test_several_lines_in_one_record_are_several(place: Place, tmp_path: Path) -> None:
    stream = {"stream": {"app": "lms"}, "values": [["1", FIRST], ["2", "no event"], ["3", SECOND]]}
    events = {"logEvents": [{"id": "1", "message": FIRST}, {"id": "2", "message": "no event"}]}
    read(place, tmp_path / "collected.log", [json.dumps(stream), "", json.dumps(events)])
    assert [(row["event_type"], row["line"]) for row in place.events()] == [
        ("edx.course.enrollment.activated", 1), ("/courses/x", 1),
    ]  # fmt: skip
    total = place.status.sum
    assert (total.lines, total.events, total.duplicates, total.blank) == (6, 2, 1, 1)
    assert [(number, json.loads(data)) for number, _, data in place.quarantine()] == [
        (1, ["2", "no event"]), (3, {"id": "2", "message": "no event"}),
    ]  # fmt: skip
    assert total.closes


# --- Lines in parts -----------------------------------------------------------------------------------------


def parts(text: str, count: int) -> list[str]:
    size = -(-len(text) // count)
    return [text[start : start + size] for start in range(0, len(text), size)]


def split_by_cri(text: str) -> list[str]:
    *first, last = parts(PREFIX + text, 3)
    return [*(cri(part, "P") for part in first), cri(last)]


def split_by_docker(text: str) -> list[str]:
    *first, last = parts(PREFIX + text, 3)
    return [*(docker(part, end="") for part in first), docker(last)]


def split_by_fluent_bit(text: str) -> list[str]:
    *first, last = parts(text, 3)
    tagged = [*((part, "P") for part in first), (last, "F")]
    return [json.dumps({"stream": "stdout", "logtag": tag, "log": part}) for part, tag in tagged]


SPLIT = [split_by_cri, split_by_docker, split_by_fluent_bit]


@pytest.mark.parametrize("split", SPLIT)
def test_parts_of_a_line_are_joined(place: Place, tmp_path: Path, split: Callable[[str], list[str]]) -> None:
    read(place, tmp_path / "pod.log", [docker(SECOND), *split(FIRST), cri(SECOND)])
    assert [(row["event_type"], row["line"]) for row in place.events()] == [
        ("edx.course.enrollment.activated", 4), ("/courses/x", 5),
    ]  # fmt: skip
    total = place.status.sum
    assert (total.lines, total.events, total.duplicates, total.quarantined) == (3, 2, 1, {})
    assert total.closes


@pytest.mark.parametrize("split", SPLIT)
@pytest.mark.parametrize("read_first", [1, 2, 3])
def test_parts_are_joined_that_two_readings_find(
    place: Place, tmp_path: Path, split: Callable[[str], list[str]], read_first: int
) -> None:
    """What waits for its last part is shown as cut off; line numbers are those of the file."""
    lines = [SECOND, *split(FIRST), event("2024-03-05 11:00", "z")]
    read(place, tmp_path / "pod.log", lines[:read_first])
    is_waiting = read_first > 1
    assert place.status.sum.quarantined == ({Reason.INCOMPLETE: 1} if is_waiting else {})
    assert [reason for _, reason, _ in place.quarantine()] == [Reason.INCOMPLETE] * is_waiting
    assert place.status.sum.closes
    read(place, tmp_path / "pod.log", lines)
    assert [(row["event_type"], row["line"]) for row in place.events()] == [
        ("/courses/x", 1), ("edx.course.enrollment.activated", 4), ("z", 5),
    ]  # fmt: skip
    total = place.status.sum
    assert (total.lines, total.events, total.quarantined) == (3, 3, {})
    assert total.closes
    (tmp_path / "pod.log.1.gz").write_bytes(gzip.compress((tmp_path / "pod.log").read_bytes()))
    assert place.read(tmp_path / "pod.log.1.gz").lines == 0


def test_parts_of_two_streams_are_kept_apart(place: Place, tmp_path: Path) -> None:
    out, error = parts(FIRST, 2), parts(SECOND, 2)
    read(place, tmp_path / "pod.log", [
        cri(out[0], "P"), cri(error[0], "P", "stderr"), cri("text", "F", "other"), cri(out[1]),
        cri(error[1], "F", "stderr"),
    ])  # fmt: skip
    assert [row["line"] for row in place.events()] == [4, 5]
    assert place.status.sum.closes


def test_a_part_whose_end_was_never_written_spoils_no_other_line(place: Place, tmp_path: Path) -> None:
    lost = parts(event("2024-03-05 09:00", "lost"), 2)[0]
    other = event("2024-03-05 11:00", "z", time="2024-03-05T11:00:00Z")  # looked at one by one
    read(place, tmp_path / "pod.log", [cri(lost, "P"), cri(other), docker(SECOND)])
    assert [row["event_type"] for row in place.events()] == ["z", "/courses/x"]
    assert [(number, data.decode()) for number, _, data in place.quarantine()] == [(2, lost)]
    total = place.status.sum
    assert (total.lines, total.events) == (3, 2)
    assert total.closes


def test_a_part_that_grows_beyond_a_line_is_given_up(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(land, "LONGEST_LINE_BYTES", 100)
    read(place, tmp_path / "pod.log", [*[cri('{"' + "x" * 60, "P")] * 5, SECOND])
    total = place.status.sum
    assert (total.events, total.closes) == (1, True)
    assert sum(total.quarantined.values()) == 2


# --- Never in the way ---------------------------------------------------------------------------------------


@given(st.dictionaries(st.sampled_from([*collectors.LINE_MEMBERS, "a", "stream"]), json_values, max_size=4))
def test_members_of_any_kind_are_no_record(value: dict[str, Any]) -> None:
    assert collectors.lines_in(value) == []
    collectors.part_of(json.dumps(value).encode())


def test_an_event_that_speaks_of_events_is_one_event(place: Place, tmp_path: Path) -> None:
    lines = [
        event("2024-03-05 10:00", "edx.forum.thread.created", event={"body": FIRST, "list": [SECOND, {}]}),
        event("2024-03-05 10:01", "problem_check", source="browser", event=FIRST),
        event("2024-03-05 10:02", "x", page=FIRST, odd=SECOND),
        event("2024-03-05 10:03", "x", message="no {event}", host=json.dumps(FIRST)),
    ]
    read(place, tmp_path / "tracking.log", lines)
    assert [row["line"] for row in place.events()] == [1, 2, 3, 4]
    assert place.events()[3]["raw"] == lines[3]
