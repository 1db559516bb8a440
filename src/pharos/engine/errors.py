"""Errors of an engine, with texts for the operator.

EngineFailed    a computation ended with an error of the engine
"""

from __future__ import annotations

from pharos.errors import PharosError

_ADVICE = {
    "memory": "Give it more memory (engine.memory_mb) or make room on the disk that holds the home",
    "disk": "Make room on the disk that holds the home, then run again",
    "file": "`pharos lake verify` finds damaged files and names the logs to read again",
    "": "Run again; if it fails again, report this message",
}
_SIGNS = {
    "memory": ("out of memory", "outofmemory", "java heap space"),
    "disk": ("no space left",),
    "file": ("parquet", "thrift", "no such file", "cannot open file", "io error", "snappy", "zstd"),
}


class EngineFailed(PharosError):
    """A computation ended with an error of the engine. `reason` is the first line of the engine's error."""

    def __init__(self, engine: str, reason: str) -> None:
        super().__init__(engine, reason)
        self.engine, self.reason = engine, reason

    def __str__(self) -> str:
        said = self.reason.lower()
        kind = next((kind for kind, signs in _SIGNS.items() if any(sign in said for sign in signs)), "")
        return (
            f"engine {self.engine}: {self.reason}. What was committed and published before is unchanged. "
            f"{_ADVICE[kind]}."
        )
