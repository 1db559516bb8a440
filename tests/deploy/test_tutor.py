"""The plugin in the real Tutor: what it renders names our service, reads the logs, signs in at the LMS."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from pharos import config
from pharos.hardening import weak_settings

from .conftest import DEPLOY, checked_by_schema, documents, settings

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
    rendered.run("mounts", "add", str(DEPLOY / "openedx-instructor-tab"))
    rendered.run("config", "save", "--set", "LMS_HOST=lms.example.org", "--set", "ENABLE_HTTPS=true")
    return rendered


def test_compose_runs_our_service_with_the_logs_of_lms_and_studio(rendered: Rendered) -> None:
    service = rendered.yaml("local/docker-compose.yml")["services"]["pharos"]
    assert service["command"] == ["pharos", "serve", "--config", "/etc/pharos/pharos.yaml"]
    assert service["ulimits"]["nofile"] >= 65_536
    lms = rendered.yaml("local/docker-compose.yml")["services"]["lms"]
    assert "../../data/lms:/openedx/data:z" in lms["volumes"]  # so that the logs are there
    jobs = rendered.yaml("local/docker-compose.jobs.yml")["services"]
    assert jobs["pharos-job"]["image"] == service["image"]
    assert jobs["pharos-job"]["env_file"] == service["env_file"]
    assert "8110:8110" in rendered.yaml("dev/docker-compose.yml")["services"]["pharos"]["ports"]
    assert "setowner 1000 /mounts/pharos" in rendered.text("apps/permissions/setowners.sh")


def test_docker_makes_no_folder_of_logs_that_the_lms_could_not_write(rendered: Rendered) -> None:
    """Docker makes what is missing of a mount, as root. So we mount what Tutor mounts and gives the LMS."""
    whole = rendered.yaml("local/docker-compose.yml")["services"]
    ours = {volume.split(":")[0]: volume.split(":")[1] for volume in whole["pharos"]["volumes"]}
    owned = {volume.split(":")[0]: volume.split(":")[1] for volume in whole["permissions"]["volumes"]}
    logs = {folder: mount for folder, mount in ours.items() if mount.startswith("/logs/")}
    assert logs == {f"../../data/{name}": f"/logs/{name}" for name in ("lms", "cms", "lms-job", "cms-job")}
    given = rendered.text("apps/permissions/setowners.sh")
    for folder in [*logs, "../../data/pharos"]:
        assert f" {owned[folder]}" in given
    for service in ("lms-job", "cms-job"):
        volumes = rendered.yaml("local/docker-compose.jobs.yml")["services"][service]["volumes"]
        assert f"../../data/{service}:/openedx/data:z" in volumes


def test_caddy_leads_to_insights_and_to_nothing_else(rendered: Rendered) -> None:
    caddy = rendered.text("apps/caddy/Caddyfile")
    assert "insights.lms.example.org{$default_site_port}" in caddy
    assert 'import proxy "pharos:8110"' in caddy
    assert "8100" not in caddy
    (site,) = re.findall(r"^insights.lms.example.org.*?^}", caddy, re.MULTILINE | re.DOTALL)
    assert "@figures path /metrics /metrics/*" in site
    assert "respond @figures 404" in site


def test_the_settings_are_valid_and_complete(rendered: Rendered, tmp_path: Path) -> None:
    found = settings(rendered.text("plugins/pharos/apps/pharos.yaml"), tmp_path, **secrets_of(rendered))
    assert config.secrets_in(tmp_path / "pharos.yaml") == []
    assert weak_settings(found, tmp_path / "pharos.yaml") == []
    assert found.insights.url == "https://insights.lms.example.org"
    production = rendered.text("apps/openedx/settings/lms/production.py")
    assert f'JWT_AUTH["JWT_ISSUER"] = "{found.lms.jwt_issuer}"' in production
    assert f'JWT_AUTH["JWT_AUDIENCE"] = "{found.lms.jwt_audience}"' in production
    assert found.logs.sources["openedx"].paths == ["/logs"]
    secrets = {
        secret.get_secret_value()
        for secret in (
            found.insights.secret_key, found.insights.client_secret, found.insights.data_api_token,
            found.data_api.secret_key, found.lms.client_secret,
        )
        if secret is not None
    }  # fmt: skip
    assert len(secrets) == 5  # no two are the same
    assert min(map(len, secrets)) >= 40
    assert found.lms.database is not None
    address = found.lms.database.get_secret_value()
    assert re.fullmatch(r"mysql://pharos_reader:\w+@mysql:3306/openedx", address)


def secrets_of(rendered: Rendered) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", rendered.text("plugins/pharos/secrets/pharos.env"), re.MULTILINE))


def test_without_tls_the_settings_are_those_of_a_trial(rendered: Rendered, tmp_path: Path) -> None:
    rendered.run("config", "save", "--set", "ENABLE_HTTPS=false")
    text = rendered.text("plugins/pharos/apps/pharos.yaml")
    rendered.run("config", "save", "--set", "ENABLE_HTTPS=true")
    found = settings(text, tmp_path)
    assert (found.insights.url, found.insights.plain_http) == ("http://insights.lms.example.org", True)


LMS_SETTINGS = """
IDA_LOGOUT_URI_LIST = []
OPEN_EDX_FILTERS_CONFIG = {"%s": {"fail_silently": False, "pipeline": ["another.Step"]}}
%s
from django.conf import settings
settings.configure(**{name: value for name, value in globals().items() if name.isupper()})
import json
from openedx_filters.tooling import OpenEdxPublicFilter
class Tabs(OpenEdxPublicFilter):
    filter_type = "%s"
