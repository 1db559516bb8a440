"""Alert rules and dashboard: judged by Prometheus' own tool, about metrics that the services really have."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests.insights.world import World, fill, world_of

from .conftest import DEPLOY

FOLDER = DEPLOY / "prometheus"
RULES: dict[str, Any] = yaml.safe_load((FOLDER / "pharos.rules.yml").read_text(encoding="utf-8"))
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana/pharos.json").read_text(encoding="utf-8"))
ALERTS = {rule["alert"]: rule["expr"] for group in RULES["groups"] for rule in group["rules"]}
QUESTIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
NAME = re.compile(r"\b((?:pharos|process)_[a-z_]+)\b")

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian package prometheus)"
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_of(tmp_path_factory.mktemp("world"), fill) as running:
        yield running


def promtool(*arguments: str, folder: Path = FOLDER) -> None:
    done = subprocess.run(["promtool", *arguments], cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_prometheus_accepts_the_rules_and_the_scrapes() -> None:
    promtool("check", "rules", "--lint-fatal", "pharos.rules.yml")
    promtool("check", "config", "scrape.yml")


@needs_promtool
def test_each_rule_fires_on_what_it_is_about_and_on_nothing_else() -> None:
    promtool("test", "rules", "pharos.test.yml")
    sound, wrong = yaml.safe_load((FOLDER / "pharos.test.yml").read_text(encoding="utf-8"))["tests"]
    assert {test["alertname"] for test in wrong["alert_rule_test"] if test["exp_alerts"]} == set(ALERTS)
    assert all("exp_alerts" not in test for test in sound["alert_rule_test"])


@needs_promtool
def test_prometheus_understands_every_question_of_the_dashboard(tmp_path: Path) -> None:
    rules = [{"record": f"question{number}", "expr": text} for number, text in enumerate(QUESTIONS)]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", "rules.yml", folder=tmp_path)


def test_every_metric_is_one_that_a_service_has(world: World) -> None:
    text = "".join(httpx.get(f"{url}/metrics").text for url in (world.url, world.api_url))
    families = re.findall(r"^# TYPE (\S+) (\w+)$", text, re.MULTILINE)
    known = {name for name, _ in families}
    known |= {f"{name}_bucket" for name, kind in families if kind == "histogram"}
    asked = {name for text in [*ALERTS.values(), *QUESTIONS] for name in NAME.findall(text)}
    assert asked <= known
    jobs = {
        scrape["job_name"] for scrape in yaml.safe_load((FOLDER / "scrape.yml").read_text())["scrape_configs"]
    }
    assert jobs == {"pharos-data-api", "pharos-insights"}


def test_panels_lie_beside_each_other() -> None:
    places: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        own = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not own & places, panel["title"]
        assert at["x"] + at["w"] <= 24  # a dashboard's columns
        places |= own
