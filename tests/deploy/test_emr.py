"""The stack: accepted by AWS's own rules for templates, and the cluster by the model of EMR's API."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore.session  # type: ignore[import-untyped]
import pytest
import yaml
from botocore.validate import ParamValidator  # type: ignore[import-untyped]

from pharos import config

from .conftest import DEPLOY, settings

TEMPLATE = DEPLOY / "emr/cloudformation.yaml"


class Loader(yaml.SafeLoader):
    """YAML with the short forms of CloudFormation's functions, as {name: argument}."""


def _function(loader: Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    assert isinstance(node, yaml.SequenceNode)
    return {name: loader.construct_sequence(node, deep=True)}


Loader.add_multi_constructor("!", _function)


@pytest.fixture(scope="module")
def stack() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(TEMPLATE.read_text(encoding="utf-8"), Loader)  # noqa: S506 - a SafeLoader
    return loaded


def filled(text: str) -> str:
    """The text with something for every `${Name}`."""
    return re.sub(r"\$\{(\w+)\}", lambda match: "4" if match[1] == "TaskNodes" else match[1].lower(), text)


def test_cfn_lint_finds_nothing() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "-t", str(TEMPLATE)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


def test_the_cluster_is_one_that_emr_knows(stack: dict[str, Any]) -> None:
    text, given = stack["Resources"]["Nightly"]["Properties"]["Target"]["Input"]["Sub"]
    assert given.keys() == {"Subnet"}
    request = json.loads(filled(text))
    model = botocore.session.get_session().get_service_model("emr").operation_model("RunJobFlow")
    report = ParamValidator().validate(request, model.input_shape)
    assert not report.has_errors(), report.generate_report()
    (step,) = request["Steps"]
    script, _settings, *arguments = step["HadoopJarStep"]["Args"]
    assert script == "/opt/pharos/release/deploy/emr/run.sh"
    names = [argument.split("=")[0] for argument in arguments[: arguments.index("--")]]
    known = {f"PHAROS_{key.replace('.', '__')}".upper() for key, _, _ in config.described()}
    assert set(names) <= known
    assert request["Instances"]["KeepJobFlowAliveWhenNoSteps"] is False


def test_the_settings_of_the_stack_are_valid(stack: dict[str, Any], tmp_path: Path) -> None:
    found = settings(filled(stack["Resources"]["Settings"]["Properties"]["Value"]["Sub"]), tmp_path)
    assert str(found.home) == "/mnt/pharos"
    for service, port in (("DataApi", found.data_api.port), ("Insights", found.insights.port)):
        target = stack["Resources"][f"{service}Targets"]["Properties"]
        (balanced,) = stack["Resources"][service]["Properties"]["LoadBalancers"]
        assert target["Port"] == balanced["ContainerPort"] == port


def test_containers_are_given_every_secret_they_need(stack: dict[str, Any]) -> None:
    needed = {
        "data-api": {"PHAROS_RESULT_STORE__URL", "PHAROS_DATA_API__SECRET_KEY"},
        "insights": {
            "PHAROS_INSIGHTS__SECRET_KEY",
            "PHAROS_INSIGHTS__CLIENT_SECRET",
            "PHAROS_INSIGHTS__DATA_API_TOKEN",
        },
    }
    containers = {
        container["Name"]: container
        for task in ("DataApiTask", "InsightsTask")
        for container in stack["Resources"][task]["Properties"]["ContainerDefinitions"]
    }
    for name, secrets in needed.items():
        assert {secret["Name"] for secret in containers[name]["Secrets"]} == secrets | {"SETTINGS"}
        assert not any("PHAROS" in variable["Name"] for variable in containers[name]["Environment"])


AWS = """#!/bin/sh
case "$*" in
*get-parameter*) echo "home: /mnt/pharos" ;;
*json-secret*) echo '{"PHAROS_LMS__DATABASE": "mysql://a:b&c$d@host/edxapp"}' ;;
*) echo "secret of $4" ;;
esac
"""


def test_the_step_hands_secrets_over_as_settings(tmp_path: Path) -> None:
    """The script itself, with an `aws` that answers and a `submit.sh` that tells what it was given."""
    (tmp_path / "aws").write_text(AWS, encoding="utf-8")
    submit = tmp_path / "submit.sh"
    submit.write_text('#!/bin/sh\nenv | grep ^PHAROS_\ncat "$3"\necho "$1 $4"\n', encoding="utf-8")
    for path in (tmp_path / "aws", submit):
        path.chmod(0o755)
    text = (DEPLOY / "emr/run.sh").read_text(encoding="utf-8")
    (tmp_path / "run.sh").write_text(text.replace("/opt/pharos/release/deploy/spark/submit.sh", str(submit)))
    done = subprocess.run(
        [
            "bash", str(tmp_path / "run.sh"), "settings", "PHAROS_RESULT_STORE__URL=arn:store",
            "PHAROS_LMS__DATABASE=arn:json-secret#PHAROS_LMS__DATABASE", "--", "--why",
        ],
        check=True, capture_output=True, text=True,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert sorted(done.stdout.splitlines()) == sorted(
        [
            "PHAROS_RESULT_STORE__URL=secret of arn:store",
            "PHAROS_LMS__DATABASE=mysql://a:b&c$d@host/edxapp",
            "home: /mnt/pharos",
            "yarn --why",
        ]
    )
