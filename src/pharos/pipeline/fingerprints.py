"""Fingerprints of the code that computes results: equal fingerprints mean that the same values are computed.

A fingerprint covers definitions, not modules: the function itself and every function, class and constant that
it uses in the packages ROOMS, directly or through other definitions. Docstrings, comments and layout do not
count. `Engine.semantics` declares what an engine adds to a function (a macro, its own version); this counts
wherever the function is used. The pipeline decides by these fingerprints which results are stale, and
`scripts/definitions.py` whether a definition needs a new version.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import xxhash

ROOMS = (
    "pharos.keys", "pharos.geolocation", "pharos.facts", "pharos.metrics", "pharos.engine.functions",
    "pharos.result_store.folding", "pharos.result_store.tables",
)  # fmt: skip
MACHINERY = ("pharos.metrics.metric",)  # declares metrics, computes nothing

Place = tuple[str, str]  # module, name in it


def fingerprint(*parts: str) -> str:
    """Twelve hexadecimal digits: a hash of the texts, joined by newlines."""
    return xxhash.xxh3_64_hexdigest("\n".join(parts).encode())[:12]


def of_code(roots: Iterable[Callable[..., Any]], semantics: Mapping[str, str]) -> str:
    """The fingerprint of these functions on an engine with these semantics.

    `semantics` maps names of functions to the engine's translation; the entry of the empty name (the versions
    of the engine and of Ibis) always counts.
    """
    found = definitions(roots)
    names = {name for _, name in found}
    declared = [f"{name}={text}" for name, text in sorted(semantics.items()) if not name or name in names]
    return fingerprint(*(f"{module}.{name}\n{code}" for (module, name), code in found.items()), *declared)


def definitions(roots: Iterable[Callable[..., Any]]) -> dict[Place, str]:
    """The source code of all definitions that these functions use, sorted by (module, name)."""
    waiting = [(root.__module__, root.__name__) for root in roots]
    found: dict[Place, str] = {}
    while waiting:
        place = waiting.pop()
        if place not in found and place[0].startswith(ROOMS):
            found[place], used = _read(place)
            waiting += used
    return dict(sorted(found.items()))


@cache
def _read(place: Place) -> tuple[str, list[Place]]:
    """The code of a definition and the places it uses; cached, because many metrics share definitions."""
    module, name = place
    node = _defined(module)[name]
    return ast.unparse(_without_docstrings(node)), list(_used(module, node))


@cache
def _defined(module: str) -> dict[str, ast.stmt]:
    """The statement that defines each name of a module."""
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
def _imported(module: str) -> dict[str, Place]:
    """The place of each name that a module imports from the computing rooms; a module is (its name, "")."""
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
    """The places of our own definitions that a definition uses."""
    local = _parameters(node)  # a parameter may be named like a definition: metrics are named like inputs
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id not in local:
            place = _imported(module).get(part.id, (module, part.id))
        elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
            place = (_imported(module).get(part.value.id, ("", ""))[0], part.attr)
        else:
            continue
        if place[0] and place[1] in _defined(place[0]):
            yield place


def _parameters(node: ast.AST) -> set[str]:
    """The names of a function's parameters."""
    if not isinstance(node, ast.FunctionDef):
        return set()
    return {argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}


def _without_docstrings(node: ast.stmt) -> ast.stmt:
    for part in ast.walk(node):
        if isinstance(part, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(part) is not None:
            part.body = part.body[1:] or [ast.Pass()]
    return node
