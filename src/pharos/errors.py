"""The root of all errors that Pharos raises on purpose, and the exit codes of the program.

    PharosError                 exit 1   something failed; the message says what, where and what to do
    ├── ConfigurationError      exit 2   the settings are wrong; one line per mistake
    └── Busy                    exit 75  another run holds the lake

Each package adds its own below these, in its own `errors.py` or beside the code that raises them.
"""

from __future__ import annotations

from typing import ClassVar


class PharosError(Exception):
    """An error with a remedy. `str()` of it is the whole message for the operator."""

    exit_code: ClassVar[int] = 1


class ConfigurationError(PharosError):
    """The settings are wrong. Holds one line per mistake, each naming the key."""

    exit_code: ClassVar[int] = 2

    def __init__(self, *mistakes: str) -> None:
        super().__init__(*mistakes)
        self.mistakes = mistakes

    def __str__(self) -> str:
        return "\n".join(self.mistakes)


class Busy(PharosError):
    """Another run is writing; this run did nothing."""

    exit_code: ClassVar[int] = 75
