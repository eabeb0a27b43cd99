"""The two ways to run Jaeger: as a program of this machine, and as a container."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from amctl.run.programs import search_path, which

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from amctl.run.jaeger.place import Place

__all__ = ["LOG_FILE", "PID_FILE", "Backend", "Compose", "LocalProgram", "find_backend"]

PID_FILE, LOG_FILE = "jaeger.pid", "jaeger.log"
_TAIL = 6
_LAST_WORD = 10.0
"""Seconds that a child has to end."""
_COMPOSE_TIMEOUT = 300
"""Seconds: the first time, the image has to come."""


class Backend(Protocol):
    """One way to run it."""

    @property
    def name(self) -> str:
        """For people."""

    def up(self) -> None:
        """Begin to start it. Raises OSError, or RuntimeError with what the program said."""

    def died(self) -> str:
        """Empty while it may still come up; else what it said last."""

    def down(self) -> bool:
        """End it; whether there was one of ours."""

    def is_ours(self) -> bool:
        """Whether this way has started one that still runs."""


@dataclass(slots=True)
class LocalProgram:
    """A `jaeger` of version 2 on PATH, in a session of its own: it outlives this command."""

    program: str
    config: Path
    folder: Path
    place: Place
    origin: str = ""
    _child: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        return self.program

    def up(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        environ = {**os.environ, **self.place.environ()}
        if self.origin:
            environ["AMCTL_ORIGIN"] = self.origin
        with (self.folder / LOG_FILE).open("wb") as log:
            self._child = subprocess.Popen(
                [self.program, "--config", str(self.config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environ,
                start_new_session=True,
            )
        mark = {"pid": self._child.pid, "program": self.program, "began": _began(self._child.pid)}
        (self.folder / PID_FILE).write_text(json.dumps(mark), encoding="utf-8")

    def died(self) -> str:
        if self._child is None or self._child.poll() is None:
            return ""
        (self.folder / PID_FILE).unlink(missing_ok=True)
        text = (self.folder / LOG_FILE).read_text(encoding="utf-8", errors="replace")
        said = " / ".join(text.strip().splitlines()[-_TAIL:])
        return f"ended with code {self._child.returncode}: {said or 'it said nothing'}"

    def down(self) -> bool:
        pid = self._pid()
        (self.folder / PID_FILE).unlink(missing_ok=True)
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
        if self._child is not None:
            self._child.terminate()
            self._child.wait(_LAST_WORD)
        return pid is not None

    def is_ours(self) -> bool:
        return self._pid() is not None

    def _pid(self) -> int | None:
        """The process that `up` started; another one that has its number now doesn't count."""
        try:
            mark = json.loads((self.folder / PID_FILE).read_text(encoding="utf-8"))
            pid = int(mark["pid"])
            os.kill(pid, 0)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return pid if mark.get("began") == _began(pid) else None


def _began(pid: int) -> str:
    """When a process began, in words that only compare; empty where that isn't told."""
    if not sys.platform.startswith("linux"):
        return ""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            # the name may hold blanks; start time is the 20th field behind it
            state, *rest = file.read().rpartition(")")[2].split()
    except (OSError, ValueError):
        return "gone"
    return "gone" if state == "Z" else rest[18]


@dataclass(slots=True)
class Compose:
    """deploy/jaeger/compose.yaml under docker or podman."""

    command: tuple[str, ...]
    """`docker compose` or `podman compose`, as words."""
    file: Path
    place: Place
    origin: str = ""
    run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run

    @property
    def name(self) -> str:
        return " ".join(self.command)

    def up(self) -> None:
        done = self._do("up", "--detach", "--remove-orphans")
        if done.returncode:
            raise RuntimeError(_said(done))

    def died(self) -> str:
        done = self._do("ps", "--status", "exited", "--quiet")
        if done.returncode or not done.stdout.strip():
            return ""
        return _said(self._do("logs", "--tail", str(_TAIL), "--no-color"))

    def down(self) -> bool:
        was = self.is_ours()
        if was and (done := self._do("down")).returncode:
            raise RuntimeError(_said(done))
        return was

    def is_ours(self) -> bool:
        done = self._do("ps", "--status", "running", "--quiet")
        return done.returncode == 0 and bool(done.stdout.strip())

    def _do(self, *words: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, **self.place.environ(), "PATH": search_path()}
        if self.origin:
            environ["AMCTL_ORIGIN"] = self.origin
        try:
            return self.run(
                [*self.command, "--file", str(self.file), *words],
                capture_output=True,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                env=environ,
                timeout=_COMPOSE_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise RuntimeError(f"no end after {error.timeout:g} s") from error


def _said(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stdout + done.stderr).strip().splitlines()[-_TAIL:]
    return " / ".join(lines) or f"ended with code {done.returncode}"


def find_backend(deploy: Path, folder: Path, place: Place, origin: str = "") -> Backend | None:
    """The way to run it here: a program `jaeger`, else docker, else podman; None if there is none.

    Args:
        deploy: The folder deploy/jaeger.
        folder: Where pid and log of a local program go.
        place: Its ports.
        origin: Whose page may post to it, `http://localhost:14050`.
    """
    program = which("jaeger")
    if program is not None:
        return LocalProgram(program, deploy / "config.yaml", folder, place, origin)
    for engine in ("docker", "podman"):
        if (path := which(engine)) and _has_compose(path):
            return Compose((path, "compose"), deploy / "compose.yaml", place, origin)
    return None


def _has_compose(engine: str) -> bool:
    try:
        ran = subprocess.run(
            [engine, "compose", "version"], capture_output=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ran.returncode == 0
