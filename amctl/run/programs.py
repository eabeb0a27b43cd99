"""Programs on this machine: where they are, and how to run one for its effect."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Ran", "run_quietly", "search_path", "use_own_programs", "which"]

_TAIL_LINES = 5


def search_path(environ: Mapping[str, str] | None = None) -> str:
    """PATH, with the folder of this Python's own programs (npm of a wheel, say) at its end."""
    environ = os.environ if environ is None else environ
    own = str(Path(sys.executable).parent)
    folders = environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join([*folders, *([] if own in folders else [own])])


def use_own_programs() -> None:
    """Let this process and its children find the programs beside this Python too."""
    os.environ["PATH"] = search_path()


def which(name: str) -> str | None:
    """The path of a program, None if there is none."""
    return shutil.which(name, path=search_path())


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended."""

    code: int
    tail: str
    """The last lines that it said."""


def run_quietly(
    command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Ran:
    """Run a program to its end with no input, and keep what it said last. Never raises OSError."""
    environ = {**os.environ, "PATH": search_path(), **(env or {})}
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as err:
        return Ran(127, f"{command[0]}: {err.strerror}")
    return Ran(done.returncode, "\n".join(done.stdout.strip().splitlines()[-_TAIL_LINES:]))
