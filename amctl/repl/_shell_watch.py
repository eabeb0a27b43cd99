"""Machines that come and go, and what changed last, seen from the prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amctl.machine import Tracer

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.machine import MachineView, Transition
    from amctl.repl.peer import Fleet, Peer

__all__ = ["Watch"]

_NAMES = 3
"""How many states of a change are named."""


class _Seen(NamedTuple):
    """A machine when it was last looked at."""

    peer: Peer
    id: str
    is_ready: bool


class Watch:
    """Looks at the fleet whenever the REPL's own machine has moved.

    Args:
        fleet: What to watch.
        notice: Told in words of each machine that comes or goes.
        arrived: Told of each machine that is connected now.
        redraw: Called when something has changed that the toolbar shows.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        notice: Callable[[str], None],
        arrived: Callable[[Peer], None],
        redraw: Callable[[], None],
    ) -> None:
        self.last = ""
        """What changed last, e.g. `orchestrator +WorkDelivered t1146`."""
        self._fleet = fleet
        self._notice, self._arrived, self._redraw = notice, arrived, redraw
        self._seen: dict[str, _Seen] = {}
        self._traced: dict[str, tuple[MachineView, _Moves]] = {}
        self._own = _Own(self)

    def start(self) -> None:
        """Look for the first time, without a word, and go on."""
        self._fleet.machine.bind_tracer(self._own)
        for peer in self._fleet.peers:
            self._note(peer)
            if peer.is_ready:
                self._arrive(peer)

    def stop(self) -> None:
        """Leave all machines as they were."""
        if not self._fleet.machine.is_disposed:
            self._fleet.machine.detach_tracer(self._own)
        for key in tuple(self._traced):
            self._untrace(key)

    def look(self) -> None:
        """Tell what is different from the last time."""
        peers = {peer.key: peer for peer in self._fleet.peers}
        for key in [key for key in self._seen if key not in peers]:
            gone = self._seen.pop(key)
            self._untrace(key)
            if gone.is_ready:
                self._notice(f"{gone.id} is gone: its address was taken away")
        for peer in peers.values():
            before = self._seen.get(peer.key)
            self._note(peer)
            if peer.is_ready and not (before and before.is_ready and before.peer is peer):
                self._notice(f"{peer.id} is {'back' if before and before.id else 'connected'}")
                self._arrive(peer)
            elif before and before.is_ready and not peer.is_ready:
                why = f": {peer.problem}" if peer.problem else ""
                self._notice(f"{before.id} is gone{why}")
        self._redraw()

    def moved(self, peer: Peer, tx: Transition) -> None:
        """Told by a tracer: a machine's activity has changed."""
        marks = [*(f"+{name}" for name in tx.enters), *(f"-{name}" for name in tx.exits)]
        if not marks:
            return
        more = f" and {len(marks) - _NAMES} more" if len(marks) > _NAMES else ""
        self.last = f"{peer.id} {' '.join(marks[:_NAMES])}{more} t{peer.net.time_sum}"
        self._redraw()

    def _note(self, peer: Peer) -> None:
        self._seen[peer.key] = _Seen(peer, peer.id, peer.is_ready)

    def _arrive(self, peer: Peer) -> None:
        old = self._traced.get(peer.key)
        if old is None or old[0] is not peer.net:
            self._untrace(peer.key)
            tracer = _Moves(self, peer)
            peer.net.bind_tracer(tracer)
            self._traced[peer.key] = peer.net, tracer
        self._arrived(peer)

    def _untrace(self, key: str) -> None:
        machine, tracer = self._traced.pop(key, (None, None))
        if machine is not None and tracer is not None and not machine.is_disposed:
            machine.detach_tracer(tracer)


class _Own(Tracer):
    """Of the REPL's machine: each of its transitions may mean that somebody came or went."""

    def __init__(self, watch: Watch) -> None:
        self.id = "shell"
        self._watch = watch

    def queue_end(self, machine: MachineView) -> None:
        self._watch.look()


class _Moves(Tracer):
    """Of a mirror: notes what changed last."""

    def __init__(self, watch: Watch, peer: Peer) -> None:
        self.id = "shell"
        self._watch, self._peer = watch, peer

    def transition_end(self, tx: Transition) -> None:
        if tx.is_accepted and tx.is_completed:
            self._watch.moved(self._peer, tx)
