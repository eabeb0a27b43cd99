"""The states that nearly every machine has."""

from __future__ import annotations

from amctl.machine import State, States

__all__ = ["BasicStates"]


class BasicStates(States):
    """Errors, a run flag and signs of life."""

    Exception = State(multi=True)
    """Something failed; the machine's `err` says what."""

    ErrNetwork = State(multi=True, add=["Exception"], require=["Exception"])
    """The network failed."""

    ErrHandlerTimeout = State(multi=True, add=["Exception"], require=["Exception"])
    """A handler took too long."""

    Start = State()
    """The run flag: what it needs is acquired when it activates and released when it ends."""

    Ready = State(require=["Start"])
    """Fully usable."""

    Healthcheck = State(multi=True)
    """Added from time to time, so that tools see what was logged since."""

    Heartbeat = State()
    """Checks what must always hold; removes itself."""
