"""Changes the program in many small ways and says which changes no test notices.

    .venv/bin/python scripts/mutations.py [--seed 1] [--count 100] [--only metrics keys.py] [-k "not spark"]

Each change (a comparison turned, a boundary moved by one, a constant, a negation, a call left out) is made in
a copy of `src`, and the tests of the changed module are run against the copy. A change that lives on is
printed: a test is missing, or the change means the same. The same seed makes the same changes in the same
sources; all rooms get as many. Numbers above 100 are sizes chosen by measurement and stay. Ends with code 1
if fewer than 95 of 100 changes die.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
sys.path.insert(0, str(CHECKOUT))

from tests.mirrors import SOURCE, modules, room_of, tests_of  # noqa: E402 - needs the line above

LEAST_DEAD = 0.95
LARGEST = 100
PRELOADED = (
    *("duckdb", "fastapi", "httpx", "hypothesis.strategies", "ibis", "numpy", "playwright.sync_api"),
    *("pyarrow.parquet", "pydantic", "sqlalchemy.dialects.mysql", "uvicorn"),
)
LONGEST_S = 300  # a change may make a program wait for ever: then a test has noticed it
TURNED: dict[type[ast.cmpop], str] = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
}
WRITTEN: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
SAID_ONLY = ("log", "logging", "warnings")  # calls that only tell somebody


@dataclass(frozen=True)
class Change:
    """Characters `start` to `end` of a module become `new`."""

    module: Path
    line: int
    start: int
    end: int
    new: str

    def applied(self, text: str) -> str:
        return text[: self.start] + self.new + text[self.end :]

    def shown(self, text: str) -> str:
        line = text.splitlines()[self.line - 1].strip()
        old = text[self.start : self.end].replace("\n", " ")
        return f"{self.module}:{self.line}: `{old[:60]}` → `{self.new[:60]}`   in   {line[:100]}"


def changes_of(module: Path, text: str) -> list[Change]:
    """All changes this script knows, in the order of the text."""
    return sorted(_Finder(module, text).found, key=lambda change: (change.start, change.new))


class _Finder(ast.NodeVisitor):
    def __init__(self, module: Path, text: str) -> None:
        self.module, self.text, self.found = module, text, list[Change]()
        self._starts = [0]
        for line in text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._lines = text.splitlines(keepends=True)
        self.visit(ast.parse(text))

    def _at(self, line: int, column: int) -> int:
        """Columns of `ast` are bytes of UTF-8."""
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None and node.end_col_offset is not None  # noqa: S101, PT018
        return self._at(node.lineno, node.col_offset), self._at(node.end_lineno, node.end_col_offset)

    def _change(self, node: ast.expr | ast.stmt, new: str) -> None:
        start, end = self._span(node)
        self.found.append(Change(self.module, node.lineno, start, end, new))

    def visit_Compare(self, node: ast.Compare) -> None:
        before = node.left
        for operator, after in zip(node.ops, node.comparators, strict=True):
            between = self.text[self._span(before)[1] : self._span(after)[0]]
            place = between.find(WRITTEN[type(operator)])
            if place >= 0:
                start = self._span(before)[1] + place
                end = start + len(WRITTEN[type(operator)])
                new = TURNED[type(operator)]
                self.found.append(Change(self.module, node.lineno, start, end, new))
            before = after
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self._change(node, str(not node.value))
        elif (
            isinstance(node.value, int) and node.value <= LARGEST and self.text[self._span(node)[0]].isdigit()
        ):
            self._change(node, str(node.value + 1))

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        word, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        left, right = node.values[0], node.values[1]
        start = self._span(left)[1]
        place = self.text[start : self._span(right)[0]].find(word)
        if place >= 0:
            at = start + place
            self.found.append(Change(self.module, node.lineno, at, at + len(word), other))
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not | ast.Invert):
            self._change(node, f"({self.text[slice(*self._span(node.operand))]})")
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            self._change(node.test, f"not ({self.text[slice(*self._span(node.test))]})")
            self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        """A call for its effect alone, left out."""
        if isinstance(node.value, ast.Call | ast.Await):
            names = [inner.id for inner in ast.walk(node.value) if isinstance(inner, ast.Name)]
            if not set(names) & set(SAID_ONLY):
                self._change(node, "None")
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """The body, not the decorators."""
        for statement in node.body:
            self.visit(statement)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._visit_function(node)

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Defaults and bodies, not decorators and types: those are read, or checked by mypy."""
        for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.visit(default)
        for statement in node.body:
            self.visit(statement)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Assert(self, node: ast.Assert) -> None:
        """Of our sources, only said to the type checker."""


def chosen(seed: int, count: int, only: Sequence[str] = ("",)) -> list[Change]:
    """As many changes of each room, in an order that the seed gives."""
    dice = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    by_room: dict[str, list[Change]] = {}
    for module in modules():
        place = module.relative_to(SOURCE)
        if place.as_posix().startswith(tuple(only)) and tests_of(module):
            found = changes_of(place, module.read_text(encoding="utf-8"))
            by_room.setdefault(room_of(module), []).extend(found)
    for changes in by_room.values():
        dice.shuffle(changes)
    in_turn = [change for row in zip_longest(*by_room.values()) for change in row if change is not None]
    return in_turn[:count]


def main() -> int:
    """Make the changes one by one; the exit code."""
    asked = _arguments()
    os.chdir(CHECKOUT)
    for name in PRELOADED:
        importlib.import_module(name)
    changes = chosen(asked.seed, asked.count, asked.only)
    alive, skipped = [], 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(SOURCE.parent, Path(folder) / "src"))
        good: dict[Path, bool] = {}
        for number, change in enumerate(changes, 1):
            module = copy / "pharos" / change.module
            if change.module not in good:
                good[change.module] = _passes(copy, change.module, asked.k)
            if not good[change.module]:
                skipped += 1
                print(
                    f"{number:4} skipped: tests of {change.module} fail or are none without a change",
                    flush=True,
                )
                continue
            text = module.read_text(encoding="utf-8")
            module.write_text(change.applied(text), encoding="utf-8")
            dead = not _passes(copy, change.module, asked.k)
            module.write_text(text, encoding="utf-8")
            print(f"{number:4} {'dead ' if dead else 'ALIVE'} {change.shown(text)}", flush=True)
            if not dead:
                alive.append(change.shown(text))
    tried = len(changes) - skipped
    share = (tried - len(alive)) / tried if tried else 0.0
    print(f"\n{tried} changes, {tried - len(alive)} noticed ({share:.1%}), {skipped} skipped. Alive:")
    print(*(alive or ["none"]), sep="\n")
    return 0 if share >= LEAST_DEAD else 1


def _passes(copy: Path, module: Path, expression: str) -> bool:
    """Whether the tests of the module pass with the copy; too long a wait is a failure.

    They run in a fork, which has what tests import from others already: that saves most of the time.
    """
    tests = [str(path) for path in tests_of(SOURCE / module)]
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        os.environ |= {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        sys.path.insert(0, str(copy))
        rewritten = "ignore::pytest.PytestAssertRewriteWarning"  # plugins that are imported already
        options = ["-q", "-x", "-p", "no:cacheprovider", "-W", rewritten, "-k", expression]
        code = pytest.main([*options, *tests])
        os._exit(int(code))
    until = time.monotonic() + LONGEST_S
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.1)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--only", nargs="*", default=[""], help="beginnings of paths below src/pharos")
    parser.add_argument("-k", default="not spark", help="which tests, as pytest's -k")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
