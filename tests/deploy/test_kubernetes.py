"""The manifests: known to Kubernetes' schemas, and consistent among themselves."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import DEPLOY, checked_by_schema, documents, settings

pytestmark = pytest.mark.xdist_group("tools")  # installed once
FOLDER = DEPLOY / "kubernetes"
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))
MANIFESTS = [
    document
    for name in KUSTOMIZATION["resources"]
    for document in documents((FOLDER / name).read_text(encoding="utf-8"))
]


def named(kind: str) -> dict[str, Any]:
    return {document["metadata"]["name"]: document for document in MANIFESTS if document["kind"] == kind}


def pods() -> dict[str, Any]:
    """Pod specs by the name of what makes them."""
    deployments = {name: each["spec"]["template"]["spec"] for name, each in named("Deployment").items()}
    jobs = {
        name: each["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        for name, each in named("CronJob").items()
    }
    return deployments | jobs


def test_every_file_is_listed() -> None:
    listed = {*KUSTOMIZATION["resources"], *KUSTOMIZATION["configMapGenerator"][0]["files"]}
    assert {path.name for path in FOLDER.glob("*.yaml")} == listed | {"kustomization.yaml"}


def test_kubernetes_knows_every_field(tools: Path) -> None:
    found = checked_by_schema(tools, yaml.safe_dump_all(MANIFESTS))
    assert {"Deployment data-api", "Deployment insights", "CronJob run", "CronJob ingest"} <= set(found)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_puts_it_together() -> None:
    done = subprocess.run(["kubectl", "kustomize", str(FOLDER)], check=True, capture_output=True, text=True)
    built = documents(done.stdout)
    images = {
        container["image"]
        for document in built
        if document["kind"] == "Deployment"
        for container in document["spec"]["template"]["spec"]["containers"]
    }
    assert images == {"registry.example.org/pharos:0.1.0"}
    assert {document["metadata"].get("namespace") for document in built} == {"pharos", None}


def test_web_services_are_replicated_and_leave_quietly() -> None:
    for name, deployment in named("Deployment").items():
        assert deployment["spec"]["replicas"] >= 2
        assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
        assert named("PodDisruptionBudget")[name]["spec"]["minAvailable"] == 1
        (container,) = pods()[name]["containers"]
        assert {"startupProbe", "readinessProbe", "livenessProbe", "lifecycle"} <= container.keys()


def test_every_pod_is_restricted() -> None:
    for pod in pods().values():
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["envFrom"] == [{"secretRef": {"name": "pharos"}}]


def test_mounts_claims_and_ports_belong_together() -> None:
    claims = named("PersistentVolumeClaim")
    for pod in pods().values():
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes.keys()
        for volume in volumes.values():
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in claims
    for name, service in named("Service").items():
        (port,) = service["spec"]["ports"]
        if "selector" not in service["spec"]:
            continue  # nowhere: see the test of the figures
        assert port["port"] == pods()[name]["containers"][0]["ports"][0]["containerPort"]
        assert service["spec"]["selector"] == named("Deployment")[name]["spec"]["selector"]["matchLabels"]


def test_the_settings_name_our_services_and_paths(tmp_path: Path) -> None:
    found = settings((FOLDER / "pharos.yaml").read_text(encoding="utf-8"), tmp_path)
    assert found.insights.data_api_url == f"http://data-api:{found.data_api.port}"
    (job,) = pods()["run"]["containers"]
    mounts = {mount["mountPath"] for mount in job["volumeMounts"]}
    assert {str(found.home), *found.logs.sources["openedx"].paths} <= mounts
    hosts = {rule["host"] for rule in named("Ingress")["pharos"]["spec"]["rules"]}
    assert {found.insights.url, found.data_api.public_url} == {f"https://{host}" for host in hosts}


def test_the_figures_are_not_public() -> None:
    """Of two paths the longer one wins; it leads to a service that no pod belongs to."""
    assert "selector" not in named("Service")["nowhere"]["spec"]
    for rule in named("Ingress")["pharos"]["spec"]["rules"]:
        leads_to = {path["path"]: path["backend"]["service"]["name"] for path in rule["http"]["paths"]}
        assert leads_to["/metrics"] == "nowhere"
        assert all(path["pathType"] == "Prefix" for path in rule["http"]["paths"])
