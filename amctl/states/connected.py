"""The life of one connection, as four states that exclude each other."""

from __future__ import annotations

from typing import ClassVar

from amctl.machine import State, States

__all__ = ["ConnectedStates"]

_GROUP = ("Connecting", "Connected", "Disconnecting", "Disconnected")


class ConnectedStates(States):
    """To be merged into a machine that has Start."""

    exception_last = True
    groups: ClassVar[dict[str, tuple[str, ...]]] = {"Connected": _GROUP}

    ErrConnecting = State(require=["Exception"])
    """The last try to connect failed."""

    Connecting = State(require=["Start"], remove=_GROUP)
    """Trying to connect."""

    Connected = State(require=["Start"], remove=_GROUP)
    """The connection stands."""

    Disconnecting = State(remove=_GROUP)
    """The connection is being closed by us."""

    Disconnected = State(auto=True, remove=_GROUP)
    """None of the other three."""
