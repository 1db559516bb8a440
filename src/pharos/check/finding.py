"""What was tried, and whether it works."""

from __future__ import annotations

from dataclasses import dataclass

from pharos.errors import PharosError


@dataclass(frozen=True)
class Finding:
    """One thing that was tried. The text begins with the setting, and says what to do if it does not work."""

    is_good: bool
    text: str


def named(setting: str, error: PharosError) -> str:
    """What an error says, beginning with the setting."""
    text = str(error)
    return text if text.startswith(f"{setting}: ") else f"{setting}: {text}"


def works(text: str) -> Finding:
    """It does what it should."""
    return Finding(is_good=True, text=text)


def fails(text: str) -> Finding:
    """It does not; `pharos check` ends with 1."""
    return Finding(is_good=False, text=text)
