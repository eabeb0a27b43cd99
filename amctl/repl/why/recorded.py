"""Looking into a recording: why a state was as it was at a moment, and what had happened."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from amctl.dump.errors import UnknownMachineError
from amctl.dump.summary import time_text
from amctl.graph.build import build_graph
from amctl.machine import Schema, StateDef, UnknownStateError
from amctl.machine.explain import explain_by_relations
from amctl.machine.explanation import Explanation, Kind
from amctl.repl.why._happened import details, error_behind, free, made_active
from amctl.repl.why.errors import NoSuchMachineError, NoSuchStateError
from amctl.repl.why.history import error_of, past_of
from amctl.repl.why.model import Look, OutOfReachError, Spot
from amctl.rpc.answers import WhyFeed, WhyLink

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amctl.dump.model import Dump
    from amctl.graph.model import GraphMachine
    from amctl.graph.moments import Moment
    from amctl.repl.why.history import Past
    from amctl.telemetry.messages import TxMsg

__all__ = ["RecordedWorld"]

_EXCEPTION = "Exception"
_SOURCE = "src-id:"
_ADDR = "addr:"
_VERBS = ("add", "remove", "set", "eval")
_FREE = (Kind.NEVER_ASKED, Kind.ENDED, Kind.AUTO)


class RecordedWorld:
    """The machines of a recording at a moment.

    Args:
        dump: Is read as far as it is needed; not closed.
        moment: None is its end.

    Raises:
        DumpError: It can't be read.
    """

    def __init__(self, dump: Dump, moment: Moment | None = None) -> None:
        self._dump, self._moment = dump, moment
        self._graph = build_graph(dump, moment)
        self._pasts: dict[str, Past] = {}

    is_live = False

    # -- where machines are

    async def find(self, machine: str) -> Spot:
        """Where to begin.

        Raises:
            NoSuchMachineError: The recording holds no such machine at that moment.
        """
        known = [one.id for one in self._graph.machines.values() if one.known]
        if machine == "." and known:
            return Spot(known[0])
        if machine not in known:
            raise NoSuchMachineError(machine, known, "recording")
        return Spot(machine)

    def beside(self, spot: Spot, machine: str) -> Spot:
        """See World."""
        return Spot(machine)

    def home(self, machine: str) -> Spot | None:
        """See World."""
        found = self._graph.machines.get(machine)
        return Spot(machine) if found is not None and found.known else None

    def absence(self, machine: str) -> str:
        """See World."""
        return f"the recording holds nothing of {machine}"

    async def mirrors(self, machine: str) -> Sequence[Spot]:
        """See World."""
        machines = self._graph.machines.values()
        return [Spot(one.id) for one in machines if _remote(one) == machine]

    # -- looking

    async def look(self, spot: Spot, state: str, op: str) -> Look:
        """See World. A recording knows nothing of why a state stays."""
        machine = self._graph.machines.get(spot.machine)
        if machine is None or not machine.known:
            raise OutOfReachError(self.absence(spot.machine))
        schema = _schema(machine)
        ticks = [one.tick for one in machine.states]
        try:
            found = explain_by_relations(machine.id, schema.compiled(), ticks, state)
        except UnknownStateError as error:
            raise NoSuchStateError(machine.id, state, error.known) from None
        past = self._past(machine.id)
        remote, link = _remote(machine), self._link(machine)
        return Look(
            self._told(found, past),
            tuple(self._feeds(machine.id, state)),
            not remote,
            remote or self._shown_by(machine),
            link,
            details=tuple(details(found, past)),
            cause=self._cause(found, past),
        )

    def _past(self, machine: str) -> Past:
        if machine not in self._pasts:
            try:
                self._pasts[machine] = past_of(self._dump, machine, self._moment)
            except UnknownMachineError:
                raise OutOfReachError(self.absence(machine)) from None
        return self._pasts[machine]

    def _told(self, found: Explanation, past: Past) -> Explanation:
        """The explanation by relations, with what has happened."""
        gone = self._dump.gone().get(past.machine)
        if gone is not None and (self._moment is None or gone <= self._moment.time_ns):
            text = f"{past.machine} was disposed of at {time_text(gone)}"
            remedy = f"start {past.machine} again"
            found = replace(found, kind=Kind.DISPOSED, sentence=text, blame=(), remedy=remedy)
        elif found.is_active:
            found = made_active(found, past)
        elif found.kind in _FREE:
            found = free(found, past)
        error = error_behind(found, past)
        if error and not found.error:
            found = replace(found, error=error, sentence=f"{found.sentence} ({error})")
        return found

    def _feeds(self, machine: str, state: str) -> Iterator[WhyFeed]:
        ops: dict[tuple[str, str], list[str]] = {}
        for pipe in self._graph.pipes:
            if pipe.target == machine and pipe.target_state == state and pipe.source_state:
                ops.setdefault((pipe.source, pipe.source_state), []).append(pipe.kind)
        for (source, name), kinds in ops.items():
            there = self._graph.machines.get(source)
            known = there.state(name) if there is not None else None
            yield WhyFeed(
                tuple(kinds),
                source,
                name,
                known.is_active if known is not None else None,
                known.tick if known is not None else 0,
                _remote(there) if there is not None else "",
                self._link(there) if there is not None else None,
            )

    # -- connections

    def _link(self, machine: GraphMachine) -> WhyLink | None:
        """The connection of a mirror, or of the client whose machine this is."""
        client = self._graph.machines.get(machine.parent) if _remote(machine) else None
        if "rpc-client" in machine.tags:
            client = machine
        if client is None or (done := client.state("HandshakeDone")) is None:
            return None
        shown = self._mirror_of(client)
        past = self._past(client.id)
        lost = past.ended.get("HandshakeDone")
        is_lost = not done.is_active and lost is not None
        error = past.began.get(_EXCEPTION)
        addr = next((t.removeprefix(_ADDR) for t in client.tags if t.startswith(_ADDR)), "")
        retrying = client.state("RetryingConn")
        return WhyLink(
            client.id,
            done.is_active,
            tuple(one.name for one in client.states if one.is_active),
            self._since(lost) if is_lost and lost is not None else None,
            done.tick > 0,
            bool(addr) or (retrying is not None and retrying.tick > 0),
            error_of(error) if error is not None and not done.is_active else "",
            addr,
            tuple(one.name for one in shown.states if one.is_active) if shown is not None else (),
        )

    def _since(self, tx: TxMsg) -> float | None:
        """Seconds from a transition to the moment; None where times are unknown."""
        now = self._moment.time_ns if self._moment is not None else 0
        now = now or max((one.time_ns for one in self._graph.machines.values()), default=0)
        then = tx.time_ns or tx.received_ns
        return max(now - then, 0) / 1e9 if now and then else None

    def _mirror_of(self, client: GraphMachine) -> GraphMachine | None:
        if "rpc-client" not in client.tags:
            return None
        below = (one for one in self._graph.machines.values() if one.parent == client.id)
        return next((one for one in below if _remote(one)), None)

    def _shown_by(self, client: GraphMachine) -> str:
        """The machine that the mirror of a client shows."""
        mirror = self._mirror_of(client)
        return _remote(mirror) if mirror is not None else ""

    # -- causes

    def _cause(self, found: Explanation, past: Past) -> tuple[Spot, str] | None:
        """The machine and state from which the last move of a state came."""
        moved = past.began if found.is_active else past.ended
        tx = moved.get(found.state)
        source = tx.source if tx is not None else None
        if source is None or source.machine_id == past.machine:
            return None
        machine = self._graph.machines.get(source.machine_id)
        if machine is None or not machine.known:
            return None
        if not source.tx_id:
            return (Spot(machine.id), found.state) if machine.state(found.state) else None
        return self._moved_by(self._past(machine.id), source.tx_id)

    def _moved_by(self, past: Past, tx_id: str) -> tuple[Spot, str] | None:
        for moves in (past.began, past.ended):
            for state, tx in moves.items():
                if tx.id == tx_id:
                    return Spot(past.machine), state
        return None


def _schema(machine: GraphMachine) -> Schema:
    states = {
        one.name: StateDef(one.auto, one.multi, one.require, one.add, one.remove, one.after)
        for one in machine.states
    }
    return Schema(states, list(states))


def _remote(machine: GraphMachine) -> str:
    """Of a mirror: the machine that it shows."""
    tags = (tag.removeprefix(_SOURCE) for tag in machine.tags if tag.startswith(_SOURCE))
    return next(tags, "")
