"""Freezes what an earlier commit leaves behind, for the tests of upgrades: python scripts/previous.py COMMIT.

Writes tests/data/previous/: `campus.tar.gz` holds `logs/` (which the commit has read), `later/` (logs of
days it has not seen), `lms.sqlite` and `home/lake`; `store.sql` is its Result Store, `commit.txt` the commit.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
TARGET = CHECKOUT / "tests" / "data" / "previous"
CAMPUS = ("--learners", "6", "--days", "8", "--seed", "2", "--until", "2026-03-01")
SEEN_UNTIL = "2026-02-27"  # logs of later days are left for the upgraded program


def main() -> None:
    commit = git("rev-parse", sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        git("worktree", "add", "--detach", str(folder / "checkout"), commit)
        try:
            freeze(folder, folder / "checkout" / "src")
        finally:
            git("worktree", "remove", "--force", str(folder / "checkout"))
    (TARGET / "commit.txt").write_text(f"{commit}\n", encoding="utf-8")
    print(f"{TARGET}: written by {commit}")


def freeze(folder: Path, source: Path) -> None:
    """A small campus, split by day, and what the program in `source` makes of its first days."""
    pharos(source, "demo", "--no-serve", *CAMPUS, "--home", str(folder / "demo"))
    campus = folder / "campus"
    for path in sorted((folder / "demo" / "logs").glob("*/*.log*")):
        is_seen = path.suffix == ".gz" and path.name.split("-")[1] <= SEEN_UNTIL.replace("-", "")
        target = campus / ("logs" if is_seen else "later") / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    shutil.copy(folder / "demo" / "lms.sqlite", campus)
    home = campus / "home"
    pharos(
        source, "run", "--home", str(home), "--until", SEEN_UNTIL,
        "--lms-database", f"sqlite:///{campus / 'lms.sqlite'}", "--logs", str(campus / "logs"),
    )  # fmt: skip
    TARGET.mkdir(parents=True, exist_ok=True)
    store = sqlite3.connect(home / "result_store.sqlite")
    (TARGET / "store.sql").write_text("\n".join(store.iterdump()) + "\n", encoding="utf-8")
    store.close()
    with tarfile.open(TARGET / "campus.tar.gz", "w:gz") as archive:
        for part in ("logs", "later", "lms.sqlite", "home/lake"):
            archive.add(campus / part, part, filter=without_owner)


def without_owner(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def pharos(source: Path, *arguments: str) -> None:
    """The program of that checkout, with the libraries of this one."""
    subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", "from pharos.cli import main; main()", *arguments],
        check=True, env={**os.environ, "PYTHONPATH": str(source)}, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def git(*arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True)  # noqa: S603
    return done.stdout.strip()


if __name__ == "__main__":
    main()
