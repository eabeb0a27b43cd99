"""Sends to debuggers of the original: `net/rpc` over gob, one connection for each machine.

    stream = DebugStream("worker", carrier=lambda outbox: RpcLink("worker", outbox, host, port))

Each call waits for its answer, as the other side may run calls of a connection side by side. Unlike
the original's own sender this one dials again, for ever, and introduces its machines once more; a
debugger of the original then begins anew with each of them, as there is no other way to tell it.

Nobody on the other side has to show what it is, and nothing is encrypted: for the loopback, or for
networks where everybody may see what machines do.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from amctl.dump.gob.calls import SCHEMA_METHOD, TX_METHOD, AnswerReader, CallWriter
from amctl.dump.gob.convert import schema_to_fields, tx_to_fields
from amctl.dump.gob.decoder import GobError
from amctl.dump.gob.encoder import GobValueError
from amctl.dump.gob.live import LiveWeaver
from amctl.rpc.wire.backoff import Backoff
from amctl.telemetry.messages import SchemaMsg, TxMsg

if TYPE_CHECKING:
    from amctl.dump.gob.live import Told
    from amctl.telemetry.outbox import Outbox

__all__ = ["RpcLink"]

_MACHINES: Final = 1000
"""Machines, and so connections."""
_ANSWER: Final = 5.0
"""Seconds until a call is answered."""
_DIAL: Final = 5.0
_FLUSH: Final = 1.0
"""Seconds that lines wait for a transition to take them along."""
_LONGEST_WAIT = 5.0
_LAST_WAIT = 0.1
"""Longest wait before another try once the link is to be closed."""
_log = logging.getLogger("amctl.dump.rpclink")


class RpcLink:
    """Sends what an outbox holds, from `start` to `close`; a `Carrier`.

    Args:
        name: The sender's, for people.
        outbox: What is sent; call `wake` after filling it.
        host: Of the debugger.
        port: Of the debugger, 6831 if nobody chose another one.
    """

    def __init__(self, name: str, outbox: Outbox, host: str, port: int) -> None:
        self.name, self.outbox = name, outbox
        self._host, self._port = host, port
        self._loop = asyncio.get_running_loop()
        self._backoff = Backoff(random.Random(), most=_LONGEST_WAIT)
        self._weaver = LiveWeaver(_MACHINES)
        self._lines: dict[str, _Line] = {}
        self._outgoing: deque[Told] = deque()
        self._number = -1
        """Of the message that `_outgoing` tells."""
        self._woken = asyncio.Event()
        self._is_ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._told: set[str] = set()

    def start(self) -> None:
        """Begin to connect; returns at once."""
        if self._task is None:
            self._task = self._loop.create_task(self._run())

    @property
    def is_connected(self) -> bool:
        """Whether a debugger takes what is sent."""
        return any(line.is_up for line in self._lines.values())

    def wake(self) -> None:
        """There is something to be sent."""
        self._woken.set()

    async def close(self, grace: float) -> int:
        """Send what is left, and wait until all of it is taken.

        Args:
            grace: Seconds; what isn't answered by then is lost.

        Returns:
            How many messages that is.
        """
        self.outbox.end()
        if self._task is not None:
            self._is_ending.set()
            self._woken.set()
            try:
                await asyncio.wait({self._task}, timeout=grace)
            finally:
                self._task.cancel()
            await asyncio.wait({self._task})
        self._hang_up()
        return self.outbox.unacked

    # -- the only task

    async def _run(self) -> None:
        while True:
            try:
                await self._work()
            except (OSError, TimeoutError, GobError) as error:
                why = f"{error}" or "it says nothing"
                self._say(f"can't reach the debugger at {self._host}:{self._port}: {why}")
            else:
                return
            self._hang_up()
            delay = self._backoff.delay() or 0.0
            if self._is_ending.is_set():
                await asyncio.sleep(min(delay, _LAST_WAIT))
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._is_ending.wait()

    async def _work(self) -> None:
        """Send until nothing more will come."""
        while True:
            await self._introduce()
            while self._outgoing or self._fill():
                if self._outgoing:
                    await self._tell(self._outgoing[0])
                    self._outgoing.popleft()
                if not self._outgoing:
                    self._settle()
            if self._is_ending.is_set():
                if not self._weaver.has_pending:
                    return
                self._outgoing.extend(self._weaver.flush())
                continue
            self._woken.clear()
            if not self._weaver.has_pending:
                await self._woken.wait()
                continue
            try:
                async with asyncio.timeout(_FLUSH):
                    await self._woken.wait()
            except TimeoutError:
                self._outgoing.extend(self._weaver.flush())

    def _fill(self) -> bool:
        """Take the next message; whether there is one."""
        entry = self.outbox.take()
        if entry is None:
            return False
        self._number, message = entry
        self._outgoing.extend(self._weaver.take(message))
        if not self._outgoing and isinstance(message, TxMsg):
            self.outbox.dropped += 1  # of a machine that finds no place
        return True

    def _settle(self) -> None:
        if self._number >= 0:
            self.outbox.ack(self._number + 1)
            self._number = -1

    # -- telling

    async def _introduce(self) -> None:
        """Connect for machines that were told before, and have no connection any more."""
        for machine_id in [*self._weaver.machines]:
            line = self._lines.get(machine_id)
            if line is None or line.is_up:
                continue  # if there never was one, its schema is on the way
            if self._outgoing and self._outgoing[0].machine_id == machine_id:
                continue  # that does it
            place = self._weaver.place(machine_id)
            line = await self._connect(machine_id)
            await self._call(line, replace(place, message=place.schema))
            await self._call(line, place)

    async def _tell(self, told: Told) -> None:
        line = self._lines.get(told.machine_id)
        if line is None or not line.is_up:
            line = await self._connect(told.machine_id)
            if told.message is not told.schema:
                await self._call(line, replace(told, message=told.schema))
        await self._call(line, told)
        if told.is_last:
            self._lines.pop(told.machine_id).hang_up()

    async def _connect(self, machine_id: str) -> _Line:
        async with asyncio.timeout(_DIAL):
            _, line = await self._loop.create_connection(
                lambda: _Line(self._woken), self._host, self._port
            )
        old = self._lines.pop(machine_id, None)
        if old is not None:
            old.hang_up()
        self._lines[machine_id] = line
        return line

    async def _call(self, line: _Line, told: Told) -> None:
        """One call, and its answer; what the other side doesn't want is lost."""
        message = told.message
        try:
            if isinstance(message, SchemaMsg):
                error = await line.call(SCHEMA_METHOD, schema_to_fields(message))
            else:
                error = await line.call(TX_METHOD, tx_to_fields(message, told.schema.names))
        except GobValueError as problem:
            error = f"a message can't be sent: {problem}"
        if error:
            self.outbox.dropped += isinstance(message, TxMsg)
            self._say(f"the debugger refuses what {told.machine_id} tells: {error}")
        else:
            self._backoff.reset()
            if self._told:
                _log.info("recording of %s: the debugger is back", self.name)
                self._told.clear()

    def _say(self, text: str) -> None:
        """Warn of a trouble, once until all is well again."""
        level = logging.DEBUG if text in self._told else logging.WARNING
        self._told.add(text)
        _log.log(level, "recording of %s: %s", self.name, text)

    def _hang_up(self) -> None:
        for line in self._lines.values():
            line.hang_up()  # it stays known: its machine is introduced again


