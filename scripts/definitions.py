"""Watches that a definition's version is raised when the code that computes its numbers changes.

`scripts/definitions.json` holds, for each computed table, the version of its definition and the fingerprint
of the code: the metric's function, the facts and metrics it is computed from, and every function and constant
of ours that these use; without docstrings, comments and layout. Without arguments this program writes down
what is new; it refuses where code changed and the version did not, unless told `--same-numbers TABLE…`.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pharos import geolocation
from pharos.pipeline.graph import FACTS, METRICS

LOCK = Path(__file__).with_suffix(".json")
ROOMS = ("pharos.keys", "pharos.geolocation", "pharos.facts", "pharos.metrics", "pharos.engine.functions")
MACHINERY = ("pharos.facts.fact", "pharos.metrics.metric")  # what a fact and a metric is; computes nothing

Place = tuple[str, str]  # module, name in it
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
    waiting = [_place(function) for function in _functions(table)]
    found: dict[Place, str] = {}
    while waiting:
        place = waiting.pop()
        if place not in found:
            node = _definitions(place[0])[place[1]]
            found[place] = ast.unparse(_without_docstrings(node))
            waiting += _used(place[0], node)
    text = "\n".join(f"{module}.{name}\n{code}" for (module, name), code in sorted(found.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _functions(table: str) -> Iterator[Callable[..., Any]]:
    """The function of a table's metric and those of all that it is computed from."""
    yield METRICS[table].function
    for name in METRICS[table].inputs:
        if name in METRICS:
            yield from _functions(name)
        elif name in FACTS:
            yield FACTS[name].function
        elif name == "country_of":
            yield geolocation.codes


def _place(function: Callable[..., Any]) -> Place:
    return function.__module__, function.__name__


@cache
def _definitions(module: str) -> dict[str, ast.stmt]:
    """What a module defines, by name."""
    found: dict[str, ast.stmt] = {}
    for node in ast.parse(inspect.getsource(importlib.import_module(module))).body:
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                found[node.name] = node
            case ast.Assign(targets=targets):
                found |= {
                    part.id: node
                    for target in targets
                    for part in ast.walk(target)
                    if isinstance(part, ast.Name)
                }
            case ast.AnnAssign(target=ast.Name(id=name)):
                found[name] = node
    return found


@cache
def _imports(module: str) -> dict[str, Place]:
    """What a module imports from our rooms, by name there; a module has no name in itself."""
    found: dict[str, Place] = {}
    for node in ast.walk(ast.parse(inspect.getsource(importlib.import_module(module)))):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                place = (whole, "") if _is_module(whole) else (node.module, alias.name)
                if place[0].startswith(ROOMS) and place[0] not in MACHINERY:
                    found[alias.asname or alias.name] = place
    return found


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _used(module: str, node: ast.AST) -> Iterator[Place]:
    """What of ours a definition names."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            place = _imports(module).get(part.id, (module, part.id))
        elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
            place = (_imports(module).get(part.value.id, ("", ""))[0], part.attr)
        else:
            continue
        if place[0] and place[1] in _definitions(place[0]):
            yield place


def _without_docstrings(node: ast.stmt) -> ast.stmt:
    for part in ast.walk(node):
        if isinstance(part, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(part) is not None:
            part.body = part.body[1:] or [ast.Pass()]
    return node


if __name__ == "__main__":
    main()
