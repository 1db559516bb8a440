"""What people get, from a real mail server and a real receiver of webhooks."""

from __future__ import annotations

import ssl
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
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


def self_signed(folder: Path) -> ssl.SSLContext:
    """What a mail server shows that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "mail.pem"
    pem = serialization.Encoding.PEM
    file.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context


def test_mail_is_encrypted_if_it_can_be_and_passwords_go_to_known_servers_only(
    mail: MailServer, tmp_path: Path
) -> None:
    mail.encryption = self_signed(tmp_path)
    channels(AlertSettings(email_to=["a@example.org"], smtp=SecretStr(mail.url)))["e-mail"](ALERT)
    assert len(mail.messages) == 1
    known = mail.url.replace("smtp://", "smtp://me:secret@")
    with pytest.raises(NotTold, match="certificate verify failed"):
        channels(AlertSettings(email_to=["a@example.org"], smtp=SecretStr(known)))["e-mail"](ALERT)


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
            AlertSettings(
                email_to=["a@example.org"], smtp=SecretStr(f"smtp://me:secret@127.0.0.1:{free_port}")
            ),
            "e-mail",
            "refused",
        ),
    ):
        with pytest.raises(NotTold, match=reason) as raised:
            channels(settings)[channel](ALERT)
        assert "secret" not in str(raised.value)
