"""Calls under way: each ends once, by its answer, by a refusal, or because time ran out.

A call is never sent twice by hand: the session sends it again after a reconnect, under the same
number, and the server runs it once.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from amctl.rpc.errors import (
    CallRefusedError,
    CallTimeoutError,
    NotConnectedError,
    RpcError,
    UnknownOutcomeError,
)
from amctl.rpc.wire.codes import Code, Op

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amctl.rpc.wire.client import ClientCore

__all__ = ["CallSpec", "Calls", "Origin"]


class Origin(NamedTuple):
    """Who caused a call, as the wire says it."""

    machine: str = ""
    tx: int | str = 0
    trace: bytes = b""


class CallSpec(NamedTuple):
    """What to call; states by name, since an index means a state only under one schema."""

    op: Op
    states: tuple[str, ...]
    args: Any = None
    origin: Origin = Origin()
    wants: bool = True

    def __str__(self) -> str:
        if self.op is Op.ASK:
            return f"ask {self.args.get('q', '')!s:.40}"
        return " ".join((self.op.name.lower(), *self.states))


_BATCH, _ASK = Op.BATCH, Op.ASK


class Watcher(Protocol):
    """What the client does about slow calls."""

    def call_slow(self) -> None: ...
    def calls_settled(self) -> None: ...
    def call_given_up(self, error: Exception) -> None: ...


class _Answer(asyncio.Future[Any]):
    """A call's result. Cancelling it takes the call back; a callback for that costs every call."""

    let_go: Callable[[], None]

    def cancel(self, msg: Any | None = None) -> bool:
        done = super().cancel(msg)
        if done:
            self.let_go()
        return done


class _Call:
    __slots__ = ("cid", "due", "future", "spec", "started")

    def __init__(self, spec: CallSpec, future: _Answer | None, now: float) -> None:
        self.spec, self.future, self.started = spec, future, now
        self.cid = 0
        self.due = 0.0

    def settled(self) -> _Answer | None:
        """Who waits for its end, if anybody still does; they know each other no more."""
        answer, self.future = self.future, None
        return None if answer is None or answer.done() else answer


