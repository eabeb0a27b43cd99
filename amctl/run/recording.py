"""The collector of a run: a child process that is started again when it dies.

It listens on a free loopback port with a secret of its own, so that neither another run nor another
program gets into the recording, and writes to the run's folder. Nobody waits for it: whoever has
something to record dials it through `dial` or `connect`, and tries again while it isn't there. What
a sender still holds when the collector dies is sent to the next one, so a death costs nothing
unless an outbox overflows; then that is told.

A run never fails because it can't be recorded: it says so, once, and goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from amctl.rpc.transports.tcp import dial_tcp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from amctl.rpc.transports.base import Connection

__all__ = ["COLLECTOR_LOG_FILE", "DUMP_FILE", "Recorded", "Recording"]

DUMP_FILE = "am-dbg-dump.sqlite"
COLLECTOR_LOG_FILE = "collector.log"
_READY_TIMEOUT = 10.0
"""Seconds for a collector to listen."""
_STOP_TIMEOUT = 5.0
"""Seconds for it to commit what it has, at the end."""
_BACKOFF = (0.1, 0.5, 1.0, 2.0, 5.0)
"""Seconds before each further try of one that never got ready; after the last it is given up."""
_WITHOUT_GOB = 2
"""Tries that fail before one without programs of the original: maybe it is their address."""
_SHORT_LIFE = 5.0
"""Who dies sooner, in seconds, several times in a row, is started again after a while only."""
_REST = (0.0, 0.0, 0.1, 0.3)
"""Seconds before one is started again after so many short lives; the last goes for all further."""

_UNSENT = "no collector at the end"

_log = logging.getLogger("amctl.run.recording")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a run left in its dump."""

    path: str
    """As people call it."""
    machines: int
    transitions: int
    """Messages of transitions, those of queued mutations included."""
    lost: int
    """Messages that are known to be missing."""
    why: tuple[str, ...]
    """Why, each cause once."""
    restarts: int
    """How often the collector died."""


@dataclass(frozen=True, slots=True)
class _Child:
    process: asyncio.subprocess.Process
    address: tuple[str, int]
    gob: str
    """Where programs of the original send; empty if nowhere."""


