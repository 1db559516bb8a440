"""Sends alerts by e-mail and webhook. `incidents` decides which alerts to send."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from urllib.parse import SplitResult, unquote, urlsplit

import httpx

from pharos.config import AlertSettings
from pharos.errors import PharosError

TIMEOUT_S = 20
PORTS = {"smtp": 25, "smtps": 465}
TAKEN = frozenset({250, 251})  # answers of a mail server that takes a sender or recipient (RFC 5321)


class NotTold(PharosError):
    """A message could not be delivered."""

    def __init__(self, channel: str, reason: str) -> None:
        super().__init__(channel, reason)
        self.channel, self.reason = channel, reason

    def __str__(self) -> str:
        return f"alerts: nobody was told by {self.channel} ({self.reason}); it is tried again. See alerts.*"


@dataclass(frozen=True)
class Alert:
    """An alert to people and programs: the fields of the JSON that a webhook receives."""

    event: str
    """`problem`, `recovery` or, for a test, `check`."""
    key: str
    """What it is about; the same for a problem and its end."""
    text: str
    since: str
    """Moment it began, UTC, ISO 8601."""
    host: str


Channel = Callable[[Alert], None]
"""Delivers an alert or raises NotTold. May wait for a network."""


def channels(settings: AlertSettings) -> dict[str, Channel]:
    """The channels for alerts that are configured."""
    found: dict[str, Channel] = {}
    if settings.email_to:
        found["e-mail"] = lambda alert: _mail(settings, alert)
    if settings.webhook is not None:
        address = settings.webhook.get_secret_value()
        found["webhook"] = lambda alert: _post(address, alert)
    return found


def tried(settings: AlertSettings) -> dict[str, str]:
    """Test every configured channel: setting -> reason of failure, empty if the channel works.

    The mail server is asked if it accepts sender and recipients; nothing is sent. The webhook gets an alert
    whose event is `check`.
    """
    found = {}
    if settings.email_to:
        found["alerts.smtp"] = _reason(lambda: _try_mail(settings))
    if settings.webhook is not None:
        address = settings.webhook.get_secret_value()
        now = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
        test = Alert(
            "check", "check", "A test by `pharos check`: alerts arrive here.", now, socket.gethostname()
        )
        found["alerts.webhook"] = _reason(lambda: _post(address, test))
    return found


def _reason(attempt: Callable[[], None]) -> str:
    try:
        attempt()
    except NotTold as error:
        return error.reason
    return ""


def _try_mail(settings: AlertSettings) -> None:
    with _mail_server(settings) as smtp:
        for code, answer in (
            smtp.mail(settings.email_from),
            *(smtp.rcpt(recipient) for recipient in settings.email_to),
        ):
            if code not in TAKEN:
                raise NotTold("e-mail", f"{code} {answer.decode(errors='replace')}")
        smtp.rset()


def _mail(settings: AlertSettings, alert: Alert) -> None:
    message = EmailMessage()
    word = "PROBLEM" if alert.event == "problem" else "recovered"
    message["Subject"] = f"[Pharos] {word}: {alert.key} on {alert.host}"
    message["From"], message["To"] = settings.email_from, ", ".join(settings.email_to)
    message.set_content(f"{alert.text}\n\nSince {alert.since} UTC, on {alert.host}.\n")
    with _mail_server(settings) as smtp:
        smtp.send_message(message)


@contextmanager
def _mail_server(settings: AlertSettings) -> Iterator[smtplib.SMTP]:
    """The mail server, signed in. Errors in the `with` block are raised as NotTold, too."""
    server = urlsplit(settings.smtp.get_secret_value())
    try:
        port = server.port or PORTS.get(server.scheme, PORTS["smtp"])
        with _connection(server, port) as smtp:
            if server.username:
                smtp.login(unquote(server.username), unquote(server.password or ""))
            yield smtp
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise NotTold("e-mail", f"{type(error).__name__}: {error}") from error


def _connection(server: SplitResult, port: int) -> smtplib.SMTP:
    """A connection to a mail server, encrypted from the start (smtps) or as soon as the server offers it.

    Without a password only the message itself could be stolen, and the alternative is to send it unencrypted:
    then any certificate is accepted, such as the self-signed ones of mail servers on the same machine.
    """
    host, context = server.hostname or "localhost", ssl.create_default_context()
    if server.scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)
    if not server.password:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    smtp = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    try:
        smtp.ehlo()
        if smtp.has_extn("starttls"):
            smtp.starttls(context=context)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _post(address: str, alert: Alert) -> None:
    try:
        answer = httpx.post(address, json=asdict(alert), timeout=TIMEOUT_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotTold("webhook", type(error).__name__) from error  # its text would hold the address, a secret
    if not answer.is_success:
        raise NotTold("webhook", f"status {answer.status_code}")
