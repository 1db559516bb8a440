"""Writes the tracking logs of a simulated campus for benchmarks, and says what was written and how fast.

python benchmarks/generate.py FOLDER --learners 4400    # about 1 million events
python benchmarks/generate.py FOLDER --learners 43000   # about 10 million
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from datetime import date
from pathlib import Path

from pharos.demo.campus import Campus
from pharos.demo.log_files import write_logs


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--learners", type=int, default=4400)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--until", type=date.fromisoformat, default=date(2026, 1, 1))
    chosen = parser.parse_args()
    campus = Campus(seed=chosen.seed, learners=chosen.learners, days=chosen.days, until=chosen.until)
    began = time.perf_counter()
    summary = write_logs(chosen.folder, campus)
    seconds = time.perf_counter() - began
    packed = sum(path.stat().st_size for path in summary.files)
    figures = {
        "events": summary.events,
        "lines": summary.lines,
        "seconds": round(seconds, 1),
        "events_per_second": round(summary.events / seconds),
        "bytes_per_line": round(summary.size_bytes / summary.lines),
        "bytes_per_line_on_disk": round(packed / summary.lines),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
