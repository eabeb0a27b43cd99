"""A local mirror of a machine that lives elsewhere: reads cost nothing, mutations are awaited."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from amctl.machine import (
    CANCELED,
    ERROR_KEY,
    ArgsLike,
    BatchOp,
    Event,
    MachineError,
    MutationType,
    Result,
    Signal,
    Source,
)
from amctl.machine.args import as_args
from amctl.machine.errors import UnknownStateError
from amctl.machine.signals import Watch
from amctl.rpc._calls import CallSpec, Origin
from amctl.rpc._mirror import Mirror
from amctl.rpc.errors import AnswerError, NotConnectedError
from amctl.rpc.payload import args_to_wire
from amctl.rpc.wire.codes import Op

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from amctl.machine import MachineView, Schema, States, StatesLike
    from amctl.rpc.client import Client

__all__ = ["NetworkMachine"]

_log = logging.getLogger("amctl.rpc.mirror")


class NetworkMachine(Mirror):
    """The mirror that a client keeps up to date.

    It shares every read and every wait with `Machine`, and takes final handlers (`...State`,
    `...End`, `AnyState`); negotiation handlers never run here. They see the source's changes of
    activity: a re-entered multi state ticks without one. Mutations return when the source has run
    them and the mirror shows it.

    Every awaited mutation may raise:
        UnknownStateError: A name isn't in the schema; nothing was sent.
        NotConnectedError: It was not sent for lack of a connection, and will not be.
        CallTimeoutError, UnknownOutcomeError: It may have run.
        CallRefusedError: The server refused it; it did not run.
        EncodeError, Backpressure: It can't be sent, or too much is waiting.

    A disposed mirror answers Canceled.
    """

    def __init__(
        self,
        id: str,
        states: type[States] | Schema | None,
        *,
        client: Client,
        parent: MachineView | None = None,
        tags: Iterable[str] = (),
    ) -> None:
        super().__init__(id, states, parent=parent, tags=("rpc-netmach", *tags))
        self._client = client
        self._wanted: dict[int, _Wanted] = {}
        self._sids = 0
        self._on_connected: list[Callable[[bool], None]] = []

    # -- mutations

    async def add(
        self, states: StatesLike, args: ArgsLike = None, *, source: Event | Source | None = None
    ) -> Result:
        """Activate states at the source. See the class for what it raises."""
        return await self._call(Op.ADD, states, args, source)

    async def remove(
        self, states: StatesLike, args: ArgsLike = None, *, source: Event | Source | None = None
    ) -> Result:
        """Deactivate states at the source."""
        return await self._call(Op.REMOVE, states, args, source)

    async def set(
        self, states: StatesLike, args: ArgsLike = None, *, source: Event | Source | None = None
    ) -> Result:
        """Make these the source's active states, and no others."""
        return await self._call(Op.SET, states, args, source)

    async def toggle(
        self, states: StatesLike, args: ArgsLike = None, *, source: Event | Source | None = None
    ) -> Result:
        """Remove the states if all are active at the source, else add them; decided there."""
        return await self._call(Op.TOGGLE, states, args, source)

    async def mutate(
        self,
        op: MutationType,
        states: StatesLike,
        args: ArgsLike = None,
        *,
        source: Event | Source | None = None,
    ) -> Result:
        """The door that a local machine has too."""
        if op is MutationType.EVAL:
            raise MachineError("eval is no mutation for others")
        return await self._call(Op(int(op)), states, args, source)

    async def batch(self, ops: Sequence[BatchOp]) -> list[Result]:
        """Several mutations, back to back in one frame. The first one's source counts for all."""
        if self.is_disposed:
            return [CANCELED for _ in ops]
        parts = [(int(o.op), self._checked(o.states), args_to_wire(as_args(o.args))) for o in ops]
        source = next((o.source for o in ops if o.source is not None), None)
        spec = CallSpec(Op.BATCH, (), parts, _origin(source))
        return [Result(one) for one in await self._client.calls.send(spec)]

    def add_ns(
        self, states: StatesLike, args: ArgsLike = None, *, source: Event | Source | None = None
    ) -> None:
        """Activate states without waiting; the mirror follows with the next push or `sync`.

        Raises:
            UnknownStateError: A name isn't in the schema.
            NotConnectedError: There never was a connection.
            Backpressure: If too much is waiting.
        """
        self._note(Op.ADD, states, args, source)

    def remove_ns(
        self, states: StatesLike, args: ArgsLike = None, *, source: Event | Source | None = None
    ) -> None:
        """Deactivate states without waiting; as `add_ns`."""
        self._note(Op.REMOVE, states, args, source)

    def set_ns(
        self, states: StatesLike, args: ArgsLike = None, *, source: Event | Source | None = None
    ) -> None:
        """Set states without waiting; as `add_ns`."""
        self._note(Op.SET, states, args, source)

    async def add_err(
        self,
        error: BaseException | None,
        args: ArgsLike = None,
        *,
        source: Event | Source | None = None,
    ) -> Result:
        """Tell the source of an error at this end: Exception, and ErrOnClient if it has that.

        `err` keeps the error here; its text travels.
        """
        return await self._add_err((), error, args, source)

    async def add_err_state(
        self,
        state: str,
        error: BaseException | None,
        args: ArgsLike = None,
        *,
        source: Event | Source | None = None,
    ) -> Result:
        """The same, with an error state of the source."""
        return await self._add_err((state,), error, args, source)

    async def _add_err(
        self,
        states: tuple[str, ...],
        error: BaseException | None,
        args: ArgsLike,
        source: Event | Source | None,
    ) -> Result:
        if error is None or self.is_disposed:
            return CANCELED
        self._error = error
        also = ("ErrOnClient",) if self.has("ErrOnClient") else ()
        called = tuple(dict.fromkeys((*states, "Exception", *also)))
        return await self._call(Op.ADD, called, {**as_args(args), ERROR_KEY: error}, source)

    async def sync(self) -> None:
        """Bring the mirror up to everything that was sent before."""
        await self._client.sync()

    # -- questions

    async def ask(
        self, question: str, /, *, source: Event | Source | None = None, **params: Any
    ) -> Any:
        """Ask the source what no mirror holds, or to mutate and tell all about it at once.

        A question runs once, in the order of the other calls; see `amctl.rpc.asking` for what can
        be asked, `amctl.rpc.answers` for what comes back.

        Args:
            question: Its name.
            source: Of `mutate`: the event that led to it.
            params: Plain data by name.

        Returns:
            The answer, as plain JSON data.

        Raises:
            AnswerError: What came is no JSON.
            RpcError: As for a mutation, see the class. CallRefusedError has the code UNSUPPORTED
                for a question that the source doesn't know, ARGS for parameters that can't be.
            EncodeError, Backpressure: As for a mutation.
        """
        text = await self.ask_text({**params, "q": question}, source=source)
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise AnswerError(self.id, f"ask {question}", str(error)) from None

    async def ask_text(
        self, params: Mapping[str, Any], *, source: Event | Source | None = None
    ) -> str:
        """Ask with the question under `q`; the answer stays text. Raises as `ask`."""
        spec = CallSpec(Op.ASK, (), dict(params), _origin(source))
        if self.is_disposed:
            raise NotConnectedError(self.id, str(spec))
        text: str = await self._client.calls.send(spec)
        return text

    async def _call(
        self, op: Op, states: StatesLike, args: ArgsLike, source: Event | Source | None
    ) -> Result:
        if self.is_disposed:
            return CANCELED
        spec = CallSpec(op, self._checked(states), args_to_wire(as_args(args)), _origin(source))
        return Result(await self._client.calls.send(spec))

    def _note(
        self, op: Op, states: StatesLike, args: ArgsLike, source: Event | Source | None
    ) -> None:
        if not self.is_disposed:
            names = self._checked(states)
            self._client.calls.note(
                CallSpec(op, names, args_to_wire(as_args(args)), _origin(source), wants=False)
            )

    def _checked(self, states: StatesLike) -> tuple[str, ...]:
        if isinstance(states, str):
            names: tuple[str, ...] = (states,)
            if states in self._compiled.index:
                return names
        else:
            names = tuple(dict.fromkeys(states))
        if self.is_known:
            unknown = [name for name in names if not self.has(name)]
            if unknown:
                raise UnknownStateError(f"{self.id} ({self.remote_id})", unknown, self.names)
        return names

    # -- waits

    def when_args(self, state: str, args: ArgsLike) -> Signal:
        """Closed when the source enters the state with at least these arguments.

        The source watches, so the first hit counts from when the request arrives there; a hit
        while there was no session is missed. It stops watching when nobody waits any more.
        """
        if self.is_disposed:
            return Signal(True)
        self._checked(state)
        self._sids += 1
        wanted = _Wanted(self, self._sids, state, args_to_wire(as_args(args)))
        self._wanted[wanted.sid] = wanted
        signal = wanted.open()
        self._ask()
        return signal

    def _ask(self) -> None:
        if self._client.is_connected:
            for wanted in self._wanted.values():
                if not wanted.is_asked and self.has(wanted.state):
                    wanted.is_asked = True
                    self._client.subscribe(wanted.sid, wanted.state, wanted.match)

    def fired(self, sid: int) -> None:
        """Told by the client: a subscription came true."""
        wanted = self._wanted.pop(sid, None)
        signal = wanted.target() if wanted is not None else None
        if signal is not None:
            signal.close(self.time_sum)

    def forget(self, sid: int) -> None:
        """Nobody waits for a subscription any more."""
        wanted = self._wanted.pop(sid, None)
        if wanted is not None and wanted.is_asked and not self.is_disposed:
            self._client.unsubscribe(sid)

    # -- life

    @property
    def link(self) -> Client:
        """The client that keeps it up to date."""
        return self._client

    @property
    def is_connected(self) -> bool:
        """Whether the mirror is live."""
        return self._client.is_connected

    def on_connected(self, fn: Callable[[bool], None]) -> None:
        """Call `fn(resumed)` after every handshake; False: the server knows nothing of before."""
        self._on_connected.append(fn)

    def connected(self, resumed: bool) -> None:
        """Told by the client: a handshake is done."""
        self._ask()
        for fn in tuple(self._on_connected):
            fn(resumed)

    def dispose(self) -> None:
        """End the mirror; its source lives on (L4)."""
        wanted, self._wanted = self._wanted, {}
        super().dispose()
        self._on_connected.clear()
        for one in wanted.values():
            signal = one.target()
            if signal is not None:
                signal.close()

    def handler_failed(self, error: Exception) -> None:
        """A handler of the mirror raised: an error of this end, shown by the client's machine."""
        self._error = error
        self._client.machine.add_err(error)

    def _misused(self, error: Exception) -> None:
        self.handler_failed(error)


class _Wanted(Watch):
    """A wait for arguments, kept by the source. Holds its signal as long as somebody waits."""

    what = "when_args"

    def __init__(
        self, net: NetworkMachine, sid: int, state: str, match: Mapping[str, Any] | None
    ) -> None:
        self.ref = None
        self.net, self.sid, self.state, self.match = net, sid, state, match
        self.is_asked = False

    def open(self) -> Signal:
        """The signal that closes with it."""
        signal = self.signal = Signal(what=f"when_args {self.state}")
        signal._watch = self
        return signal

    def missing(self) -> Sequence[str]:
        """The state that is waited for."""
        return (self.state,)

    def drop(self) -> None:
        """Tell the source that nobody waits."""
        self.net.forget(self.sid)


def _origin(source: Event | Source | None) -> Origin:
    if source is None:
        return Origin()
    if isinstance(source, Event):
        source = source.as_source()
    tx: int | str = source.tx_id
    if len(source.tx_id) == 16:
        try:
            number = int(source.tx_id, 16)
        except ValueError:
            pass
        else:
            tx = number if f"{number:016x}" == source.tx_id else tx
    return Origin(source.machine_id, tx, source.trace)
