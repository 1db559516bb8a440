"""Logs to lake to results: speed in multiples of what single-core `zcat` takes on the same files, and memory.

python benchmarks lake --learners 4400              # about 1 million events
python benchmarks lake --learners 43000 --quick     # about 10 million, without the alternatives
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import sys
from datetime import date
from pathlib import Path

from benchmarks.measuring import Measured, run
from rich.console import Console
from rich.table import Table

from pharos.demo.campus import Campus
from pharos.demo.log_files import write_logs

OUT = Path(__file__).parent / "out"
PHAROS = str(Path(sys.executable).parent / "pharos")
UNTIL = date(2026, 1, 1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--learners", type=int, default=4400)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--times", type=int, default=3, help="runs of each program; the median counts")
    parser.add_argument("--quick", action="store_true", help="leave out plain Python and plain Spark")
    parser.add_argument("--part", choices=["python", "spark"], help=argparse.SUPPRESS)
    parser.add_argument("--logs", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.part:
        (plain_python if chosen.part == "python" else plain_spark)(chosen.logs)
    else:
        measure(chosen.learners, chosen.days, chosen.times, quick=chosen.quick)


def measure(learners: int, days: int, times: int, *, quick: bool) -> None:
    logs = OUT / f"logs-{learners}-{days}"
    facts = _generated(logs, learners, days)
    lines, size = facts["lines"], facts["size_bytes"]
    home = OUT / "home"
    everything = ["sh", "-c", f"cat {logs}/*/tracking.log; zcat {logs}/*/*.gz"]
    zcat = run(everything, times=times)
    table = Table("what", "wall s", "x zcat", "lines/s", "MB/s", "cpu s", "peak MB", title=f"{lines:,} lines")

    def row(name: str, measured: Measured, of: int = lines) -> None:
        table.add_row(
            name, f"{measured.wall_s:.2f}", f"{measured.wall_s / zcat.wall_s:.2f}",
            f"{of / measured.wall_s:,.0f}", f"{size * of / lines / measured.wall_s / 1e6:,.0f}",
            f"{measured.cpu_s:.2f}", f"{measured.peak_mb:,.0f}",
        )  # fmt: skip

    def fresh() -> None:
        shutil.rmtree(home, ignore_errors=True)

    row("zcat, one core", zcat)
    row(
        "pharos ingest",
        run([PHAROS, "ingest", "--home", str(home), "--logs", str(logs)], times=times, before=fresh),
    )
    lake = sum(path.stat().st_size for path in (home / "lake/events").rglob("*.parquet"))
    row("pharos compute after it", run([PHAROS, "compute", "--home", str(home), "--until", str(UNTIL)]))
    whole = [PHAROS, "run", "--home", str(home), "--until", str(UNTIL), "--logs", str(logs)]
    row("pharos run, whole", run(whole, times=times, before=fresh))
    row("pharos run again, nothing new", run(whole, times=times))
    _one_more_day(logs, home, times, table, zcat)
    if not quick:
        for name in ("python", "spark"):
            command = [
                sys.executable,
                str(Path(__file__).parent),
                "lake",
                "--part",
                name,
                "--logs",
                str(logs),
            ]
            row(f"plain {name}", run(command))
    console = Console(width=110)
    console.print(table)
    console.print(f"{lake / facts['events']:.1f} bytes per event in the lake")
    console.print(f"{size / lines:.0f} bytes per line in the logs")


def _one_more_day(logs: Path, home: Path, times: int, table: Table, zcat: Measured) -> None:
    """The last day on top of all others, beside the last day alone."""
    last = [str(path) for path in sorted(logs.glob("*/tracking.log"))]
    others = [str(path) for path in sorted(logs.glob("*/*.gz"))]

    def command(paths: list[str]) -> list[str]:
        return [PHAROS, "run", "--home", str(home), "--until", str(UNTIL), "--logs", *paths]

    def history() -> None:
        shutil.rmtree(home, ignore_errors=True)
        run(command(others))

    def fresh() -> None:
        shutil.rmtree(home, ignore_errors=True)

    alone = run(command(last), times=times, before=fresh)
    added = run(command(last), times=times, before=history)
    for name, measured in (("one day alone", alone), ("the same day on top of all others", added)):
        table.add_row(
            name, f"{measured.wall_s:.2f}", f"{measured.wall_s / zcat.wall_s:.2f}", "", "",
            f"{measured.cpu_s:.2f}", f"{measured.peak_mb:,.0f}",
        )  # fmt: skip
    table.add_row("", "", f"{added.wall_s / alone.wall_s:.2f} x alone")


def plain_python(logs: Path) -> None:
    """The plainest alternative: decode each line, keep nothing."""
    for path in sorted(logs.glob("*/*")):
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
            for line in file:
                start = line.find("{")
                try:
                    json.loads(line[start:])
                except ValueError:
                    continue


def plain_spark(logs: Path) -> None:
    """What a Spark user would write first: text, cut, decode, partition by date."""
    from pyspark.sql import SparkSession, functions  # noqa: PLC0415 - only this part needs it

    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    text = session.read.text([str(path) for path in logs.glob("*/*")])
    cut = text.select(functions.expr("substring(value, instr(value, '{'))").alias("json"))
    names = ["time", "event_type", "event_source", "username", "ip", "agent", "page", "event", "context"]
    schema = ", ".join(f"{name} string" for name in names)
    events = cut.select(functions.from_json("json", schema).alias("event")).select("event.*")
    dated = events.withColumn("date", functions.substring("time", 1, 10))
    dated.repartition("date").write.mode("overwrite").partitionBy("date").parquet(str(OUT / "spark"))


def _generated(folder: Path, learners: int, days: int) -> dict[str, int]:
    """Logs of a campus, written once; how many lines, events and bytes they are."""
    facts = folder.with_suffix(".json")
    if not facts.exists():
        summary = write_logs(folder, Campus(seed=1, learners=learners, days=days, until=UNTIL))
        found = {"lines": summary.lines, "events": summary.events, "size_bytes": summary.size_bytes}
        facts.write_text(json.dumps(found), encoding="utf-8")
    known: dict[str, int] = json.loads(facts.read_text(encoding="utf-8"))
    return known


if __name__ == "__main__":
    main()
