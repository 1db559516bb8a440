"""All facts and metrics; importing their modules registers them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from graphlib import TopologicalSorter
from types import ModuleType
from typing import TypeVar

from pharos import facts, metrics
from pharos.facts.fact import Fact
from pharos.metrics.metric import Metric

Node = TypeVar("Node", Fact, Metric)


def _declared(room: ModuleType, kind: type[Node]) -> Iterator[Node]:
    """The facts or metrics that the modules of a room declare, each once."""
    for found in sorted(pkgutil.iter_modules(room.__path__), key=lambda module: module.name):
        module = importlib.import_module(f"{room.__name__}.{found.name}")
        yield from (
            node
            for node in vars(module).values()
            if isinstance(node, kind) and node.function.__module__ == module.__name__
        )


FACTS: dict[str, Fact] = {fact.name: fact for fact in _declared(facts, Fact)}
METRICS: dict[str, Metric] = {metric.name: metric for metric in _declared(metrics, Metric)}


def in_order() -> list[Metric]:
    """The metrics, each after the metrics it is computed from."""
    needs = {metric.name: [name for name in metric.inputs if name in METRICS] for metric in METRICS.values()}
    return [METRICS[name] for name in TopologicalSorter(needs).static_order()]