from openedx_filters import PipelineStep
import sys, types
class Step(PipelineStep):
    def run_filter(self, tabs, user, course_key):
        return {"tabs": [*tabs, {"tab_id": "of another plugin"}]}
sys.modules["another"] = types.SimpleNamespace(Step=Step)
found = Tabs.run_pipeline(tabs=[{"tab_id": "course_info"}], user=None, course_key="course-v1:a+b+c")
print(json.dumps({"tabs": found["tabs"], "logout": IDA_LOGOUT_URI_LIST, "url": ANALYTICS_DASHBOARD_URL}))
"""
TABS = "org.openedx.learning.instructor.dashboard.tabs.requested.v1"


def test_the_instructor_dashboard_and_sign_out_of_the_lms_lead_to_insights(
    rendered: Rendered, tools: Path
) -> None:
    """Our settings, run with the real filters, beside a step of another plugin."""
    production = rendered.text("apps/openedx/settings/lms/production.py")
    ours = production[production.index("# Pharos:") :]
    ours = ours[: ours.index("########")]
    program = LMS_SETTINGS % (TABS, ours, TABS)
    done = subprocess.run([tools / "python", "-c", program], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    site = "https://insights.lms.example.org"
    assert found["url"] == site  # the LMS adds /courses/<id>
    assert found["logout"] == [f"{site}/logout/"]
    assert [tab["tab_id"] for tab in found["tabs"]] == ["course_info", "of another plugin", "analytics"]
    assert found["tabs"][2] == {
        "tab_id": "analytics",
        "title": "My Open edX Insights",
        "url": f"{site}/courses/course-v1:a+b+c/",
        "sort_order": 120,
    }


def test_the_tab_is_installed_into_the_image_of_the_lms(rendered: Rendered) -> None:
    assert '-e "/mnt/openedx-instructor-tab"' in rendered.text("build/openedx/Dockerfile")


def test_the_tab_is_a_package_of_its_own_under_its_own_licence() -> None:
    """It imports a library under the AGPL; nothing of Pharos is in it, and Pharos does not use it."""
    folder = DEPLOY / "openedx-instructor-tab"
    assert "GNU AFFERO GENERAL PUBLIC LICENSE" in (folder / "LICENSE").read_text(encoding="utf-8")
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"] == "AGPL-3.0-only"
    assert "pharos" not in (folder / "openedx_instructor_tab/__init__.py").read_text(encoding="utf-8").lower()


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
    assert "native_password" not in jobs["mysql-job"]  # which MySQL is about to give up
    clients = jobs["lms-job"].split("create_dot_application")[1:]
    assert ["authorization-code" in clients[0], "client-credentials" in clients[1]] == [True, True]
    assert '--redirect-uris "https://insights.lms.example.org/complete/edx-oauth2/"' in clients[0]
    assert "--scopes user_id,profile,email" in clients[0]
    assert "--scopes user_id" in clients[1]
    secrets = secrets_of(rendered)
    assert f'--client-secret "{secrets["PHAROS_INSIGHTS__CLIENT_SECRET"]}"' in clients[0]
    assert f'--client-secret "{secrets["PHAROS_LMS__CLIENT_SECRET"]}"' in clients[1]
    assert secrets["PHAROS_INSIGHTS__DATA_API_TOKEN"] in jobs["pharos-job"]


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
    containers = {name: name for name in ("lms", "cms", "lms-worker", "cms-worker")}
    containers |= {"lms-job": "lms", "cms-job": "cms"}
    assert mounted == {
        name: (container, "/openedx/data/logs", "$(POD_NAME)") for name, container in containers.items()
    }
    (secret,) = [each for each in documents(rendered.text("k8s/volumes.yml")) if each["kind"] == "Secret"]
    assert secret["stringData"] == secrets_of(rendered)
    kustomization = rendered.yaml("kustomization.yml")
    assert {"path": "k8s/override.yml"} in kustomization["patches"]
    (generated,) = [each for each in kustomization["configMapGenerator"] if each["name"] == "pharos-config"]
    assert all((rendered.root / "env" / name).is_file() for name in generated["files"])
