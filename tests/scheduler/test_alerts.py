"""What people get, from a real mail server and a real receiver of webhooks."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from pydantic import SecretStr
from tests.scheduler.receivers import MailServer, Webhook

from pharos.config import AlertSettings
from pharos.scheduler.alerts import Alert, NotTold, channels

ALERT = Alert("problem", "job daily", "Job daily failed: no room.", "2026-03-02 02:30:00", "lake-1")


def test_nobody_is_told_unless_the_settings_name_somebody() -> None:
    assert channels(AlertSettings()) == {}


def test_a_message_says_what_is_wrong_since_when_and_where(mail: MailServer) -> None:
    settings = AlertSettings(
        email_to=["a@example.org", "b@example.org"], email_from="pharos@x.org", smtp=SecretStr(mail.url)
    )
    channels(settings)["e-mail"](ALERT)
    (message,) = mail.messages
    assert message["Subject"] == "[Pharos] PROBLEM: job daily on lake-1"
    assert message["From"] == "pharos@x.org"
    assert mail.recipients == ["a@example.org", "b@example.org"]
    text = message.get_payload()
    assert "Job daily failed: no room." in str(text)
    assert "2026-03-02 02:30:00 UTC" in str(text)


def test_a_webhook_gets_the_alert_as_json(webhook: Webhook) -> None:
    channels(AlertSettings(webhook=SecretStr(webhook.url)))["webhook"](ALERT)
    assert webhook.posted == [asdict(ALERT)]


def test_a_refusal_is_known_and_keeps_the_secret(mail: MailServer, webhook: Webhook, free_port: int) -> None:
    mail.refuses, webhook.status = True, 500
    secret = SecretStr(webhook.url)
    for settings, channel, reason in (
        (AlertSettings(email_to=["a@example.org"], smtp=SecretStr(mail.url)), "e-mail", "not now"),
        (AlertSettings(webhook=secret), "webhook", "status 500"),
        (AlertSettings(webhook=SecretStr(f"http://127.0.0.1:{free_port}/secret-path")), "webhook", "Connect"),
        (
            AlertSettings(email_to=["a"], smtp=SecretStr(f"smtp://me:secret@127.0.0.1:{free_port}")),
            "e-mail",
            "refused",
        ),
    ):
        with pytest.raises(NotTold, match=reason) as raised:
            channels(settings)[channel](ALERT)
        assert "secret" not in str(raised.value)