class _Line(asyncio.Protocol):
    """One connection, with one call at a time."""

    def __init__(self, woken: asyncio.Event) -> None:
        self._woken = woken
        self._writer, self._reader = CallWriter(), AnswerReader()
        self._transport: asyncio.Transport | None = None
        self._asked: tuple[int, asyncio.Future[str]] | None = None

    @property
    def is_up(self) -> bool:
        """Whether it can be called through."""
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is up."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answers come."""
        try:
            for answer in self._reader.feed(data):
                asked, self._asked = self._asked, None
                if asked is None or answer.seq != asked[0]:
                    raise GobError(f"an answer to call {answer.seq}, which nobody made", 0)
                if not asked[1].done():
                    asked[1].set_result(answer.error)
        except GobError as error:
            self._lost(error)
            self.hang_up()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is down: whoever sends should know."""
        self._lost(exc or ConnectionResetError("the connection was closed"))
        self._transport = None
        self._woken.set()

    def _lost(self, error: Exception) -> None:
        asked, self._asked = self._asked, None
        if asked is not None and not asked[1].done():
            asked[1].set_exception(error)

    async def call(self, method: str, fields: dict[str, Any]) -> str:
        """Call, and wait for the answer; its error, empty if all is well.

        Raises:
            GobValueError: It can't be sent.
            GobError: The answer is none.
            OSError: The connection is gone.
            TimeoutError: Nobody answers.
        """
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the connection was closed")
        seq, data = self._writer.call(method, fields)
        answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._asked = seq, answered
        self._transport.write(data)
        async with asyncio.timeout(_ANSWER):
            return await answered

    def hang_up(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.close()
