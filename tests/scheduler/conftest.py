"""A mail server and a receiver of webhooks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.scheduler.receivers import MailServer, Webhook, running


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer()
    with running(server):
        yield server


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    server = Webhook()
    with running(server):
        yield server
