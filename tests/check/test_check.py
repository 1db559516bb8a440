"""An installation in which everything works, and each setting of it broken in turn."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml
from joserfc.jwk import RSAKey
from tests import edxapp, lines, s3
from tests.insights.world import CLIENT, SERVICE, TOKEN, World, fill, world_of
from tests.scheduler.receivers import MailServer, Webhook, running

from pharos import config
from pharos.check import Finding, check, here
from pharos.demo.lms_catalog import PATH as CATALOG
from pharos.lake.identity import identify
from pharos.lake.lake import Lake
from pharos.lake.objects import Objects
from pharos.result_store import owner, store, tables

OTHER_KEYS = json.dumps({"keys": [RSAKey.generate_key(2048, {"use": "sig"}).as_dict(private=False)]})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_of(tmp_path_factory.mktemp("world"), fill) as running:
        yield running


@dataclass
class Place:
    """Settings in which everything is named and works, and what they name."""

    folder: Path
    mail: MailServer
    webhook: Webhook
    values: dict[str, Any]

    def check(self) -> list[Finding]:
        file = self.folder / "pharos.yaml"
        file.write_text(yaml.safe_dump(self.values))
        file.chmod(0o600)
        return check(config.load(config=file), file)

    def failing(self) -> list[str]:
        """The texts of what does not work."""
        return [finding.text for finding in self.check() if not finding.is_good]


@pytest.fixture
def place(tmp_path: Path, world: World) -> Iterator[Place]:
    lines.write(tmp_path / "logs" / "tracking.log", [lines.event("2024-03-02 09:00", "play_video")])
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (tmp_path / "keys.json").write_text(world.lms.app.state.sign_in.public_keys)
    (tmp_path / "parts.json").write_text('{"i4x-U-C-problem-p_2_1": {"question": "Why?"}}')
    (tmp_path / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    mail, webhook = MailServer(), Webhook()
    values = {
        "home": str(home),
        "logs": {"sources": {"lms": {"paths": [str(tmp_path / "logs")]}}},
        "lms": {
            "url": world.lms_url,
            "public_url": world.lms_url,
            "database": edxapp.create(f"sqlite:///{tmp_path / 'lms.sqlite'}"),
            "client_id": SERVICE.id,
            "client_secret": SERVICE.secret,
            "catalog_url": world.lms_url + CATALOG,
            "jwt_keys": str(tmp_path / "keys.json"),
        },
        "result_store": {"url": world.settings.store_url},
        "problems": {"answer_metadata": str(tmp_path / "parts.json")},
        "reports": {"fields": ["username", "sort_idx"]},
        "data_api": {"reports": str(tmp_path), "audit_log": str(tmp_path / "audit.jsonl")},
        "insights": {
            "url": world.url,
            "data_api_url": world.api_url,
            "data_api_token": TOKEN,
            "client_id": CLIENT.id,
            "client_secret": CLIENT.secret,
            "secret_key": "a" * 32,
            "audit_log": str(tmp_path / "insights.jsonl"),
            "logo": str(tmp_path / "logo.svg"),
            "accent": "#102030",
        },
        "scheduler": {"jobs": {"night": {"cron": "0 2 * * *", "run": "run", "arguments": ["--full"]}}},
        "alerts": {"email_to": ["ops@example.org"], "smtp": mail.url, "webhook": webhook.url},
    }
    with running(mail), running(webhook):
        yield Place(tmp_path, mail, webhook, values)


def test_everything_works_and_nothing_is_changed(place: Place, world: World) -> None:
    findings = place.check()
    assert [finding.text for finding in findings if not finding.is_good] == []
    tried = {finding.text.partition(":")[0].partition(" ")[0] for finding in findings}
    assert tried == {
        "settings", "home", "logs.sources.lms", "data_api.reports", "data_api.audit_log",
        "insights.audit_log", "data_api.host", "insights.host", "insights.logo", "insights.accent",
        "problems.answer_metadata", "scheduler.jobs.night",
        "engine.name", "geolocation.database", "result_store.url",
        "lms.database", "lms.url", "lms.public_url", "lms.client_id", "lms.jwt_keys",
        "insights.client_id", "lms.catalog_url", "insights.data_api_url", "alerts.smtp", "alerts.webhook",
    }  # fmt: skip
    assert not any(secret in finding.text for finding in findings for secret in (TOKEN, SERVICE.secret))
    assert list((place.folder / "home").iterdir()) == []
    assert place.mail.messages == []
    assert [posted["event"] for posted in place.webhook.posted] == ["check"]
    with sa.create_engine(world.settings.store_url).connect() as connection:
        written = "SELECT count(*) FROM table_updates WHERE target_table = 'pharos check'"
        assert connection.scalar(sa.text(written)) == 0


NOWHERE = "http://127.0.0.1:1"  # nobody listens on the first port; a test is named by its parameters


@pytest.mark.parametrize(
    ("section", "key", "value", "told"),
    [
        ("logs", "sources", {"lms": {"paths": ["/nowhere"]}}, ["logs.sources.lms: /nowhere: no such file"]),
        ("engine", "spark_master", "local[*]", []),  # not used by the engine that is named
        ("geolocation", "database", "/nowhere.mmdb", ["geolocation.database: "]),
        ("result_store", "url", "postgresql://me@127.0.0.1:1/x", ["result_store.url: "]),
        ("result_store", "url", "mysql://me:pass@word@h/x", ["result_store.url: cannot be taken apart"]),
        ("result_store", "url", "sqlite:////dev/null/x/store.sqlite", ["result_store.url: nothing can be "]),
        ("lms", "database", "mysql://me:pass@word@127.0.0.1/x", ["lms.database: cannot be taken apart"]),
        ("data_api", "reports", "/nowhere", ["data_api.reports: /nowhere is no folder"]),
        ("data_api", "audit_log", "/nowhere/audit.jsonl", ["data_api.audit_log: "]),
        ("data_api", "v1_url", "mysql://me@127.0.0.1:1/x", ["data_api.v1_url: "]),
        ("data_api", "host", "192.0.2.1", ["data_api.host: this host cannot listen on 192.0.2.1"]),
        ("problems", "answer_metadata", "/nowhere.json", ["problems.answer_metadata: /nowhere.json"]),
        ("reports", "fields", ["username", "odd"], ["reports.fields: no column of the report problem_respo"]),
        (
            "scheduler", "jobs", {"night": {"cron": "0 2 * * *", "arguments": ["--fulll"]}},
            ["scheduler.jobs.night: pharos run does not know the arguments --fulll"],
        ),
        (
            "lms", "url", NOWHERE,
            ["lms.url: ", "lms.client_id: ", "insights.client_id: ", "lms.catalog_url: "],
        ),
        (
            "lms", "public_url", NOWHERE,
            [f"lms.public_url: {NOWHERE}", "lms.jwt_issuer: the token has another issuer"],
        ),
        ("lms", "url", None, ["lms.client_id: ", "insights.client_id: ", "lms.catalog_url: "]),
        ("lms", "client_id", None, ["lms.catalog_url: is read with lms.url and lms.client_id"]),
        ("lms", "database", "sqlite:////nowhere.sqlite", ["lms.database: "]),
        ("lms", "database", "mysql://me:secret@127.0.0.1:1/openedx", ["lms.database: "]),
        (
            "lms", "client_secret", "wrong",
            ["lms.client_id: the LMS gives no token (invalid_client)", "lms.catalog_url: "],
        ),
        ("lms", "jwt_keys", "/nowhere.json", ["lms.jwt_keys: /nowhere.json cannot be read"]),
        ("lms", "jwt_keys", "/dev/null", ["lms.jwt_keys: /dev/null: is neither JSON nor PEM"]),
        ("lms", "jwt_keys", OTHER_KEYS, ["lms.jwt_keys: the token is signed by no key we have"]),
        ("lms", "jwt_keys", None, []),  # taken straight from an LMS on this machine
        ("lms", "jwt_issuer", "https://another.example", ["lms.jwt_issuer: the token has another issuer"]),
        ("lms", "jwt_audience", "another", ["lms.jwt_audience: the token is meant for another audience"]),
        ("lms", "catalog_url", NOWHERE, [f"lms.catalog_url: {NOWHERE}"]),
        ("insights", "client_secret", "wrong", ["insights.client_id: the LMS says invalid_client"]),
        ("insights", "client_id", SERVICE.id, ["insights.client_id: the LMS says invalid_client"]),
        ("insights", "data_api_token", "f" * 32, ["insights.data_api_token: the Data API refuses it"]),
        ("insights", "data_api_url", NOWHERE, [f"insights.data_api_url: {NOWHERE}: "]),
        ("insights", "url", "http://127.0.0.1/a b", ["insights.url: the path /a b may hold letters"]),
        ("data_api", "public_url", "nonsense", ["data_api.public_url: nonsense is no address"]),
        ("privacy", "mode", "pseudonymous", ["privacy.key: privacy.mode pseudonymous needs a key"]),
        ("insights", "secret_key", "short", ["insights.secret_key: has 5 characters"]),
        ("insights", "host", "::ffff:192.0.2.1", ["insights.host: this host cannot listen on "]),
        ("insights", "audit_log", "/nowhere/audit.jsonl", ["insights.audit_log: "]),
        ("insights", "logo", "/nowhere.svg", ["insights.logo: /nowhere.svg cannot be read"]),
        ("insights", "accent", "#ffffff", ["insights.accent: #ffffff on white has a contrast"]),
        ("alerts", "smtp", "smtp://127.0.0.1:1", ["alerts.smtp: ConnectionRefusedError"]),
        ("alerts", "webhook", NOWHERE, ["alerts.webhook: ConnectError"]),
    ],
)  # fmt: skip
def test_each_broken_setting_is_named_and_no_other(
    section: str, key: str, value: object, told: list[str], place: Place
) -> None:
    place.values.setdefault(section, {})[key] = value
    failing = place.failing()
    assert len(failing) == len(told), failing
    for text, beginning in zip(failing, told, strict=True):
        assert text.startswith(beginning)
    assert not any("secret@" in text or "pass@" in text for text in failing)


def _without_table(place: Place) -> None:
    edxapp.change(place.values["lms"]["database"], "DROP TABLE auth_userprofile")


def _without_column(place: Place) -> None:
    edxapp.change(place.values["lms"]["database"], "ALTER TABLE auth_user DROP COLUMN is_staff")


def _logs_of_another_name(place: Place) -> None:
    (place.folder / "logs/tracking.log").rename(place.folder / "logs/events.txt")


def _open_home(place: Place) -> None:
    (place.folder / "home").chmod(0o755)


def _mail_that_refuses(place: Place) -> None:
    place.mail.refuses = True


def _webhook_that_refuses(place: Place) -> None:
    place.webhook.status = 403


def _store_of_an_earlier_release(place: Place) -> None:
    place.values["result_store"]["url"] = f"sqlite:///{place.folder / 'lms.sqlite'}"


def _store_of_the_original(place: Place) -> None:
    url = place.values["result_store"]["url"] = f"sqlite:///{place.folder / 'old.sqlite'}"
    store.upgrade(url)
    engine = store.connect(url)
    with engine.begin() as connection:
        row = {"course_id": "a/b/c", "date": date(2015, 3, 1), "count": 3}
        connection.execute(sa.insert(tables.course_enrollment_daily).values(row))
    engine.dispose()


def _store_of_another_home(place: Place) -> None:
    url = place.values["result_store"]["url"] = f"sqlite:///{place.folder / 'theirs.sqlite'}"
    store.upgrade(url)
    engine = store.connect(url)
    owner.claim(engine, "0" * 32, "/srv/pharos on other.example.org")
    engine.dispose()
    lake = Lake(place.folder / "home" / "lake")
    lake.root.mkdir()
    identify(lake)


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (_store_of_the_original, "pharos store adopt"),
        (_store_of_another_home, "belongs to the lake 00000000 of /srv/pharos on other.example.org"),
        (_without_table, "table auth_userprofile: no such table"),
        (_without_column, "no such column (no such column: is_staff)"),
        (_logs_of_another_name, "logs.sources.lms: no file in "),
        (_open_home, "(mode 755); chmod 700"),
        (_mail_that_refuses, "alerts.smtp: 451"),
        (_webhook_that_refuses, "alerts.webhook: status 403"),
        (_store_of_an_earlier_release, "result_store.url: "),
    ],
)
def test_what_a_setting_names_can_be_broken_too(
    break_it: Callable[[Place], None], told: str, place: Place
) -> None:
    break_it(place)
    (failing,) = place.failing()
    assert told in failing


def test_a_service_account_that_is_no_staff(place: Place, world: World) -> None:
    world.lms.down, world.lms.paths, world.lms.status = True, ("course_ids",), 403
    try:
        (failing,) = place.failing()
    finally:
        world.lms.down = False
    assert failing.startswith("lms.client_id: may not ask who teaches which course: status 403")


@pytest.mark.xdist_group("s3")
def test_the_check_says_whether_a_lake_can_lie_there(
    s3_address: str, bucket_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(url: str) -> str:
        [finding] = here.lake(config.load(tmp_path).model_copy(update={"lake_url": url}))
        return str(finding)

    assert "knows conditional writes" in found(bucket_url)
    assert not Objects(bucket_url, tmp_path).written("")
    assert "pigeon://loft: a lake lies in a folder or at s3://bucket/folder" in found("pigeon://loft")
    assert "there is no such bucket" in found("s3://no-such-bucket/lake")
    with s3.gate(s3_address) as gate:
        gate.ignores_conditions = True
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{gate.port}")
        assert "this store wrote over a file though it was told not to" in found(f"{bucket_url}-2")
