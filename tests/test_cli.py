"""The program from outside: what a person types, and what bad input gets."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PHAROS = str(Path(sys.executable).parent / "pharos")


def pharos(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PHAROS, *map(str, arguments)],
        env={**os.environ, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def event(second: int, **members: object) -> bytes:
    """An activation in the course C, at 2024-05-06T08:00:<second>."""
    course = "course-v1:UniX+CS1+2024"
    whole: dict[str, Any] = {
        "event_type": "edx.course.enrollment.activated",
        "name": "edx.course.enrollment.activated",
        "event_source": "server",
        "username": f"learner{second}",
        "time": f"2024-05-06T08:00:{second:02}+00:00",
        "context": {"course_id": course, "org_id": "UniX", "user_id": second},
        "event": {"course_id": course, "user_id": second, "mode": "audit"},
    }
    return json.dumps({**whole, **members}).encode() + b"\n"


def status(home: Path) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(pharos("status", "--json", "--home", home).stdout)
    return answer


def run(home: Path, *logs: Path) -> subprocess.CompletedProcess[str]:
    done = pharos("run", "--home", home, "--until", "2024-05-08", "--logs", *logs)
    assert "Traceback" not in done.stdout + done.stderr
    return done


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"neither JSON nor anything\n", "not JSON"),
        (b"[1, 2]\n", "JSON, but not an object"),
        (b'{"event_type": "\xff\xfe", "time": "2024-05-06T08:00:00+00:00"}\n', "not UTF-8"),
        (b'{"event_type": "no_time"}\n', "no time"),
        (b'{"event_type": "x", "time": "yesterday"}\n', "time is not ISO 8601"),
        (b"x" * 10_000_000 + b"\n", "not JSON"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_bad_line_is_in_quarantine_and_its_neighbours_count(
    tmp_path: Path, bad: bytes, reason: str
) -> None:
    log = tmp_path / "tracking.log"
    log.write_bytes(event(1) + bad + event(2))
    assert run(tmp_path / "home", log).returncode == 0
    lines = status(tmp_path / "home")
    assert lines["sum_closes"]
    assert lines["sum"]["events"] == 2
    assert lines["sum"]["quarantined"] == {reason: 1}
    assert reason in pharos("quarantine", "--home", tmp_path / "home").stdout


def test_what_precedes_the_break_of_a_compressed_file_counts(tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(event(second) for second in range(60)) * 20)
    log = tmp_path / "tracking.log-20240507.gz"
    log.write_bytes(whole[: len(whole) - 12])
    good = tmp_path / "tracking.log"
    good.write_bytes(event(1))
    assert run(tmp_path / "home", tmp_path).returncode == 0
    lines = status(tmp_path / "home")
    assert lines["sum_closes"]
    assert lines["sum"]["events"] > 1
    assert any(log["problem"] for log in lines["logs"])


def test_odd_events_are_events_and_are_reported(tmp_path: Path) -> None:
    """A time in the future, and a course id of no known form."""
    log = tmp_path / "tracking.log"
    odd_course = {"course_id": "no course at all", "user_id": 3}
    log.write_bytes(event(1, time="2999-01-01T00:00:00+00:00") + event(2, context=odd_course) + event(3))
    assert run(tmp_path / "home", log).returncode == 0
    (found,) = status(tmp_path / "home")["logs"]
    assert found["sum"]["events"] == 3
    assert found["future"] == 1
    assert found["odd_course"] == 1


def test_a_second_run_reads_nothing(tmp_path: Path) -> None:
    log = tmp_path / "tracking.log"
    log.write_bytes(event(1) + event(2))
    run(tmp_path / "home", log)
    again = run(tmp_path / "home", log)
    assert "0 new lines" in again.stdout or "nothing new" in again.stdout.lower(), again.stdout
    assert status(tmp_path / "home")["sum"]["events"] == 2


def test_each_mistake_in_the_settings_is_a_line_and_the_exit_code_is_2(tmp_path: Path) -> None:
    (tmp_path / "pharos.yaml").write_text("engine: {name: abacus, memry_mb: 7}\n")
    done = pharos("status", "--home", tmp_path, PHAROS_DATA_API__PORT="many", PHAROS_NOTHING="1")
    assert done.returncode == 2
    for key in ("engine.name", "engine.memry_mb", "data_api.port", "PHAROS_NOTHING"):
        assert sum(key in line for line in done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("run",), "no logs are named"),
        (("run", "--logs", "no-such-file.log"), "no-such-file.log"),
        (("run", "--logs", "x", "--until", "soon"), "soon"),
        (("run", "--logs", "x", "--engine", "abacus"), "engine.name"),
        (("status", "--config", "absent.yaml"), "absent.yaml"),
    ],
)
def test_a_wrong_command_gets_a_clear_message_and_leaves_nothing(
    tmp_path: Path, arguments: tuple[str, ...], part: str
) -> None:
    home = tmp_path / "home"
    done = pharos(*arguments, "--home", home)
    assert done.returncode in {1, 2}
    assert part in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not (home / "lake" / "events").exists()


def test_without_a_store_nothing_is_half_done(tmp_path: Path, free_port: int) -> None:
    log = tmp_path / "tracking.log"
    log.write_bytes(event(1))
    url = f"mysql+pymysql://pharos:geheim@127.0.0.1:{free_port}/reports"
    done = pharos("run", "--home", tmp_path / "home", "--logs", log, PHAROS_RESULT_STORE__URL=url)
    assert done.returncode == 1
    assert "127.0.0.1" in done.stderr
    assert "geheim" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "home" / "lake" / "events").exists()


def test_init_writes_settings_that_load(tmp_path: Path) -> None:
    assert pharos("init", "--home", tmp_path).returncode == 0
    assert pharos("status", "--home", tmp_path).returncode == 0
    assert pharos("init", "--home", tmp_path).returncode == 2  # never overwritten
