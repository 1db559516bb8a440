"""The compose file and its image, as far as they can be judged without an engine for containers."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from pharos import config
from pharos.hardening import weak_settings

from .conftest import CHECKOUT, DEPLOY, settings

COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "docker/compose.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (DEPLOY / "docker/Dockerfile").read_text(encoding="utf-8")
SECRETS = (DEPLOY / "secrets.env.example").read_text(encoding="utf-8")


def _has_compose() -> bool:
    docker = shutil.which("docker")
    return (
        docker is not None
        and not subprocess.run([docker, "compose", "version"], check=False, capture_output=True).returncode
    )


@pytest.mark.skipif(not _has_compose(), reason="docker compose is not installed")
def test_docker_accepts_it() -> None:
    subprocess.run(
        [
            "docker",
            "compose",
            "-f",
            str(DEPLOY / "docker/compose.yaml"),
            "config",
            "--quiet",
            "--no-env-resolution",
        ],
        check=True,
    )


def test_services_volumes_and_secrets_belong_together() -> None:
    services = COMPOSE["services"]
    assert services.keys() == {"prepare", "pharos", "store", "web"}
    for service in services.values():
        assert service.get("depends_on", {}).keys() <= services.keys()
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (
                source in COMPOSE["volumes"]
                or source.startswith("/")
                or (DEPLOY / "docker" / source).exists()
            )
        assert set(service.get("secrets", [])) <= COMPOSE["secrets"].keys()
    assert [name for name, service in services.items() if "ports" in service] == ["web"]


def test_a_service_may_hold_a_descriptor_for_each_connection() -> None:
    assert COMPOSE["services"]["pharos"]["ulimits"]["nofile"] >= 65_536


def test_a_service_is_waited_for_in_a_way_it_can_answer() -> None:
    services = COMPOSE["services"]
    for service in services.values():
        for name, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[name]
            else:
                assert services[name]["restart"] == "no"


def test_no_secret_is_written_into_the_file() -> None:
    text = (DEPLOY / "docker/compose.yaml").read_text(encoding="utf-8")
    assert not re.search(r"(?i)(password|secret|token|key)\w*: *['\"]?[A-Za-z0-9]{6,}", text)


def test_every_secret_of_the_settings_and_every_file_is_said_to_be_made() -> None:
    """A secret has a line among the secrets; a file of the host stands in the steps at the head."""
    secret = [
        f"{config.ENVIRONMENT_PREFIX}{name}__{key}".upper()
        for name, section in config.Settings.model_fields.items()
        if isinstance(section.default, config.Section)
        for key, field in type(section.default).model_fields.items()
        if "SecretStr" in str(field.annotation)
    ]
    assert len(secret) > 8
    assert set(secret) == set(re.findall(r"^#?(PHAROS_\w+)=", SECRETS, re.MULTILINE))
    text = (DEPLOY / "docker/compose.yaml").read_text(encoding="utf-8")
    head = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    for path in {*re.findall(r"/etc/pharos/[\w./]+?(?=[:\s\],]|$)", text.replace(head, ""))}:
        assert path in head or path.startswith("/etc/pharos/tls"), path


def test_settings_and_secrets_together_are_valid(tmp_path: Path) -> None:
    variables = dict(re.findall(r"^(\w+)=(.*)$", SECRETS, re.MULTILINE))
    filled = {name: value or f"filled in for {name}" for name, value in variables.items()}
    text = (DEPLOY / "docker/pharos.yaml").read_text(encoding="utf-8")
    found = settings(text, tmp_path, **filled)
    assert weak_settings(found, tmp_path / "pharos.yaml") == []
    mounts = {volume.split(":")[1] for volume in COMPOSE["services"]["pharos"]["volumes"]}
    assert {str(found.home), *found.logs.sources["openedx"].paths, "/etc/pharos/pharos.yaml"} <= mounts
    assert found.store_url.split("@")[1] == "store/pharos"
    proxied = re.findall(r"server (\S+);", (DEPLOY / "nginx/pharos.conf").read_text(encoding="utf-8"))
    assert proxied == [f"pharos:{found.insights.port}", f"pharos:{found.data_api.port}"]


def test_the_image_is_made_of_files_that_are_there() -> None:
    allowed = (DEPLOY / "docker/Dockerfile.dockerignore").read_text(encoding="utf-8")
    for sources in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE):
        for source in sources.split():
            assert (CHECKOUT / source).exists(), source
            assert f"!{source}" in allowed.splitlines()
    assert "ENTRYPOINT" not in DOCKERFILE  # Tutor and Kubernetes bring whole commands


def test_the_program_can_be_built_from_what_the_image_gets(tmp_path: Path) -> None:
    """The last step of the build, in a folder with the allowed files only, without asking an index."""
    context = tmp_path / "context"
    context.mkdir()
    allowed = (DEPLOY / "docker/Dockerfile.dockerignore").read_text(encoding="utf-8")
    for name in re.findall(r"^!(\S+)$", allowed, re.MULTILINE):
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, context / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, context / name)
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)],
        cwd=context, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-1000:]
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as built:
        inside = set(built.namelist())
    for name in (
        "pharos/cli.py",
        "pharos/geolocation/countries.mmdb",
        "pharos/insights/templates/_chart.html",
    ):
        assert name in inside


def test_the_list_of_spark_is_cut_out_of_the_lock_file() -> None:
    (program,) = re.findall(r"awk '(.*?)'", DOCKERFILE)
    done = subprocess.run(
        ["awk", program, str(CHECKOUT / "requirements/dev.txt")], check=True, capture_output=True, text=True
    )
    lines = done.stdout.splitlines()
    packages = [line.split("==")[0] for line in lines if "==" in line]
    assert packages == ["argcomplete", "fsspec", "hdfs-native", "obstore", "py4j", "pyspark"]
    assert "--hash=sha256:" in lines[-1]
    for path in ("emr/release.sh", "spark/README.md"):
        assert program in (DEPLOY / path).read_text(encoding="utf-8")
