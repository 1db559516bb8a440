"""What item quality costs: its tables from the facts, beside DuckDB reading and sorting these facts once.

python benchmarks problems                        # 10 million submissions
python benchmarks problems --submissions 1000000

A hundredth as many learners as submissions, 500 course runs with 20 problems each. A run computes course runs
whose facts changed; `touched` are the course runs of one more day.
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
from pharos.facts.submission import MOST_AT_ONCE
from pharos.lms.tables import ALL
from pharos.pipeline.graph import FACTS, METRICS
from pharos.pipeline.inputs import fact_of

OUT = Path(__file__).parent / "out" / "problems"
COURSES, PROBLEMS, TOUCHED, ROWS_AT_ONCE = 500, 20, 10, 1_000_000
TABLES = ("learner_item", "item_content", "item_answer", "item_quality", "finding")
CASES = {
    "plain": "DuckDB reads, sorts and writes the facts",
    "first": f"{len(TABLES)} tables of {COURSES} course runs",
    "touched": f"{len(TABLES)} tables of {TOUCHED} course runs",
}
SCHEMA = FACTS["problem_submission"].schema
PLAIN = """
COPY (SELECT * FROM read_parquet('{file}') ORDER BY course_id, user_id, problem_id, moment)
TO '{file}.sorted' (FORMAT parquet)
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--submissions", type=int, default=10_000_000)
    parser.add_argument("--case", choices=list(CASES), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    file = OUT / f"{chosen.submissions}.parquet"
    if chosen.case:
        if chosen.case == "plain":
            computing.plain(PLAIN.format(file=file), OUT)
        else:
            compute(file, COURSES if chosen.case == "first" else TOUCHED)
        return
    generate(file, chosen.submissions)
    size = ("--submissions", str(chosen.submissions))
    Console(width=110).print(computing.beside("problems", CASES, chosen.submissions, "submissions", *size))
    shutil.rmtree(OUT)


def generate(file: Path, submissions: int) -> None:
    """Write the facts: able learners are right more often; a problem has five answers."""
    file.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    learners = max(submissions // 100, 1)
    with pq.ParquetWriter(file, SCHEMA.append(pa.field("date", pa.date32())), compression="zstd") as writer:
        for start in range(0, submissions, ROWS_AT_ONCE):
            writer.write_table(_submissions(rng, start, min(ROWS_AT_ONCE, submissions - start), learners))


def _submissions(rng: np.random.Generator, start: int, size: int, learners: int) -> pa.Table:
    user = rng.integers(1, learners + 1, size)
    course = (user + rng.integers(0, 5, size)) % COURSES
    problem = rng.integers(0, PROBLEMS, size)
    right = rng.random(size) < (user % 10) / 10
    answer = np.where(right, 0, rng.integers(1, 5, size))
    time = np.datetime64("2024-01-01", "us") + (start + np.arange(size)) * 1000
    texts = {
        "course_id": [f"course-v1:Uni+C{number}+2024" for number in course],
        "username": [f"user{number}" for number in user],
        "problem_id": [f"block-v1:Uni+type@problem+block@p{number}" for number in problem],
        "part_id": [f"p{number}_2_1" for number in problem],
        "answer": [f"The answer number {number}" for number in answer],
        "value_id": [f"choice_{number}" for number in answer],
    }
    same = {"response_type": "multiplechoiceresponse", "question": "Which is it?", "variant": ""}
    known: dict[str, object] = {**texts, **{name: [text] * size for name, text in same.items()}}
    known |= {"user_id": user, "time": time, "moment": time.astype("int64") * MOST_AT_ONCE}
    known |= {"is_correct": right, "is_success": right, "shows_answer": [True] * size}
    schema = SCHEMA.append(pa.field("date", pa.date32()))
    columns = [
        pa.array(known[name], schema.field(name).type) if name in known
        else pa.array(time.astype("datetime64[D]")) if name == "date"
        else pa.nulls(size, schema.field(name).type)
        for name in schema.names
    ]  # fmt: skip
    return pa.table(columns, schema=schema)


def compute(file: Path, courses: int) -> None:
    """All tables of the first course runs."""
    chosen = [f"course-v1:Uni+C{number}+2024" for number in range(courses)]

    def given(engine: Engine, name: str) -> object:
        if name in METRICS:
            return computing.computed(engine, OUT, name)  # of videos there are none
        if (fact := fact_of(name)) is None:
            return engine.read([], ALL[name.removeprefix("counted_")].schema)
        rows = engine.read([file] if fact == "problem_submission" else [], computing.fact_schema(fact))
        return rows.filter(rows.course_id.isin(chosen)) if courses < COURSES else rows

    computing.compute(TABLES, OUT, given)


if __name__ == "__main__":
    main()
