"""Looking at what runs: each machine is asked itself, as far as it can be reached."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from amctl.machine import Schema, UnknownStateError
from amctl.machine.explain import explain_by_relations
from amctl.repl.errors import NothingMatchedError, UnreachableError
from amctl.repl.why.errors import NoSuchMachineError, NoSuchStateError
from amctl.repl.why.model import Look, OutOfReachError, Spot
from amctl.rpc.answers import InnerMachine, Why
from amctl.rpc.errors import AnswerError, CallRefusedError, RpcError
from amctl.rpc.wire.codes import Code
from amctl.rpc.wire.errors import WireError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.machine.explanation import Explanation
    from amctl.repl.peer import Fleet, Peer

__all__ = ["PATIENCE", "LiveWorld"]

PATIENCE = 3.0
"""Seconds that a machine may take for an answer."""
_RELATIONS = "its mirror tells no more than relations do"


class LiveWorld:
    """The machines of a fleet, and those inside of their processes.

    Args:
        fleet: Who can be asked.
        patience: Seconds for each answer.
    """

    def __init__(self, fleet: Fleet, patience: float = PATIENCE) -> None:
        self._fleet, self._patience = fleet, patience
        self._inner: dict[str, list[InnerMachine]] = {}
        self._silent: dict[str, str] = {}

    is_live = True

    # -- where machines are

    async def find(self, machine: str) -> Spot:
        """Where to begin: a machine by its id; `.` is the first one that is connected.

        It may live inside of the process of a peer; if it is in no reach, a mirror of it will do.

        Raises:
            UnreachableError: It is known, but not connected, and nobody has a mirror of it.
            NoSuchMachineError: Nobody knows it.
        """
        from amctl.repl.selecting import select

        if machine == ".":
            return self._spot(select(self._fleet, machine)[0])
        known = self._peer(machine)
        if known is not None and known.is_ready:
            return self._spot(known)
        inner = await self._everywhere()
        for spot, one in inner:
            if one.id == machine:
                return spot
        for spot, one in inner:
            if one.remote_id == machine:
                return spot
        if known is not None and known.was_ready:
            return self._spot(known)
        try:
            select(self._fleet, machine)
        except UnreachableError:
            raise
        except NothingMatchedError:
            pass
        ids = [*(peer.id for peer in self._fleet.peers if peer.id), *(one.id for _, one in inner)]
        raise NoSuchMachineError(machine, list(dict.fromkeys(ids)))

    def beside(self, spot: Spot, machine: str) -> Spot:
        """See World."""
        return Spot(machine, spot.home)

    def home(self, machine: str) -> Spot | None:
        """See World."""
        peer = self._peer(machine)
        return self._spot(peer) if peer is not None and peer.is_ready else None

    def absence(self, machine: str) -> str:
        """See World."""
        peer = self._peer(machine)
        if peer is None:
            return f"no address leads to {machine} from here"
        return f"{machine} can't be reached from here either: {peer.problem or 'no answer yet'}"

    async def mirrors(self, machine: str) -> Sequence[Spot]:
        """See World."""
        own = self._peer(machine)
        found = await self._everywhere()
        return [
            spot
            for spot, one in found
            if one.remote_id == machine and (own is None or spot.home != own.key)
        ]

    def _peer(self, machine: str) -> Peer | None:
        """The machine's own address: one that is connected, if there are several."""
        found = [peer for peer in self._fleet.peers if peer.id == machine]
        return next((peer for peer in found if peer.is_ready), found[0] if found else None)

    def _spot(self, peer: Peer) -> Spot:
        return Spot(peer.id, peer.key)

    async def _everywhere(self) -> list[tuple[Spot, InnerMachine]]:
        """All machines of all processes, each process asked once."""
        ready = [p for p in self._fleet.peers if p.is_ready and p.key not in self._inner]
        for peer, answer in zip(
            ready, await asyncio.gather(*(self._machines(p) for p in ready)), strict=True
        ):
            self._inner[peer.key] = answer
        return [
            (Spot(one.id, key), one)
            for key, inner in self._inner.items()
            for one in inner
            if not _is_ours(one)
        ]

    async def _machines(self, peer: Peer) -> list[InnerMachine]:
        try:
            return msgspec.convert(await self._ask(peer, "machines"), list[InnerMachine])
        except (OutOfReachError, CallRefusedError, msgspec.ValidationError):
            return []

    # -- looking

    async def look(self, spot: Spot, state: str, op: str) -> Look:
        """See World."""
        peer = next((p for p in self._fleet.peers if p.key == spot.home), None)
        if peer is None:
            raise OutOfReachError(f"no address leads to {spot.machine} from here")
        if not peer.is_ready:
            return self._by_mirror(peer, spot, state, f"it is not connected: {peer.problem}")
        params = {} if spot.machine == peer.id else {"machine": spot.machine}
        try:
            told = await self._ask(peer, "why", state=state, op=op, **params)
            return _look(msgspec.convert(told, Why))
        except msgspec.ValidationError as error:
            problem = f"its answer is of another version ({error})"
            return self._by_mirror(peer, spot, state, problem)
        except OutOfReachError as error:
            if peer.key in self._silent:
                return self._by_mirror(peer, spot, state, str(error), held_up=True)
            return self._by_mirror(peer, spot, state, str(error))
        except CallRefusedError as error:
            return await self._refused(peer, spot, state, error)

    async def _refused(self, peer: Peer, spot: Spot, state: str, error: CallRefusedError) -> Look:
        if error.code == Code.STATE:
            raise NoSuchStateError(spot.machine, state, await self._names(peer, spot)) from None
        if error.code != Code.UNSUPPORTED:
            raise OutOfReachError(f"{spot.machine}: {error.text}") from None
        problem = f"it is of an older version, so {_RELATIONS}"
        if spot.machine == peer.id:
            return self._by_mirror(peer, spot, state, problem)
        seen = await self._inspect(peer, spot)
        schema = Schema.from_dict(seen["schema"], seen["names"])
        return _by_relations(spot.machine, schema, seen["ticks"], state, problem)

    async def _names(self, peer: Peer, spot: Spot) -> Sequence[str]:
        if spot.machine == peer.id:
            return peer.net.names
        try:
            names: list[str] = (await self._inspect(peer, spot))["names"]
        except OutOfReachError:
            return []
        return names

    async def _inspect(self, peer: Peer, spot: Spot) -> dict[str, Any]:
        try:
            return dict(await self._ask(peer, "inspect", machine=spot.machine))
        except CallRefusedError as error:
            raise OutOfReachError(f"{spot.machine}: {error.text}") from None

    async def _ask(self, peer: Peer, question: str, **params: Any) -> Any:
        """Ask a peer, unless it did not answer before.

        Raises:
            OutOfReachError: No answer.
            CallRefusedError: A refusal.
        """
        if peer.key in self._silent:
            raise OutOfReachError(self._silent[peer.key])
        try:
            async with asyncio.timeout(self._patience):
                return await peer.ask(question, **params)
        except TimeoutError:
            text = f"it did not answer within {self._patience:g} s"
            self._silent[peer.key] = text
            raise OutOfReachError(text) from None
        except CallRefusedError:
            raise
        except (AnswerError, RpcError, WireError) as error:
            raise OutOfReachError(str(error)) from None

    def _by_mirror(
        self, peer: Peer, spot: Spot, state: str, problem: str, *, held_up: bool = False
    ) -> Look:
        """What the mirror here can tell, which may be an old one."""
        if spot.machine != peer.id or not peer.was_ready:
            raise OutOfReachError(f"{spot.machine} can't be asked: {problem}")
        net = peer.net
        return _by_relations(spot.machine, net.schema, net.time(), state, problem, held_up)


def _look(answer: Why) -> Look:
    return Look(answer.explanation, answer.feeds, answer.is_local, answer.remote_id, answer.link)


def _by_relations(
    machine: str,
    schema: Schema,
    ticks: Sequence[int],
    state: str,
    problem: str,
    held_up: bool = False,
) -> Look:
    try:
        found: Explanation = explain_by_relations(machine, schema.compiled(), ticks, state)
    except UnknownStateError as error:
        raise NoSuchStateError(machine, state, error.known) from None
    return Look(found, trouble=problem, held_up=held_up)


def _is_ours(one: InnerMachine) -> bool:
    """Whether a machine is there for people who look on, such as us."""
    return one.id.startswith("rs-repl-")
