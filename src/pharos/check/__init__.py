"""Tests everything that the settings name, without changing anything: `pharos check`."""

from __future__ import annotations

from pathlib import Path

from pharos.check import here, lms, others
from pharos.check.finding import Finding
from pharos.config import Settings

__all__ = ["Finding", "check"]


def check(settings: Settings, file: Path | None) -> list[Finding]:
    """A finding for each part of the settings, which were read from this file (None: from no file)."""
    return [
        *here.settings_file(settings, file),
        *here.home(settings),
        *here.lake(settings),
        *here.logs(settings),
        *here.files_of_the_data_api(settings),
        *here.audit_logs(settings),
        *here.hosts(settings),
        *here.addresses(settings),
        *here.privacy(settings),
        *here.look(settings),
        *here.problems(settings),
        *here.jobs(settings),
        *here.engine(settings),
        *here.countries(settings),
        *here.result_stores(settings),
        *lms.database(settings),
        *lms.site(settings),
        *lms.service_account(settings),
        *lms.tokens(settings),
        *lms.sign_in(settings),
        *lms.catalog(settings),
        *others.data_api(settings),
        *others.alert_channels(settings),
    ]
