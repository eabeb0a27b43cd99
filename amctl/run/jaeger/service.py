"""Brings the prepackaged Jaeger up, tells how it is, takes it down."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amctl.run.errors import JaegerError, NoJaegerError
from amctl.run.jaeger.backends import find_backend
from amctl.run.jaeger.place import HOST, Place, is_healthy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from amctl.run.jaeger.backends import Backend

__all__ = ["Jaeger", "JaegerStatus"]

_PAUSE = 0.1
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class JaegerStatus:
    """How it is."""

    running: bool
    """Its health check answers."""
    ours: bool
    """`amctl jaeger up` has started it."""
    backend: str
    """What runs it, or would; empty if there is nothing."""
    place: Place

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "running": self.running,
            "ours": self.ours,
            "backend": self.backend,
            "ui": self.place.ui_url,
            "otlp": self.place.otlp_url,
        }


class Jaeger:
    """The one Jaeger of this machine and these ports. Its calls block; none of them is for a loop.

    Args:
        home: The project, with deploy/jaeger.
        folder: Where pid and log of a local program go.
        place: Its ports.
        origin: Whose page may post to it.
        backend: How it is run; found by default.
        sleep, now: Injected clocks, in seconds.
    """

    def __init__(
        self,
        home: Path,
        folder: Path,
        place: Place,
        *,
        origin: str = "",
        backend: Backend | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.place = place
        self._deploy, self._folder, self._origin = home / "deploy" / "jaeger", folder, origin
        self._given = backend
        self._sleep, self._now = sleep, now

    def status(self) -> JaegerStatus:
        """Look; changes nothing."""
        backend = self._find()
        ours = backend is not None and backend.is_ours()
        name = backend.name if backend else ""
        return JaegerStatus(is_healthy(self.place), ours, name, self.place)

    def up(
        self, tell: Callable[[str], None] = lambda _: None, patience: float = _PATIENCE
    ) -> JaegerStatus:
        """Start it unless it runs, and wait until its health check answers.

        Args:
            tell: Told what is being done, a line each.
            patience: Seconds to wait.

        Raises:
            NoJaegerError: There is neither a program nor a container engine.
            JaegerError: A port is taken, it ended, or it isn't healthy in time.
        """
        if is_healthy(self.place):
            return self.status()
        backend = self._find()
        if backend is None:
            raise NoJaegerError()
        self._check_ports()
        tell(f"starting Jaeger with {backend.name}")
        try:
            backend.up()
        except (OSError, RuntimeError) as error:
            raise JaegerError(backend.name, f"can't start it: {error}") from error
        self._wait(backend, patience)
        return self.status()

    def down(self, patience: float = _PATIENCE) -> bool:
        """End one that `up` started, and wait until it is gone.

        Returns:
            Whether there was one.

        Raises:
            JaegerError: It runs, but somebody else has started it; or it doesn't end.
        """
        backend = self._find()
        try:
            was = backend is not None and backend.down()
        except (OSError, RuntimeError) as error:
            assert backend is not None
            raise JaegerError(backend.name, f"can't end it: {error}") from error
        if not was and is_healthy(self.place):
            raise JaegerError("jaeger", "it runs, but amctl hasn't started it: end it yourself")
        until = self._now() + patience
        while was and is_healthy(self.place):
            if self._now() > until:
                raise JaegerError("jaeger", f"it still answers after {patience:g} s")
            self._sleep(_PAUSE)
        return was

    def _find(self) -> Backend | None:
        if self._given is None:
            self._given = find_backend(self._deploy, self._folder, self.place, self._origin)
        return self._given

    def _check_ports(self) -> None:
        place = self.place
        for port in (place.ui, place.otlp, place.otlp_grpc, place.health):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((HOST, port))
                except OSError as error:
                    problem = f"{HOST}:{port} is in use by another program"
                    raise JaegerError("jaeger", problem) from error

    def _wait(self, backend: Backend, patience: float) -> None:
        until = self._now() + patience
        while not is_healthy(self.place):
            if said := backend.died():
                raise JaegerError(backend.name, said)
            if self._now() > until:
                raise JaegerError(backend.name, f"isn't healthy after {patience:g} s")
            self._sleep(_PAUSE)
