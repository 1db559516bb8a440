"""Watches that a definition's version is raised when the code that computes its numbers changes.

`scripts/definitions.json` holds, for each computed table, the version of its definition and the fingerprint
of the code behind it, of its facts and of the metrics it is computed from; see
`pharos.pipeline.fingerprints`. Without arguments this program writes down
what is new; it refuses where code changed and the version did not, unless told `--same-numbers TABLE…`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pharos import geolocation
from pharos.pipeline import fingerprints, inputs
from pharos.pipeline.graph import FACTS, METRICS

LOCK = Path(__file__).with_suffix(".json")

Locked = dict[str, dict[str, Any]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; say what is wrong")
    parser.add_argument("--same-numbers", nargs="+", default=[], metavar="TABLE", choices=[*METRICS, "all"])
    chosen = parser.parse_args()
    before: Locked = json.loads(LOCK.read_text(encoding="utf-8")) if LOCK.exists() else {}
    now = current()
    same = set(METRICS if "all" in chosen.same_numbers else chosen.same_numbers)
    refused = [*unversioned(before, now, same), *(missing(before, now) if chosen.check else ())]
    if refused:
        sys.exit("\n".join(refused))
    if not chosen.check:
        LOCK.write_text(json.dumps(now, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def unversioned(before: Locked, now: Locked, same: set[str]) -> Iterator[str]:
    """What must not be written down: numbers may have changed under an old version."""
    for name in sorted(before.keys() & now.keys() - same):
        version, was = now[name]["version"], before[name]["version"]
        if version < was:
            yield f"{name}: version {version} of the definition is older than {was}, which was there before"
        elif version == was and now[name]["code"] != before[name]["code"]:
            yield (
                f"{name}: the code behind version {version} has changed. If numbers may change, raise the "
                "version of its Definition in src/pharos/result_store/tables/ and run "
                "`python scripts/definitions.py`; "
                f"if they certainly stay the same, run `python scripts/definitions.py --same-numbers {name}`"
            )


def missing(before: Locked, now: Locked) -> Iterator[str]:
    """What is not written down yet."""
    for name in sorted(before.keys() | now.keys()):
        known = before.get(name, {}).get("version")
        if name not in before or name not in now or known < now[name]["version"]:
            yield f"{name}: scripts/definitions.json is out of date; run `python scripts/definitions.py`"


def current() -> Locked:
    """The version and the code's fingerprint of each computed table."""
    return {
        name: {"version": metric.table.info["definition"].version, "code": _fingerprint(name)}
        for name, metric in METRICS.items()
    }


def _fingerprint(table: str) -> str:
    return fingerprints.of_code(_functions(table), {})


def _functions(table: str) -> Iterator[Callable[..., Any]]:
    """The functions of a table's metric and of everything that it is computed from."""
    yield METRICS[table].function
    for name in METRICS[table].inputs:
        if name in METRICS:
            yield from _functions(name)
        elif (fact := inputs.fact_of(name)) is not None:
            yield FACTS[fact].function
        elif name == "country_of":
            yield geolocation.codes


if __name__ == "__main__":
    main()