class Calls:
    """The calls of one client.

    Args:
        who: The client's id, for errors.
        kick: Told when there is output.
        watcher: Told of slow calls.
        patience: Seconds after which an unanswered call counts as slow; one that could not even be
            sent fails then.
        deadline: Seconds after which a sent call fails.
    """

    def __init__(
        self,
        who: str,
        kick: Callable[[], None],
        watcher: Watcher,
        patience: float,
        deadline: float,
    ) -> None:
        self._who, self._kick, self._watcher = who, kick, watcher
        self._patience, self._deadline = patience, max(patience, deadline)
        self._core: ClientCore | None = None
        self._index: dict[str, int] = {}
        self._sent: dict[int, _Call] = {}
        self._early: list[_Call] = []
        self._slow = self._over = False
        self._timer: asyncio.TimerHandle | None = None
        self.count = 0
        """Calls and notes handed to the wire, for budgets."""

    @property
    def under_way(self) -> int:
        """How many calls wait for an answer."""
        return len(self._sent) + len(self._early)

    def use(self, core: ClientCore) -> None:
        """Take a new core; the calls of the last one must have been settled."""
        self._core, self._index, self._over = core, {}, False

    def send(self, spec: CallSpec) -> asyncio.Future[Any]:
        """Queue a call.

        Returns:
            Its result; cancelling it takes the call back if it was not sent yet.

        Raises:
            NotConnectedError: If the client was stopped.
            EncodeError: If the arguments can't be sent.
            Backpressure: If too much is waiting.
        """
        if self._over:
            raise NotConnectedError(self._who, str(spec))
        loop = asyncio.get_running_loop()
        answer = _Answer(loop=loop)
        call = _Call(spec, answer, loop.time())
        answer.let_go = partial(self._let_go, call)
        call.due = call.started + self._patience
        if self._index:
            self._issue(call)
        else:
            self._early.append(call)  # the names come with the first handshake
        self._set_timer()
        return answer

    def note(self, spec: CallSpec) -> None:
        """Queue a call whose answer nobody wants. Raises as `send`, and NotConnectedError."""
        if not self._index or self._over:
            raise NotConnectedError(self._who, str(spec))
        call = _Call(spec._replace(wants=False), None, 0.0)
        self._issue(call)

    # -- told by the client

    def opened(self, names: Sequence[str]) -> None:
        """The handshake is done, or the schema changed: names have these positions from here on."""
        self._index = {name: i for i, name in enumerate(names)}
        early, self._early = self._early, []
        for call in early:
            if call.future is not None and not call.future.done():
                try:
                    self._issue(call)
                except Exception as error:
                    call.future.set_exception(error)

    def connection_lost(self) -> None:
        """Whoever waits now waits for the next connection."""
        if self._sent:
            self._mark_slow()

    def replied(self, cid: int, result: Any, text: str = "") -> None:
        """An answer came; of a question it is the text."""
        call = self._sent.pop(cid, None)
        if call is not None and (answer := call.settled()) is not None:
            answer.set_result(text if call.spec.op is _ASK else result)
        self._settle()

    def failed(self, cid: int, code: int, text: str) -> None:
        """A call has no answer; the code tells why."""
        call = self._sent.pop(cid, None)
        if call is not None and (answer := call.settled()) is not None:
            answer.set_exception(self._error(call, code, text))
        self._settle()

    def fail_all(self) -> None:
        """Nothing more will come, and nothing more is taken until `use`."""
        self._over = True
        calls = [*self._sent.values(), *self._early]
        self._sent.clear()
        self._early.clear()
        for call in calls:
            if (answer := call.settled()) is not None:
                answer.set_exception(NotConnectedError(self._who, str(call.spec)))
        self._settle()

    # -- inside

    def _issue(self, call: _Call) -> None:
        core, spec = self._core, call.spec
        assert core is not None
        index, args, wants = self._index, spec.args, spec.wants
        machine, tx, trace = spec.origin
        try:
            states = [index[name] for name in spec.states]
            if spec.op is _BATCH:
                args = [(op, [index[name] for name in names], each) for op, names, each in args]
        except KeyError as error:
            text = f"the source has no state {error.args[0]}"
            raise CallRefusedError(self._who, str(spec), Code.STATE, text) from None
        if spec.op is _BATCH:
            call.cid = core.batch(args, machine, tx, trace, wants)
        else:
            call.cid = core.call(spec.op, states, args, machine, tx, trace, wants)
        self.count += 1
        if spec.wants:
            self._sent[call.cid] = call
        self._kick()

    def _error(self, call: _Call, code: int, text: str) -> RpcError:
        what = str(call.spec)
        if code == Code.UNKNOWN_OUTCOME:
            return UnknownOutcomeError(self._who, what)
        if code == Code.SESSION_LOST:
            return NotConnectedError(self._who, what)
        return CallRefusedError(self._who, what, code, text)

    def _let_go(self, call: _Call) -> None:
        """The waiter went away: take the call back if that is still possible."""
        call.future = None
        if call in self._early:
            self._early.remove(call)
        elif call.cid in self._sent and self._core is not None:
            if self._core.cancel(call.cid):
                self.count -= 1
            del self._sent[call.cid]
        self._settle()

    def _set_timer(self) -> None:
        if self._timer is None and (self._sent or self._early):
            due = min(call.due for call in (*self._sent.values(), *self._early))
            loop = asyncio.get_running_loop()
            wait = max(0.0, due - loop.time())  # browsers' loops refuse the past
            self._timer = loop.call_later(wait, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        for call in [c for c in (*self._early, *self._sent.values()) if c.due <= now]:
            self._late(call, now)
        self._set_timer()

    def _late(self, call: _Call, now: float) -> None:
        assert self._core is not None or not call.cid
        assert call.future is not None
        if call in self._early or (self._core is not None and self._core.cancel(call.cid)):
            if call in self._early:
                self._early.remove(call)
            self._sent.pop(call.cid, None)
            self._give_up(call, NotConnectedError(self._who, str(call.spec)))
        elif now - call.started < self._deadline:
            call.due = call.started + self._deadline
            self._mark_slow()
        else:
            self._sent.pop(call.cid, None)
            waited = now - call.started
            self._give_up(call, CallTimeoutError(self._who, str(call.spec), waited))

    def _give_up(self, call: _Call, error: RpcError) -> None:
        if (answer := call.settled()) is not None:
            answer.set_exception(error)
        self._watcher.call_given_up(error)
        self._settle()

    def _mark_slow(self) -> None:
        if not self._slow:
            self._slow = True
            self._watcher.call_slow()

    def _settle(self) -> None:
        if self._over and self._timer is not None and not self._sent and not self._early:
            # otherwise it rings for nothing once in a while, which is cheaper than a new one a call
            self._timer.cancel()
            self._timer = None
        if self._slow and not self._sent:
            self._slow = False
            self._watcher.calls_settled()
