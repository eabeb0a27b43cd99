"""Which recording a command is about, when nobody says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.cli.options import global_options
from amctl.dump.errors import DumpNotFoundError
from amctl.run.recording import DUMP_FILE
from amctl.run.settings import load_settings

if TYPE_CHECKING:
    import typer

__all__ = ["resolve"]


def resolve(source: str | None, ctx: typer.Context) -> str:
    """The path or URL of a recording: what was named, else that of the last run.

    Raises:
        DumpNotFoundError: Nothing was named, and the project has no run recorded.
        SettingsError, ConfigFileError: The project's settings can't be read.
    """
    if source:
        return source
    settings = load_settings(global_options(ctx).config)
    path = settings.repl_dir / DUMP_FILE
    if not path.is_file():
        raise DumpNotFoundError(str(path), "no run is recorded there")
    return str(path)
