"""What videos cost: viewings and the tables made from them, beside DuckDB sorting the same events once.

python benchmarks videos                          # 10 million events
python benchmarks videos --events 1000000

A hundredth as many learners as events, 500 course runs with 20 videos each, of three to ten minutes. A run
computes course runs whose facts changed; `touched` are the course runs of one more day. The bar is what
DuckDB needs to read the events, sort them by learner, video and time, and write them.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from benchmarks import computing
from rich.console import Console

from pharos.engine import Engine
from pharos.lms.tables import ALL
from pharos.pipeline.graph import METRICS

OUT = Path(__file__).parent / "out" / "videos"
COURSES, VIDEOS, TOUCHED = 500, 20, 10
TWO = ("viewing", "video_segment", "video", "video_timeline")
PLACES = (*TWO, "video_learner", "video_coverage", "video_place")
ALL_TABLES = (*PLACES, "video_week", "video_watching")
CASES = {
    "plain": "DuckDB reads, sorts and writes the events",
    "two": f"viewings, video and video_timeline of {COURSES} course runs",
    "places": f"the same with coverage and places of {COURSES} course runs",
    "all": f"the same with weeks and how videos are watched of {COURSES} course runs",
    "touched": f"all of them, of {TOUCHED} course runs",
}
SCHEMA = computing.fact_schema("video_event")
EVENTS_OF_A_VISIT = 4  # play, seek, play, pause
VISITS_AT_ONCE = 250_000
PLAIN = """
COPY (SELECT * FROM read_parquet('{file}') ORDER BY course_id, user_id, video, time)
TO '{file}.sorted' (FORMAT parquet)
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--case", choices=list(CASES), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    file = OUT / f"{chosen.events}.parquet"
    if chosen.case:
        if chosen.case == "plain":
            computing.plain(PLAIN.format(file=file), OUT)
        else:
            compute(file, chosen.case)
        return
    generate(file, chosen.events)
    size = ("--events", str(chosen.events))
    Console(width=110).print(computing.beside("videos", CASES, chosen.events, "events", *size))
    shutil.rmtree(OUT)


def generate(file: Path, events: int) -> None:
    """Write the facts: visits of a play, a seek, a play and a pause; one in ten ends without the pause."""
    file.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    visits = max(events // EVENTS_OF_A_VISIT, 1)
    learners = max(events // 100, 1)
    with pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
        for start in range(0, visits, VISITS_AT_ONCE):
            writer.write_table(_visits(rng, start, min(VISITS_AT_ONCE, visits - start), learners))


def _visits(rng: np.random.Generator, start: int, size: int, learners: int) -> pa.Table:
    user = rng.integers(1, learners + 1, size)
    course = (user + rng.integers(0, 5, size)) % COURSES
    video = rng.integers(0, VIDEOS, size)
    length = 180.0 + video * 20
    first = np.round(rng.random(size) * length / 2, 3)
    left = np.round(first + rng.random(size) * (length - first) / 2, 3)
    again = np.round(rng.random(size) * left, 3)
    end = np.round(again + rng.random(size) * (length - again), 3)
    began = (start + np.arange(size)) * 3_000_000
    offsets = (np.zeros(size), left - first, left - first + 1, left - first + 1 + end - again)
    positions, olds = (first, again, again, end), (None, left, None, None)
    kinds = ("play_video", "seek_video", "play_video", "pause_video")
    parts = []
    for kind, position, old, offset in zip(kinds, positions, olds, offsets, strict=True):
        time = np.datetime64("2024-01-01", "us") + (began + offset * 1_000_000).astype("int64")
        known: dict[str, object] = {
            "course_id": [f"course-v1:Uni+C{number}+2024" for number in course],
            "user_id": user,
            "video": [f"{number:032x}" for number in video],
            "session": [f"{number:032x}" for number in user],
            "is_mobile": np.zeros(size, bool),
            "time": time,
            "event_type": [kind] * size,
            "position": position,
            "old_position": np.full(size, np.nan) if old is None else old,
            "duration": length if kind == "play_video" else np.full(size, np.nan),
            "unused": pa.nulls(size, pa.string()),
            "count": np.ones(size, "int64"),
            "date": time.astype("datetime64[D]"),
        }
        columns = [pa.array(known[n], SCHEMA.field(n).type, from_pandas=True) for n in SCHEMA.names]
        rows = pa.table(columns, schema=SCHEMA)
        ends = kind != "pause_video"
        parts.append(rows if ends else rows.filter(pa.array(rng.random(size) >= 0.1)))  # noqa: PLR2004
    return pa.concat_tables(parts)


def compute(file: Path, case: str) -> None:
    """The tables, of all course runs or of those of one more day."""
    chosen = [f"course-v1:Uni+C{number}+2024" for number in range(TOUCHED)]

    def given(engine: Engine, name: str) -> object:
        if name in METRICS:
            return computing.computed(engine, OUT, name)
        if name == "video_compat":
            return False
        if name in ALL:
            return engine.read([], ALL[name].schema)
        if name != "counted_video_event":
            return engine.read([], computing.fact_schema(name.removeprefix("counted_")))
        rows = engine.read([file], SCHEMA)
        return rows.filter(rows.course_id.isin(chosen)) if case == "touched" else rows

    computing.compute({"two": TWO, "places": PLACES}.get(case, ALL_TABLES), OUT, given)


if __name__ == "__main__":
    main()
