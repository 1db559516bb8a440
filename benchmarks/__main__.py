"""Measures speed and memory; prints tables. `make bench` runs everything, `make bench ARGS="lake"` one part.

Nothing here is asserted by a test: figures depend on the machine, ratios less so. Each part compares with
something plain on the same files in the same run.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

HERE = Path(__file__).parent
HELPERS = {"__main__", "computing", "generate", "measuring"}
PARTS = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in HELPERS)


def main() -> None:
    sys.path.insert(0, str(HERE.parent))
    chosen = sys.argv[1:2] or PARTS
    options = sys.argv[2:]
    for part in chosen:
        if part not in PARTS:
            sys.exit(f"{part}: no such part; there are {', '.join(PARTS)}")
        sys.argv = [str(HERE / f"{part}.py"), *options]
        runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
