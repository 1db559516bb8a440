"""Results of checks."""

from __future__ import annotations

from dataclasses import dataclass

from pharos.errors import PharosError


@dataclass(frozen=True)
class Finding:
    """The result of one check. The text begins with the setting, and gives the remedy if the check failed."""

    is_good: bool
    text: str


def named(setting: str, error: PharosError) -> str:
    """The error's text, beginning with the setting."""
    text = str(error)
    return text if text.startswith(f"{setting}: ") else f"{setting}: {text}"


def works(text: str) -> Finding:
    """The finding of a check that succeeded."""
    return Finding(is_good=True, text=text)


def fails(text: str) -> Finding:
    """The finding of a check that failed; `pharos check` then exits with 1."""
    return Finding(is_good=False, text=text)
