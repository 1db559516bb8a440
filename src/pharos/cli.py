"""The `pharos` program: one verb per job. Reads the settings, calls one room, prints for a person."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pharos import config
from pharos.errors import PharosError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="Learning analytics for Open edX.")

Home = Annotated[Path | None, typer.Option("--home", help="Folder of the lake, the default store and the state.")]
Config = Annotated[Path | None, typer.Option("--config", help="Settings file; default: pharos.yaml in home.")]


def main() -> None:
    """The program's entry: errors that a person can act on become their message and exit code."""
    try:
        app()
    except PharosError as error:
        print(error, file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
