"""A file that is named after what it is made of, so that its name says whether it is up to date."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pharos.lake.safely import is_whole


@dataclass(frozen=True, kw_only=True)
class Target:
    """`<code>-<inputs>.parquet`, alone in its folder: up to date exactly if that file is there."""

    path: Path

    NEW: ClassVar[str]  # why it is computed when there was nothing before
    CHANGED: ClassVar[str]  # when its inputs are others

    @property
    def fingerprint(self) -> str:
        """What it is made of: code and inputs."""
        return self.path.stem

    def reason(self) -> str | None:
        """Why it must be computed; None if it is there. A damaged one is removed, and counts as none."""
        if is_whole(self.path):
            return None
        self.path.unlink(missing_ok=True)
        older = [path.stem for path in self.path.parent.glob("*.parquet")]
        if not older:
            return self.NEW
        code = self.fingerprint.split("-")[0]
        return self.CHANGED if any(stem.split("-")[0] == code for stem in older) else "code changed"

    def remove_older(self) -> None:
        """Remove what it was before, also where a run that was killed did not come to it."""
        for path in self.path.parent.glob("*.parquet"):
            if path != self.path:
                path.unlink()
