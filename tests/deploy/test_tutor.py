"""The plugin in the real Tutor: what it renders names our service, reads the logs, signs in at the LMS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import checked_by_schema, documents, settings

pytestmark = pytest.mark.xdist_group("tools")  # installed once


@dataclass
class Rendered:
    """What Tutor has written with the plugin enabled."""

    root: Path
    tutor: Path

    def run(self, *arguments: str, path: Path | None = None) -> str:
        """What the program prints; `path` is searched for other programs first."""
        done = subprocess.run(
            [self.tutor, f"--root={self.root}", *arguments],
            check=False, capture_output=True, text=True,
            env={
                **os.environ, "TUTOR_PLUGINS_ROOT": str(self.root / "plugins"),
                "PATH": f"{path}:{os.environ['PATH']}",
            },
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def text(self, path: str) -> str:
        return (self.root / "env" / path).read_text(encoding="utf-8")

    def yaml(self, path: str) -> Any:
        return yaml.safe_load(self.text(path))


@pytest.fixture(scope="module")
def rendered(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    rendered = Rendered(tmp_path_factory.mktemp("tutor"), tools / "tutor")
    rendered.run("plugins", "enable", "pharos")
    rendered.run("config", "save", "--set", "LMS_HOST=lms.example.org", "--set", "ENABLE_HTTPS=true")
    return rendered


def test_compose_runs_our_service_with_the_logs_of_lms_and_studio(rendered: Rendered) -> None:
    service = rendered.yaml("local/docker-compose.yml")["services"]["pharos"]
    assert service["command"] == ["pharos", "serve", "--config", "/etc/pharos/pharos.yaml"]
    assert {"../../data/lms/logs:/logs/lms:ro", "../../data/cms/logs:/logs/cms:ro"} <= set(service["volumes"])
    lms = rendered.yaml("local/docker-compose.yml")["services"]["lms"]
    assert "../../data/lms:/openedx/data:z" in lms["volumes"]  # so that the logs are there
    job = rendered.yaml("local/docker-compose.jobs.yml")["services"]["pharos-job"]
    assert job["image"] == service["image"]
    assert "8110:8110" in rendered.yaml("dev/docker-compose.yml")["services"]["pharos"]["ports"]
    assert "setowner 1000 /mounts/pharos" in rendered.text("apps/permissions/setowners.sh")


def test_caddy_leads_to_insights_and_to_nothing_else(rendered: Rendered) -> None:
    caddy = rendered.text("apps/caddy/Caddyfile")
    assert "insights.lms.example.org{$default_site_port}" in caddy
    assert 'import proxy "pharos:8110"' in caddy
    assert "8100" not in caddy


def test_the_settings_are_valid_and_complete(rendered: Rendered, tmp_path: Path) -> None:
    found = settings(rendered.text("plugins/pharos/apps/pharos.yaml"), tmp_path)
    assert found.insights.url == "https://insights.lms.example.org"
    assert found.lms.jwt_issuer == "https://lms.example.org/oauth2"
    assert found.logs.sources["openedx"].paths == ["/logs"]
    secrets = [found.insights.secret_key, found.insights.client_secret, found.lms.client_secret]
    assert all(secret is not None and len(secret.get_secret_value()) >= 40 for secret in secrets)
    assert found.lms.database is not None
    assert found.lms.database.get_secret_value().startswith("mysql://pharos_reader:")


def test_our_public_key_is_that_of_the_lms(rendered: Rendered) -> None:
    (key,) = json.loads(rendered.text("plugins/pharos/apps/jwks.json"))["keys"]
    assert key["kid"] == "openedx"
    assert f'"n": "{key["n"]}"' in rendered.text("apps/openedx/settings/lms/production.py")


def test_secrets_are_drawn_once(rendered: Rendered) -> None:
    before = rendered.text("plugins/pharos/apps/pharos.yaml")
    rendered.run("config", "save")
    assert rendered.text("plugins/pharos/apps/pharos.yaml") == before


DOCKER = """#!{python}
import json, sys
with open({log!r}, "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
print("[]")
"""


def test_init_jobs_make_accounts_clients_and_tables(rendered: Rendered, tmp_path: Path) -> None:
    """Tutor runs jobs with `docker`: ours writes down what it is asked."""
    log = tmp_path / "asked"
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER.format(python=sys.executable, log=str(log)), encoding="utf-8")
    docker.chmod(0o755)
    rendered.run("local", "do", "init", "--limit=pharos", path=docker.parent)
    asked = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    jobs = {call[call.index("sh") - 1]: call[-1] for call in asked if "run" in call and "sh" in call}
    assert list(jobs) == ["mysql-job", "lms-job", "pharos-job"]
    for script in jobs.values():
        assert "{{" not in script
        subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    assert "GRANT SELECT ON `openedx`.* TO 'pharos_reader'" in jobs["mysql-job"]
    clients = jobs["lms-job"].split("create_dot_application")[1:]
    assert ["authorization-code" in clients[0], "client-credentials" in clients[1]] == [True, True]
    assert '--redirect-uris "https://insights.lms.example.org/complete/edx-oauth2/"' in clients[0]
    settings = rendered.yaml("plugins/pharos/apps/pharos.yaml")
    assert f'--client-secret "{settings["insights"]["client_secret"]}"' in clients[0]
    assert f'--client-secret "{settings["lms"]["client_secret"]}"' in clients[1]
    assert settings["insights"]["data_api_token"] in jobs["pharos-job"]


def test_kubernetes_manifests_are_valid_and_every_pod_of_the_lms_keeps_its_logs(
    rendered: Rendered, tools: Path
) -> None:
    manifests = "\n---\n".join(
        rendered.text(f"k8s/{name}.yml") for name in ("deployments", "jobs", "services", "volumes")
    )
    found = checked_by_schema(tools, manifests)
    assert {"Deployment pharos", "Job pharos-job", "Service pharos", "PersistentVolumeClaim pharos-logs"} <= {
        *found
    }
    mounted = {}
    for patch in documents(rendered.text("k8s/override.yml")):
        (container,) = patch["spec"]["template"]["spec"]["containers"]
        (mount,) = container["volumeMounts"]
        mounted[patch["metadata"]["name"]] = (container["name"], mount["mountPath"], mount["subPathExpr"])
    assert mounted == {
        name: (name, "/openedx/data/logs", "$(POD_NAME)")
        for name in ("lms", "cms", "lms-worker", "cms-worker")
    }
    kustomization = rendered.yaml("kustomization.yml")
    assert {"path": "k8s/override.yml"} in kustomization["patches"]
    (generated,) = [each for each in kustomization["configMapGenerator"] if each["name"] == "pharos-config"]
    assert all((rendered.root / "env" / name).is_file() for name in generated["files"])
