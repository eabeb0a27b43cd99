"""The run's secret: made anew each time, kept in a file that only its owner can read."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING

from amctl.run.errors import RunFolderError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["TOKEN_FILE", "make_token", "token_file"]

TOKEN_FILE = "token"
_BYTES = 24
_LONGEST = 512


def make_token(environ: Mapping[str, str] | None = None) -> str:
    """AMCTL_TOKEN if somebody chose one, else a new random one.

    Raises:
        SettingsError: If AMCTL_TOKEN can't be a header's value.
    """
    environ = os.environ if environ is None else environ
    chosen = environ.get("AMCTL_TOKEN", "")
    if not chosen:
        return secrets.token_urlsafe(_BYTES)
    if len(chosen) > _LONGEST or not chosen.isascii() or not chosen.isprintable() or " " in chosen:
        allowed = f"at most {_LONGEST} visible ASCII characters"
        raise SettingsError("environment", "AMCTL_TOKEN", "(not shown)", allowed)
    return chosen


@contextlib.contextmanager
def token_file(folder: Path, token: str, name: str = TOKEN_FILE) -> Iterator[Path]:
    """Keep the token in `folder` for as long as the context lasts, readable by its owner alone.

    A file that a killed run left behind is replaced. On the way out the file goes only if it still
    holds this token: another run may have put its own there.

    Raises:
        RunFolderError: If the folder can't be made or the file can't be written.
    """
    path = folder / name
    fresh = folder / f".{name}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        with os.fdopen(os.open(fresh, flags, 0o600), "w", encoding="ascii") as file:
            file.write(token)
        os.replace(fresh, path)
    except OSError as err:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise RunFolderError(str(path), f"can't be written, {err.strerror}") from err
    try:
        yield path
    finally:
        with contextlib.suppress(OSError):
            if path.read_text(encoding="ascii") == token:
                path.unlink()
