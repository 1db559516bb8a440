"""Checks at other services: the Data API as Insights uses it, and the channels of alerts."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from pharos.check.finding import Finding, fails, works
from pharos.config import Settings
from pharos.scheduler import alerts

WAIT_S = 10.0


def data_api(settings: Settings) -> Iterator[Finding]:
    """The Data API accepts the token of Insights."""
    ours = settings.insights
    if ours.data_api_token is None:
        yield works("insights.data_api_token: not named; Insights needs one (pharos token create insights)")
        return
    address = f"{ours.data_api_url.rstrip('/')}/api/v0/authenticated/"
    headers = {"Authorization": f"Token {ours.data_api_token.get_secret_value()}"}
    try:
        answer = httpx.get(address, headers=headers, timeout=WAIT_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        yield fails(
            f"insights.data_api_url: {ours.data_api_url}: {error or type(error).__name__}; "
            "is `pharos serve` or `pharos data-api` running there?"
        )
        return
    if answer.is_success:
        yield works(f"insights.data_api_url: {ours.data_api_url} takes the token of Insights")
    elif answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        yield fails(
            "insights.data_api_token: the Data API refuses it; make it known: "
            "pharos token create insights --given"
        )
    else:
        yield fails(f"insights.data_api_url: {ours.data_api_url} answers with status {answer.status_code}")


def alert_channels(settings: Settings) -> Iterator[Finding]:
    """The mail server accepts the recipients (nothing is sent); the webhook accepts a message marked as a
    test.
    """
    for setting, reason in alerts.tried(settings.alerts).items():
        yield fails(f"{setting}: {reason}") if reason else works(f"{setting}: takes alerts")