class Recording:
    """Keeps one collector running from `start` to `close`.

    Args:
        folder: Where the dump goes.
        name: What people call its file, `tmp/am-dbg-dump.sqlite`.
        forward: `host:port` of a debugger that gets everything too (`gob://host:port` if it is one
            of the original's); empty for none.
        gob: `host:port` where programs of the original are recorded; empty for none.
        tell: Told what a person should know, one line each.
        show: Told True when the first collector is up, False when there will be none any more.
        command: The collector's program; the rest of the command line is added.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        forward: str = "",
        gob: str = "",
        tell: Callable[[str], None],
        show: Callable[[bool], object] = lambda is_up: None,
        command: Sequence[str] = (sys.executable, "-m", "amctl.cli.main", "collect"),
    ) -> None:
        self.path = folder / DUMP_FILE
        self.name = name
        self.token = secrets.token_urlsafe(16)
        """What its senders must know."""
        self.restarts = 0
        """How often it died."""
        self._folder, self._forward, self._command = folder, forward, command
        self._gob = gob
        self._tell, self._show = tell, show
        self._child: asyncio.Future[_Child] = asyncio.get_running_loop().create_future()
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._was_up = self._is_given_up = False

    def start(self) -> None:
        """Begin; returns at once."""
        with contextlib.suppress(OSError):  # then the collector can't write there, which is told
            (self._folder / COLLECTOR_LOG_FILE).unlink(missing_ok=True)
        self._keeper = asyncio.get_running_loop().create_task(self._keep())

    async def dial(self) -> Connection:
        """A new connection to the collector, for the streams of this process.

        Raises:
            OSError: There is none now.
        """
        return await dial_tcp(*await self._address())

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The same for the relay, which carries the streams of browser threads.

        Raises:
            OSError: There is none now.
        """
        return await asyncio.open_connection(*await self._address())

    async def _address(self) -> tuple[str, int]:
        child = await asyncio.shield(self._child)
        return child.address

    # -- the child

    async def _keep(self) -> None:
        """Run collectors, one after another, until one can't be brought up."""
        loop = asyncio.get_running_loop()
        fresh = True
        failures = short_lives = 0
        while failures < len(_BACKOFF):
            if self._gob and failures == _WITHOUT_GOB:
                self._tell(f"Go machines are not recorded: {self._gob} can't be listened on")
                self._gob = ""
            try:
                # a dump that can't be gone on with is set aside in the end
                child = await self._spawn(fresh=fresh or failures > 1)
            except (OSError, ValueError, TimeoutError) as error:
                _log.warning("the collector can't start: %s", error)
                await self._end(signal.SIGKILL)
                await asyncio.sleep(_BACKOFF[failures])
                failures += 1
                continue
            fresh, failures = False, 0
            if not self._was_up:
                self._was_up = True
                self._show(True)
                if child.gob:
                    self._tell(
                        f"any program on this machine can append to the recording, without a "
                        f"token, at {child.gob} (AM_DBG_GOB_ADDR)"
                    )
            self._child.set_result(child)
            born = loop.time()
            code = await child.process.wait()
            self._child = loop.create_future()
            self.restarts += 1
            short_lives = short_lives + 1 if loop.time() - born < _SHORT_LIFE else 0
            if short_lives < len(_REST):
                self._tell(f"the collector {_fate(code)}; it is started again")
            else:
                _log.warning("the collector %s again", _fate(code))
            await asyncio.sleep(_REST[min(max(short_lives - 1, 0), len(_REST) - 1)])
        self._child.set_exception(ConnectionRefusedError("there is no collector"))
        self._child.exception()  # nobody may be waiting for it
        self._give_up()

    def _give_up(self) -> None:
        self._is_given_up = True
        self._show(False)
        self._tell(f"this run is not recorded: the collector can't start, see {self._log_name}")

    async def _spawn(self, *, fresh: bool) -> _Child:
        read, write = os.pipe()
        try:
            with self._log_file() as said:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command,
                    *self._words(write, fresh=fresh),
                    # its end tells the child that this process is gone, however that happened
                    stdin=subprocess.PIPE,
                    stdout=said,
                    stderr=said,
                    pass_fds=(write,),
                    env={**os.environ, "AMCTL_TOKEN": self.token, **self._forward_env()},
                    # a Ctrl-C is for us; the child has to outlive the streams
                    start_new_session=True,
                )
            os.close(write)
            write = -1
            async with asyncio.timeout(_READY_TIMEOUT):
                line = await _first_line(read)
        finally:
            os.close(read)
            if write >= 0:
                os.close(write)
        ready = json.loads(line or "null")
        if not isinstance(ready, dict) or not isinstance(ready.get("addr"), str):
            raise ValueError(f"it ended before it listened, see {self._log_name}")
        host, _, port = ready["addr"].rpartition(":")
        return _Child(self._process, (host.strip("[]"), int(port)), ready.get("gob_addr", ""))

    def _words(self, ready_fd: int, *, fresh: bool) -> list[str]:
        return [
            "--listen-addr",
            "127.0.0.1:0",
            "--dir",
            str(self._folder),
            "--output-filename",
            DUMP_FILE.partition(".")[0],
            "--ready-fd",
            str(ready_fd),
            "--end-with-stdin",
            "--json",
            *(["--fresh"] if fresh else []),
            *(["--fwd-data", self._forward] if self._forward else []),
            *(["--gob-addr", self._gob] if self._gob else []),
        ]

    def _forward_env(self) -> dict[str, str]:
        """A debugger that somebody started wants the token that he chose, not ours."""
        chosen = os.environ.get("AMCTL_TOKEN", "")
        return {"AMCTL_FWD_TOKEN": chosen} if self._forward and chosen else {}

    def _log_file(self) -> BinaryIO:
        return open(self._folder / COLLECTOR_LOG_FILE, "ab")

    @property
    def _log_name(self) -> str:
        return str(self.name).replace(DUMP_FILE, COLLECTOR_LOG_FILE)

    # -- the end

    async def close(self) -> None:
        """Have it commit what it has, and end; the streams are closed by then."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
            if not self._was_up and not self._is_given_up:
                self._give_up()
        await self._end(signal.SIGTERM)

    def result(self, unsent: int = 0) -> Recorded | None:
        """What was recorded; None if there is nothing. Call it after `close`.

        Args:
            unsent: Messages that streams of this process could not bring to the collector.
        """
        # without a collector a dump in the folder is that of an earlier run
        if not self._was_up or not self.path.exists():
            return None
        # Not at the top: a run that isn't recorded needs none of it.
        from amctl.dump.errors import DumpError
        from amctl.dump.sqlite import SqliteDump

        try:
            with SqliteDump(self.path, self.name) as dump:
                gaps = dump.gaps()
                return Recorded(
                    path=self.name,
                    machines=len(dump.machines()),
                    transitions=dump.count(),
                    lost=sum(gap.count for gap in gaps) + unsent,
                    why=(*dict.fromkeys(gap.why for gap in gaps), *([_UNSENT] if unsent else [])),
                    restarts=self.restarts,
                )
        except DumpError as error:
            self._tell(f"{error}")
            return None

    def kill(self) -> None:
        """End it at once, from a place that can't wait; what it has taken, it has committed."""
        if self._process is not None and self._process.returncode is None:
            _send(self._process, signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        _send(process, number)
        try:
            async with asyncio.timeout(_STOP_TIMEOUT):
                await process.wait()
        except TimeoutError:
            _log.warning("the collector took more than %g s to end", _STOP_TIMEOUT)
            _send(process, signal.SIGKILL)
            await process.wait()
        if process.stdin is not None:
            process.stdin.close()


def _send(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Also to one that somebody has stopped: it goes on, to end."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)


def _fate(code: int) -> str:
    if code < 0:
        known = -code in signal.valid_signals() and -code in {*signal.Signals}
        return f"was ended by {signal.Signals(-code).name if known else f'signal {-code}'}"
    return f"ended with code {code}"


async def _first_line(fd: int) -> str:
    """Read a pipe up to a line's end, or to its own."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    with os.fdopen(os.dup(fd), "rb") as pipe:
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        try:
            return (await reader.readline()).decode()
        finally:
            transport.close()
