"""The program as a person uses it: what it prints, what it leaves, how it ends."""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml
from tests import lines
from tests.lines import enrollment, event
from tests.warm import Program, warm_program

from pharos.lms.tables import TABLES
from pharos.result_store import tables

PROGRAM = Path(sys.executable).parent / "pharos"
UNTIL = ("--until", "2024-03-12")
LOG = [
    enrollment("2024-03-02 09:00", "activated", user=1),
    enrollment("2024-03-03 09:00", "activated", user=2),
    event("2024-03-04 09:00", "play_video", user=1, source="browser", event={"id": "v", "currentTime": 0}),
]


class Shell:
    """A folder to work in and the program in it."""

    def __init__(self, folder: Path, program: Program) -> None:
        self.folder = folder
        self.program = program

    def pharos(
        self, *arguments: str, code: int = 0, stdin: str = "", **environment: str
    ) -> CompletedProcess[str]:
        """Run the program; it must end with this code, and may never show a stack trace."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PHAROS_")}
        done = self.program.run(
            *arguments,
            folder=self.folder,
            environment=clean | {"COLUMNS": "80"} | environment,
            stdin=stdin,
        )
        assert "Traceback" not in done.stderr
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def write(self, path: str, log: list[str]) -> Path:
        return lines.write(self.folder / path, log)

    def learners(self, home: str = ".pharos") -> list[tuple[str, int]]:
        """(day, learners) of the course of LOG, from the published table."""
        with sqlite3.connect(self.folder / home / "result_store.sqlite") as store:
            found = store.execute("SELECT date, count FROM course_enrollment_daily ORDER BY date").fetchall()
        store.close()
        return found


ALL_DAYS = [("2024-03-02", 1)] + [(f"2024-03-{day:02}", 2) for day in range(3, 12)]


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    with warm_program() as program:
        yield program


@pytest.fixture
def shell(tmp_path: Path, program: Program) -> Shell:
    return Shell(tmp_path, program)


# Input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["--logs", "logs"],
        ["--logs", "logs/*"],
        ["--logs", "logs/tracking.log", "logs/deeper/tracking.log-20240304.gz"],
        ["--logs", "logs/tracking.log", "--logs", "logs/deeper"],
    ],
    ids=["a folder", "a glob", "several files, as a shell gives them", "several options"],
)
def test_run_reads_what_it_is_given(arguments: list[str], shell: Shell) -> None:
    shell.write("logs/tracking.log", LOG[:1])
    packed = shell.folder / "logs" / "deeper" / "tracking.log-20240304.gz"
    packed.parent.mkdir()
    packed.write_bytes(gzip.compress("\n".join(LOG[1:]).encode()))
    done = shell.pharos("run", *arguments, *UNTIL)
    assert "Read 3 new lines of 2 files: 3 events, 0 duplicates, 0 in quarantine, 0 blank." in done.stdout
    assert "The results describe the time before 2024-03-12 00:00:00 UTC." in done.stdout
    assert shell.learners() == ALL_DAYS


def test_settings_from_a_file_and_from_the_environment(shell: Shell) -> None:
    shell.write("logs/tracking.log", LOG)
    (shell.folder / "pharos.yaml").write_text("home: here\nlogs: {sources: {lms: {paths: [logs]}}}\n")
    shell.pharos("run", "--config", "pharos.yaml", *UNTIL)
    assert shell.learners("here") == ALL_DAYS
    shell.pharos("run", *UNTIL, PHAROS_HOME="there", PHAROS_LOGS__SOURCES='{"lms": {"paths": ["logs"]}}')
    assert shell.learners("there") == ALL_DAYS


def test_a_second_run_says_that_there_was_nothing_to_do(shell: Shell) -> None:
    shell.write("tracking.log", LOG)
    shell.pharos("run", "--logs", "tracking.log", *UNTIL)
    done = shell.pharos("run", "--logs", "tracking.log", "--why", *UNTIL)
    told, _, _ = done.stdout.partition("1 problem of the data")  # these logs are old
    assert told == (
        "Read 0 new lines of 1 file: 0 events, 0 duplicates, 0 in quarantine, 0 blank.\n"
        "Computed 0 daily facts and parts of 0 tables; the rest was up to date.\n"
        "The results describe the time before 2024-03-12 00:00:00 UTC.\n"
    )


def test_why_names_what_was_computed(shell: Shell) -> None:
    shell.write("tracking.log", LOG)
    shell.pharos("run", "--logs", "tracking.log", *UNTIL)
    shell.write("tracking.log", [*LOG, enrollment("2024-03-03 10:00", "deactivated", user=2)])
    done = shell.pharos("run", "--logs", "tracking.log", "--why", *UNTIL)
    assert "computed enrollment_event: 1 of 3 days: events changed\n" in done.stdout
    assert "computed course_enrollment_daily: 1 of 1 course runs: inputs changed\n" in done.stdout
    assert "computed total_events_daily: 1 of 3 days: inputs changed\n" in done.stdout


def test_one_stage_at_a_time(shell: Shell) -> None:
    shell.write("tracking.log", LOG)
    done = shell.pharos("ingest", "--logs", "tracking.log")
    assert done.stdout == "Read 3 new lines of 1 file: 3 events, 0 duplicates, 0 in quarantine, 0 blank.\n"
    assert not (shell.folder / ".pharos" / "result_store.sqlite").exists()
    assert "there is no such file" in shell.pharos("status").stdout
    assert "Read" not in shell.pharos("compute", *UNTIL).stdout
    assert shell.learners() == ALL_DAYS


def test_a_home_without_events_is_not_computed(shell: Shell) -> None:
    """It would empty the tables of a store that another home has filled."""
    assert "typo has no lake" in shell.pharos("compute", "--home", "typo", code=2, COLUMNS="200").stderr
    assert not (shell.folder / "typo").exists()


@pytest.mark.parametrize("verb", ["verify", "repair", "rebuild"])
def test_a_lake_that_is_not_there_is_not_called_whole(verb: str, shell: Shell) -> None:
    assert "typo has no lake" in shell.pharos("lake", verb, "--home", "typo", code=2, COLUMNS="200").stderr
    assert not (shell.folder / "typo").exists()


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("2024-03-03", "2024-03-02"),
        ("2024-03-03T01:00:00+02:00", "2024-03-02"),
    ],
)
def test_until_takes_a_date_or_a_moment(until: str, last: str, shell: Shell) -> None:
    shell.write("tracking.log", LOG)
    shell.pharos("run", "--logs", "tracking.log", "--until", until)
    assert shell.learners()[-1][0] == last


# Bad input (issue 2) ---------------------------------------------------------------------------------------


def test_bad_lines_are_counted_kept_and_shown(shell: Shell) -> None:
    bad = {
        b"garbage": "not JSON",
        b'["a list"]': "JSON, but not an object",
        b"x" * 10_000_000: "not JSON",
        b'\xff\xfe{"time": "2024-03-02T09:00:00+00:00"}': "not UTF-8",
        b'\x1b[31m[bold]{"a"': "not JSON",
        b'{"event_type": "x"}': "no time",
        b'{"time": "yesterday"}': "time is not ISO 8601",
    }
    log = shell.folder / "tracking.log"
    log.write_bytes(b"\n".join([LOG[0].encode(), *bad, b"", LOG[1].encode(), LOG[1].encode(), b'{"cut": ']))
    done = shell.pharos("run", "--logs", "tracking.log", *UNTIL)
    assert "Read 12 new lines of 1 file: 2 events, 1 duplicate, 8 in quarantine, 1 blank." in done.stdout
    assert shell.learners() == ALL_DAYS, "everything before and after counts"

    status = shell.pharos("status").stdout
    assert "12 lines = 2 events + 1 duplicate + 8 in quarantine + 1 blank: the sum closes" in status
    assert "in quarantine, not JSON: 3\n" in status

    shown = shell.pharos("quarantine").stdout
    found = re.findall(rf"^{re.escape(str(log))}:(\d+): (.*)$", shown, re.MULTILINE)
    assert found == [
        *((str(number), reason) for number, reason in enumerate(bad.values(), 2)),
        ("12", "cut off at the end of the log"),
    ]
    assert "  garbage\n" in shown
    assert "(10,000,000 characters)" in shown
    assert len(max(shown.splitlines(), key=len)) < 400
    assert "\x1b" not in shown, "no log line may speak to the terminal"
    assert r'  \x1b[31m[bold]{"a"' in shown


def test_a_damaged_archive(shell: Shell) -> None:
    """What can be read of it counts; a file that is no archive is read as it is."""
    whole = shell.write("logs/tracking.log", LOG)
    damaged = shell.folder / "logs" / "tracking.log-20240305.gz"
    content = gzip.compress("\n".join(f"{number} is no event" for number in range(20_000)).encode())
    damaged.write_bytes(content[: len(content) // 2])
    (shell.folder / "logs" / "tracking.log-20240306.gz").write_bytes(LOG[0].encode())
    done = shell.pharos("run", "--logs", "logs", *UNTIL)
    assert re.search(
        rf"^{damaged}: gzip data ends too early.*; what could be read", done.stdout, re.MULTILINE
    )
    assert shell.learners() == ALL_DAYS
    status = json.loads(shell.pharos("status", "--json").stdout)
    assert (status["sum_closes"], status["sum"]["events"], status["sum"]["duplicates"]) == (True, 3, 1)
    logs = {log["path"]: log for log in status["logs"]}
    assert logs[str(whole)]["problem"] is None
    assert "too early" in logs[str(damaged)]["problem"]
    assert 0 < logs[str(damaged)]["sum"]["quarantined"]["not JSON"] < 20_000


def test_odd_but_kept(shell: Shell) -> None:
    future = (datetime.now(UTC) + timedelta(days=10)).replace(tzinfo=None, microsecond=0)
    odd = [
        event(future.isoformat(), "seek_video"),
        event("2024-03-02 10:00", "seek_video", course="no known form"),
    ]
    shell.write("tracking.log", [*LOG, *odd])
    shell.pharos("run", "--logs", "tracking.log", *UNTIL)
    status = shell.pharos("status").stdout
    assert "5 lines = 5 events" in status
    assert "tracking.log: clock skew: 1 event of the future when read\n" in status
    assert "tracking.log: no course: 1 event of an unknown form of id\n" in status


def test_overlong_ids_and_modes_stop_nothing(shell: Shell) -> None:
    odd = [
        event("2024-03-02 10:00", f"/courses/{'x' * 300}/b/c/info", course=""),
        enrollment("2024-03-02 10:00", "activated", course=f"course-v1:{'x' * 300}+b+c"),
        enrollment("2024-03-02 10:00", "activated", user=1, mode="m" * 300),
    ]
    shell.write("tracking.log", [*LOG, *odd])
    shell.pharos("run", "--logs", "tracking.log", *UNTIL)
    assert shell.learners() == ALL_DAYS


# Mistakes ------------------------------------------------------------------------------------------------


def test_wrong_settings_get_a_line_each(shell: Shell) -> None:
    wrong = {
        "engine": {"name": "hadoop", "memory_mb": 1},
        "logs": {"sources": {"lms": {"paths": "logs", "pattern": "("}}},
        "data_api": {"prot": 8100},
        "nonsense": 1,
    }
    (shell.folder / "pharos.yaml").write_text(yaml.safe_dump(wrong))
    done = shell.pharos("run", "--config", "pharos.yaml", code=2, PHAROS_ENGINE__THRAEDS="2")
    keys = [line.split(":")[0] for line in done.stderr.splitlines()]
    assert sorted(keys) == [
        "PHAROS_ENGINE__THRAEDS",
        "data_api.prot",
        "engine.memory_mb",
        "engine.name",
        "logs.sources.lms.paths",
        "logs.sources.lms.pattern",
        "nonsense",
    ]
    assert done.stdout == ""
    assert not (shell.folder / ".pharos").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "no logs are named; name some in pharos.yaml or give --logs PATH"),
        (["ingest"], "no logs are named; name some in pharos.yaml or give --logs PATH"),
        (["run", "tracking.log"], "tracking.log: to read logs, say --logs tracking.log"),
        (["run", "--logs", "tracking.log", "--until", "yesterday"], "--until: 'yesterday' is neither a date"),
        (["run", "--logs", "tracking.log", "--until", "0001-01-01"], "is not between 2000 and 2100"),
        (["run", "--config", "none.yaml"], "none.yaml: cannot be read: No such file or directory"),
        (["run", "--logs", "tracking.log", "--engine", "hadoop"], "engine.name: Input should be 'duckdb' or"),
        (["init", "--home", "file/below"], "cannot be written: Not a directory"),
    ],
)
def test_mistakes_end_with_code_2(arguments: list[str], message: str, shell: Shell) -> None:
    shell.write("tracking.log", LOG)
    (shell.folder / "file").touch()
    assert message in shell.pharos(*arguments, code=2).stderr


def test_a_path_that_leads_nowhere(shell: Shell) -> None:
    done = shell.pharos("run", "--logs", "nowhere", code=1)
    assert done.stderr == (
        "nowhere: no such file or folder (command line); nothing was read. "
        "Check the path and that this user may read it\n"
    )
    assert not (shell.folder / ".pharos").exists(), "nothing is half done"


def test_a_folder_without_logs(shell: Shell) -> None:
    (shell.folder / "empty").mkdir()
    assert "No log files were found" in shell.pharos("run", "--logs", "empty").stdout


def test_a_home_that_cannot_be_made(shell: Shell) -> None:
    shell.write("tracking.log", LOG)
    (shell.folder / "file").touch()
    for verb in ("run", "ingest"):
        done = shell.pharos(verb, "--home", "file/below", "--logs", "tracking.log", code=1)
        assert "Not a directory" in done.stderr


def test_a_store_that_does_not_answer(shell: Shell, free_port: int) -> None:
    shell.write("tracking.log", LOG)
    address = f"mysql+pymysql://me:secret@127.0.0.1:{free_port}/analytics"
    for arguments in (["run", "--logs", "tracking.log"], ["token", "list"], ["store", "upgrade"]):
        done = shell.pharos(*arguments, code=1, PHAROS_RESULT_STORE__URL=address)
        assert "Result Store mysql+pymysql://me:***@" in done.stderr
        assert "cannot be used" in done.stderr
        assert "secret" not in done.stdout + done.stderr
    assert not (shell.folder / ".pharos" / "lake").exists(), "nothing is half done"
    shell.pharos("ingest", "--logs", "tracking.log")
    for how in ([], ["--json"]):
        status = shell.pharos("status", *how, code=1, PHAROS_RESULT_STORE__URL=address)
        assert "cannot be used" in status.stdout, "the lake is shown, and the exit code tells"


def test_a_store_that_is_gone_fails_the_status(shell: Shell) -> None:
    shell.write("tracking.log", LOG)
    shell.pharos("run", "--logs", "tracking.log", *UNTIL)
    (shell.folder / ".pharos" / "result_store.sqlite").unlink()
    assert "there is no such file" in shell.pharos("status", code=1).stdout


# What there is -------------------------------------------------------------------------------------------


def test_status(shell: Shell) -> None:
    assert "The lake is empty" in shell.pharos("status").stdout
    shell.write("logs/tracking.log", LOG)
    shell.write("logs/older/tracking.log", [*LOG, event("2024-03-09 09:00", "seek_video")])
    shell.pharos("run", "--logs", "logs", *UNTIL)
    text = shell.pharos("status").stdout
    assert "7 lines = 4 events + 3 duplicates + 0 in quarantine + 0 blank: the sum closes\n" in text
    assert "Events of 4 days from 2024-03-02 to 2024-03-09.\n" in text
    assert "No events on 4 days: 2024-03-05 to 2024-03-08.\n" in text
    before = "Published, of the time before 2024-03-12 00:00:00 UTC (newest event: 2024-03-09 09:00:00):\n"
    assert before in text
    assert re.search(r"^ +10  0:00:\d\d ago  course_enrollment_daily$", text, re.MULTILINE)
    assert re.search(r"^ +2 +7 +4 +3 +0 +0  .* ago  command line$", text, re.MULTILINE)
    assert "does not know" not in text
    wide = shell.pharos("status", COLUMNS="200").stdout
    assert re.sub(r"\S+ ago", "", wide) == re.sub(r"\S+ ago", "", text)


def test_events_of_types_that_nobody_knows(shell: Shell) -> None:
    odd = [event(f"2024-03-0{day} 09:00", "acme.badge.awarded") for day in (2, 4)]
    shell.write("tracking.log", [*LOG, *odd, event("2024-03-04 09:00", "[play_vidoe]")])
    shell.pharos("run", "--logs", "tracking.log", *UNTIL)
    text = shell.pharos("status").stdout
    assert "Of types that Pharos does not know: 3 events.\n" in text
    assert re.search(r"^ +2  2024-03-04  acme.badge.awarded$", text, re.MULTILINE)
    assert re.search(r"^ +1  2024-03-04  \[play_vidoe\]$", text, re.MULTILINE)
    [first, _] = json.loads(shell.pharos("status", "--json").stdout)["unknown_event_types"]
    assert first == {"event_type": "acme.badge.awarded", "events": 2, "last_day": "2024-03-04"}


def test_modes_that_no_column_holds(shell: Shell) -> None:
    modes = ["m" * 101, "a\0", "audit"]
    odd = [enrollment("2024-03-02 10:00", "activated", user=n, mode=mode) for n, mode in enumerate(modes, 1)]
    shell.write("tracking.log", [*LOG, *odd])
    shell.pharos("run", "--logs", "tracking.log", *UNTIL)
    told = "2 enrollment events with a mode of more than 100 characters or with the character NUL: cut, or"
    assert told in shell.pharos("status", COLUMNS="200").stdout
    assert json.loads(shell.pharos("status", "--json").stdout)["changed_modes"] == 2


def test_status_for_programs(shell: Shell) -> None:
    shell.write("tracking.log", [*LOG, "garbage", "", LOG[0]])
    shell.pharos("run", "--logs", "tracking.log", *UNTIL)
    status = json.loads(shell.pharos("status", "--json").stdout)
    sums = status["sum"]
    assert sums == {"lines": 6, "events": 3, "duplicates": 1, "quarantined": {"not JSON": 1}, "blank": 1}
    assert (status["sum_closes"], status["store_problem"]) == (True, None)
    assert [log["sum"] for log in status["logs"]] == [sums]
    [source] = status["sources"]
    assert (source["name"], source["logs"], source["sum"]) == ("command line", 1, sums)
    assert source["lag_s"] > timedelta(days=365).total_seconds()
    assert (status["unknown_event_types"], status["changed_modes"]) == ([], 0)
    published = status["published"]["course_enrollment_daily"]
    assert (published["row_count"], published["until"]) == (10, "2024-03-12 00:00:00")


def test_quarantine_is_empty_without_bad_lines(shell: Shell) -> None:
    assert shell.pharos("quarantine").stdout == ""


# Setting up ------------------------------------------------------------------------------------------------


def test_init_writes_settings_that_load(shell: Shell) -> None:
    written = shell.pharos("init", "--home", "home").stdout
    assert written.startswith("Wrote home/pharos.yaml.")
    path = shell.folder / "home" / "pharos.yaml"
    template = path.read_text()
    assert all(line.startswith("#") or not line for line in template.splitlines())
    path.write_text(re.sub(r"^# ?", "", "".join(re.findall(r"^#   ?(?:  .*|logs:.*)\n", template))))
    assert "is there already" in shell.pharos("init", "--home", "home", code=2).stderr


def test_check(shell: Shell, free_port: int) -> None:
    shell.write("logs/tracking.log", LOG)
    settings = {"logs": {"sources": {"lms": {"paths": ["logs"]}}}}
    (shell.folder / "pharos.yaml").write_text(yaml.safe_dump(settings))
    done = shell.pharos("check", "--config", "pharos.yaml")
    assert {line.split()[0] for line in done.stdout.splitlines()} == {"ok"}
    assert "logs.sources.lms: 1 files" in done.stdout
    assert not (shell.folder / ".pharos").exists(), "nothing is changed"

    settings["logs"]["sources"]["gone"] = {"paths": ["nowhere"]}
    (shell.folder / "pharos.yaml").write_text(yaml.safe_dump(settings))
    store, lms = f"postgresql+psycopg://me@127.0.0.1:{free_port}/x", f"http://127.0.0.1:{free_port}"
    done = shell.pharos(
        "check", "--config", "pharos.yaml", code=1, PHAROS_RESULT_STORE__URL=store, PHAROS_LMS__URL=lms
    )
    bad = [line for line in done.stdout.splitlines() if line.startswith("NO")]
    assert [re.split(r"[ :]+", line)[1] for line in bad] == [
        "logs.sources.gone",
        "result_store.url",
        "lms.url",
    ]


def test_store_upgrade_makes_the_tables(shell: Shell) -> None:
    shell.pharos("store", "upgrade", "--store", "sqlite:///elsewhere/store.sqlite")
    shell.pharos("store", "upgrade", "--store", "sqlite:///elsewhere/store.sqlite")
    with sqlite3.connect(shell.folder / "elsewhere" / "store.sqlite") as store:
        names = {name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    store.close()
    assert names >= {tables.course_enrollment_daily.name, tables.course_activity.name}
    said = shell.pharos("store", "upgrade", "--store", "foo:bar", code=2).stderr
    assert "result_store.url: is no address of a database" in said


def test_tokens(shell: Shell) -> None:
    assert "cannot be used" in shell.pharos("token", "list", code=1).stderr
    shell.pharos("store", "upgrade")
    assert shell.pharos("token", "list").stdout.startswith("There are no tokens.")
    token = shell.pharos("token", "create", "insights").stdout.strip()
    assert re.fullmatch(r"\S{40,}", token)
    assert "'insights'" in shell.pharos("token", "create", "insights", code=1).stderr
    listed = shell.pharos("token", "list").stdout
    assert re.search(r"-  +-  +insights  all courses$", listed, re.MULTILINE)
    assert token not in listed
    assert shell.pharos("token", "revoke", "insights").stdout == "Token insights is revoked.\n"
    assert not re.search(r"-  +-  +insights", shell.pharos("token", "list").stdout)
    assert "no valid token named 'nobody'" in shell.pharos("token", "revoke", "nobody", code=1).stderr


def test_tokens_of_few_rights(shell: Shell) -> None:
    shell.pharos("store", "upgrade")
    scope = ("--course", "edX/DemoX/2014", "--course", "course-v1:edX+A+1", "--organization", "OrgX")
    limits = ("--learners", "--expires", "2099-01-31", "--requests-per-minute", "5")
    shell.pharos("token", "create", "few", *scope, *limits)
    listed = shell.pharos("token", "list").stdout
    assert "2099-01-31 00:00" in listed
    assert "OrgX, course-v1:edX+A+1, edX/DemoX/2014, data of learners" in listed
    for option, value in (
        ("--course", "nonsense"),
        ("--expires", "soon"),
        ("--expires", "2020-01-31"),
        ("--requests-per-minute", "0"),
    ):
        assert option in shell.pharos("token", "create", "bad", option, value, code=2).stderr


def test_output_may_be_cut_short(shell: Shell) -> None:
    """As by `pharos quarantine | head`."""
    shell.write("tracking.log", ["garbage"] * 5000)
    shell.pharos("ingest", "--logs", "tracking.log")
    command = ["sh", "-c", f"{PROGRAM} quarantine | head -n 1"]
    done = subprocess.run(command, cwd=shell.folder, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("tracking.log:1: not JSON\n")
    assert "Traceback" not in done.stderr


def test_a_token_that_clients_already_hold(shell: Shell) -> None:
    shell.pharos("store", "upgrade")
    held = "0123456789abcdef" * 2
    created = shell.pharos("token", "create", "old", "--given", stdin=f"{held}\n")
    assert created.stdout == "Token old is valid.\n"
    assert "20 or more" in shell.pharos("token", "create", "weak", "--given", stdin="edx\n", code=1).stderr


# For cron --------------------------------------------------------------------------------------------------


def test_quiet_says_nothing_when_all_went_well(shell: Shell) -> None:
    shell.write("logs/tracking.log", LOG)
    for verb in (["run", "--logs", "logs"], ["ingest", "--logs", "logs"], ["compute"]):
        done = shell.pharos(*verb, "--quiet")
        assert (done.stdout, done.stderr) == ("", "")


def test_quiet_says_what_failed(shell: Shell) -> None:
    assert "gone: no such file" in shell.pharos("run", "--quiet", "--logs", "gone", code=1).stderr
    assert "lms.database" in shell.pharos("import", "--quiet", code=2).stderr
    done = shell.pharos("import", "--quiet", "--lms-database", "sqlite:///gone.sqlite", code=1)
    assert "gone.sqlite" in done.stdout + done.stderr
    shell.write("logs/tracking.log", LOG)
    shell.pharos("run", "--logs", "logs", *UNTIL)
    with sqlite3.connect(shell.folder / ".pharos/result_store.sqlite") as store:
        store.execute("DELETE FROM pharos_publication WHERE table_name = 'course_enrollment_daily'")
    store.close()
    done = shell.pharos("compute", "--quiet", *UNTIL, code=1)
    assert (done.stdout, done.stderr.count("pharos store adopt")) == ("", 1)
    done = shell.pharos("compute", "--log-format", "json", *UNTIL, code=1)
    last = json.loads(done.stderr.splitlines()[-1])
    assert (last["level"], "pharos store adopt" in last["event"]) == ("error", True)


def test_quiet_leaves_the_word_to_the_run_that_works(shell: Shell) -> None:
    shell.write("logs/tracking.log", LOG)
    (shell.folder / ".pharos" / "lake").mkdir(parents=True)
    with (shell.folder / ".pharos" / "lake" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = shell.pharos("run", "--quiet", "--logs", "logs", code=75)
        assert (done.stdout, done.stderr) == ("", "")
        assert "another run is writing" in shell.pharos("run", "--logs", "logs", code=75).stderr


def test_report_and_errors_as_json(shell: Shell) -> None:
    shell.write("logs/tracking.log", LOG)
    done = shell.pharos("run", "--log-format", "json", "--logs", "logs", *UNTIL)
    assert done.stdout == ""
    (report,) = map(json.loads, done.stderr.splitlines())
    assert (report["event"], report["level"], report["events"]) == ("run ended", "info", 3)
    assert report["until"] == "2024-03-12T00:00:00Z"
    assert (report["imported"], report["import_problems"], report["malformed"]) == (0, {}, {})
    for arguments, code, text in (
        (["run", "--logs", "gone"], 1, "gone: no such file"),
        (["import"], 2, "lms.database"),
    ):
        failed = shell.pharos(*arguments, "--log-format", "json", code=code)
        (line,) = map(json.loads, failed.stderr.splitlines())
        assert line["level"] == "error"
        assert text in line["event"]
    assert "logging.format" in shell.pharos("run", "--log-format", "xml", code=2).stderr


def test_an_import_that_failed_in_part_says_why_in_its_report(shell: Shell) -> None:
    """The scheduler keeps the report with the job; alerts, status and metrics tell it."""
    shell.write("logs/tracking.log", LOG)
    with sqlite3.connect(shell.folder / "lms.sqlite") as lms:
        lms.execute("CREATE TABLE auth_user (id, username, email, is_active, is_staff, is_superuser)")
        lms.execute("INSERT INTO auth_user VALUES (1, 'zoe', 'z@x', 1, 0, 0), (NULL, 'mo', '', 1, 0, 0)")
    lms.close()
    line = ["--log-format", "json", "--logs", "logs", "--lms-database", "sqlite:///lms.sqlite"]
    report = json.loads(shell.pharos("run", *line).stderr.splitlines()[-1])
    required = {name for name, table in TABLES.items() if not table.is_optional}
    assert (report["imported"], report["not_imported"]) == (1, len(required) - 1)
    assert report["malformed"] == {"auth_user": 1}
    reasons = {table: why for why, tables in report["import_problems"].items() for table in tables}
    assert reasons.keys() == required - {"auth_user"}
    assert "auth_userprofile does not exist" in reasons["auth_userprofile"]
    assert shell.pharos("status").stdout.count("auth_userprofile does not exist") == 1, "not twice"


def test_the_next_runs_are_shown(shell: Shell) -> None:
    assert "No jobs" in shell.pharos("scheduler", "--next").stdout
    (shell.folder / ".pharos").mkdir(exist_ok=True)
    (shell.folder / ".pharos" / "pharos.yaml").write_text(
        "scheduler: {time_zone: Europe/Berlin, jobs: {daily: {cron: '30 2 1 1 *'}}}"
    )
    line = shell.pharos("scheduler", "--next").stdout.splitlines()[-1]
    assert re.fullmatch(r"\d{4}-01-01 01:30:00  - +daily", line)
    (shell.folder / ".pharos" / "pharos.yaml").write_text(
        "scheduler: {time_zone: Mars, jobs: {daily: {cron: '61 * * * *'}}}"
    )
    mistakes = shell.pharos("scheduler", "--next", code=2).stderr
    assert "scheduler.time_zone: 'Mars' is no time zone" in mistakes
    assert "scheduler.jobs.daily.cron: is no cron expression: bad minute" in mistakes


# Whose files they are -------------------------------------------------------------------------------------


def test_the_version(shell: Shell) -> None:
    assert shell.pharos("--version").stdout == f"pharos {version('pharos')}\n"


def test_nobody_else_reads_what_is_written_whatever_the_umask(shell: Shell) -> None:
    """Settings, home, lake, store and backup."""
    before = os.umask(0)
    try:
        shell.pharos("init", "--home", "home")
        shell.write("tracking.log", LOG)
        shell.pharos("run", "--logs", "tracking.log", "--home", "home", *UNTIL)
        shell.pharos("backup", "copy", "--home", "home")
    finally:
        os.umask(before)
    written = [
        path for name in ("home", "copy") for path in (shell.folder / name, *(shell.folder / name).rglob("*"))
    ]
    assert {"pharos.yaml", "result_store.sqlite", "lake"} <= {path.name for path in written}
    open_to_others = [path for path in written if path.stat().st_mode & 0o077]
    assert open_to_others == []


@pytest.mark.parametrize("verb", [["run"], ["compute"]])
def test_the_future_cannot_be_described(verb: list[str], shell: Shell) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    shell.write("tracking.log", LOG)
    done = shell.pharos(*verb, "--until", tomorrow, code=2)
    assert f"--until: '{tomorrow}' lies in the future" in done.stderr
    assert not (shell.folder / ".pharos").exists()


def test_an_error_forges_no_line(shell: Shell) -> None:
    done = shell.pharos("run", "--logs", "no\nsuch\x1b[2Jlog", code=1)
    assert "\x1b" not in done.stderr


def test_the_status_names_the_problems_of_the_data(shell: Shell) -> None:
    """Not the rotation of a log, which is none."""
    shell.write("logs/tracking.log", [*LOG, "no event"])
    shell.write("logs/all.txt", LOG)
    sources = '{"lms": {"paths": ["logs"]}}'
    shell.pharos("run", *UNTIL, PHAROS_LOGS__SOURCES=sources)
    (shell.folder / "logs/tracking.log").rename(shell.folder / "logs/tracking.log-20240305")
    report = shell.pharos("run", *UNTIL, "--log-format", "json", PHAROS_LOGS__SOURCES=sources)
    (ended,) = [json.loads(line) for line in report.stderr.splitlines()]
    assert [problem["kind"] for problem in ended["problems"]] == ["old events", "quarantine"]
    told = shell.pharos("status", PHAROS_LOGS__SOURCES=sources).stdout
    assert "2 problems of the data:" in told
    assert "old events: lms: The newest event of the log source lms is of 2024-03-04 09:00 UTC" in told
    assert "seen before" not in told
    assert "lms: 1 file passed over, as the pattern .*tracking\\.log.* does not match" in told
    whole = json.loads(shell.pharos("status", "--json", PHAROS_LOGS__SOURCES=sources).stdout)
    assert whole["problems"] == ended["problems"]


# Damage --------------------------------------------------------------------------------------------------


def test_a_damaged_file_of_events_is_found_and_made_anew(shell: Shell) -> None:
    shell.write("tracking.log", [*LOG, "no event"])
    shell.pharos("run", "--logs", "tracking.log", *UNTIL)
    assert "0 damaged" in shell.pharos("lake", "verify").stdout
    assert "No file" in shell.pharos("lake", "repair").stdout
    path = min((shell.folder / ".pharos/lake/events").rglob("*.parquet"))
    name = str(path.relative_to(shell.folder / ".pharos/lake"))
    path.write_bytes(bytes(path.stat().st_size))
    found = shell.pharos("lake", "verify", "--megabytes", "1", code=1)
    assert f"{name} does not fit its checksum; its 1 events were read from" in found.stderr
    assert "1 file of the lake: " in shell.pharos("status").stdout
    path.unlink()
    told = shell.pharos("run", "--logs", "tracking.log", *UNTIL, code=1).stderr
    assert f"{name} is missing" in told
    assert "pharos lake repair" in told
    (shell.folder / "tracking.log").rename(shell.folder / "elsewhere.log")
    refused = shell.pharos("lake", "repair", code=1).stdout
    assert "1 events cannot be restored" in refused
    assert "--accept-loss" in refused
    assert "Restored 1 events" in shell.pharos("lake", "repair", "--logs", "elsewhere.log").stdout
    shell.pharos("run", "--full", "--logs", "elsewhere.log", *UNTIL)
    assert shell.learners() == ALL_DAYS


def test_a_damaged_ledger_is_told_and_made_anew(shell: Shell) -> None:
    shell.write("tracking.log", LOG)
    shell.pharos("run", "--logs", "tracking.log", *UNTIL)
    assert "nothing was done" in shell.pharos("lake", "rebuild").stdout
    for path in (shell.folder / ".pharos/lake/ledger").glob("*.json"):
        path.unlink()
    for verb in (["run", "--logs", "tracking.log"], ["status"], ["lake", "repair"], ["quarantine"]):
        assert "pharos lake rebuild" in shell.pharos(*verb, code=1).stderr
    told = shell.pharos("lake", "rebuild").stdout
    assert "3 files with 3 events" in told
    assert "`pharos run` reads all logs" in told
    assert "3 duplicates" in shell.pharos("run", "--full", "--logs", "tracking.log", *UNTIL).stdout
    assert shell.learners() == ALL_DAYS


def test_a_damaged_fact_or_result_is_made_anew(shell: Shell) -> None:
    shell.write("tracking.log", LOG)
    shell.pharos("run", "--logs", "tracking.log", *UNTIL)
    made = [
        *shell.folder.glob(".pharos/lake/facts/**/*.parquet"),
        *shell.folder.glob(".pharos/lake/results/**/*.parquet"),
    ]
    for number, path in enumerate(sorted(made)):
        data = path.read_bytes()
        path.write_bytes(
            [b"", data[: len(data) // 2], data[:20] + bytes([data[20] ^ 1]) + data[21:]][number % 3]
        )
    shell.pharos("status")
    shell.write("tracking.log", [*LOG, enrollment("2024-03-04 09:00", "activated", user=3)])
    shell.pharos("run", "--logs", "tracking.log", *UNTIL)
    assert shell.learners() == ALL_DAYS[:2] + [(day, 3) for day, _ in ALL_DAYS[2:]]
