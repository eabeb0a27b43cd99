"""A collector as a program: from its first bind to its last commit."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from amctl.dump._forward import Forwards
from amctl.dump.collector import Collector
from amctl.dump.errors import AddressTakenError
from amctl.dump.rotation import Rotation, parts_of, set_aside
from amctl.dump.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

__all__ = ["CollectOptions", "Collected", "collect"]


@dataclass(frozen=True, slots=True)
class CollectOptions:
    """Where to listen, and what to do with what comes."""

    path: Path
    """The dump."""
    host: str = "127.0.0.1"
    port: int = 6831
    token: str | None = None
    """What senders must know; None lets everybody in."""
    gob: tuple[str, int] | None = None
    """Where programs of the original may send, without a token; None is nowhere."""
    forward: tuple[tuple[str, int], ...] = ()
    """Who else gets everything."""
    forward_gob: tuple[tuple[str, int], ...] = ()
    """The same, of debuggers of the original."""
    forward_token: str = ""
    """What those want to hear."""
    rotation: Rotation = field(default_factory=Rotation)
    fresh: bool = False
    """Set a dump that stands there aside; else it is gone on with."""
    ready_fd: int | None = None
    """Gets one line of JSON, {"addr", "gob_addr", "path", "pid"}, once it listens; then it is
    closed."""
    end_with_stdin: bool = False
    """End when stdin does: whoever started it is gone then, however that happened."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What became of it."""

    addr: str
    path: str
    parts: tuple[str, ...]
    """Parts of the dump that were split off, and earlier dumps of the name; oldest first."""
    transitions: int
    """Taken by this process."""
    streams: int
    refused: int
    """Connections."""
    missing: int
    """Messages that senders say they lost."""
    rotations: int
    gob_addr: str = ""
    """Where programs of the original could send."""


async def collect(options: CollectOptions, tell: Callable[[str, int], object]) -> Collected:
    """Collect until SIGTERM, SIGINT, SIGHUP or the end of stdin.

    Args:
        options: See there.
        tell: Gets a line for people, and how many `-v` it takes to see it.

    Raises:
        AddressTakenError: It can't listen there.
        DumpError: The dump can't be written, or was found broken.
    """
    old = set_aside(options.path) if options.fresh else None
    if old is not None:
        tell(f"the dump before is {old} now", 1)
    collector = _made(options, tell)
    with _asked_to_end(end_with_stdin=options.end_with_stdin) as over:
        address, gob_address = await _open(collector, options, tell)
        waiting = asyncio.ensure_future(over.wait())
        either: set[asyncio.Future[Any]] = {waiting, collector.failed}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        await collector.close()
        if collector.failed.done():
            collector.failed.result()
    counts = collector.counts
    return Collected(
        addr=address,
        path=str(options.path),
        parts=tuple(str(part) for part in parts_of(options.path)),
        transitions=counts.transitions,
        streams=len(counts.streams),
        refused=counts.refused,
        missing=counts.missing,
        rotations=counts.rotations,
        gob_addr=gob_address,
    )


def _made(options: CollectOptions, tell: Callable[[str, int], object]) -> Collector:
    store, forwards = SqliteStore(options.path), None
    if options.forward or options.forward_gob:
        forwards = Forwards(
            options.forward,
            options.forward_token,
            "collector",
            now_ns=time.time_ns,
            gob=options.forward_gob,
        )
    return Collector(store, options.token, rotation=options.rotation, forwards=forwards, tell=tell)


async def _open(
    collector: Collector, options: CollectOptions, tell: Callable[[str, int], object]
) -> tuple[str, str]:
    """Listen, and say where: its address, and that for programs of the original."""
    gob_address = ""
    try:
        address = await _listen(collector.start, options.host, options.port)
        if options.gob is not None:
            gob_address = await _listen(collector.start_rpc, *options.gob)
    except AddressTakenError:
        await collector.close()
        raise
    tell(f"collecting on {address} into {options.path}", 0)
    if gob_address:
        tell(
            f"warning: any program on this machine can append to the dump, without a token, "
            f"at {gob_address} (Go net/rpc)",
            0,
        )
    if options.ready_fd is not None:
        ready = {"addr": address, "gob_addr": gob_address, "path": str(options.path)}
        _tell_ready(options.ready_fd, ready)
    return address, gob_address


async def _listen(
    start: Callable[[str, int], Awaitable[tuple[str, int]]], host: str, port: int
) -> str:
    try:
        host, port = await start(host, port)
    except OSError as error:
        raise AddressTakenError(f"{host}:{port}", error.strerror or str(error)) from error
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _tell_ready(fd: int, ready: dict[str, Any]) -> None:
    ready = {**ready, "pid": os.getpid()}
    with contextlib.suppress(OSError):  # whoever wanted to know is gone
        os.write(fd, json.dumps(ready).encode() + b"\n")
    with contextlib.suppress(OSError):
        os.close(fd)


@contextlib.contextmanager
def _asked_to_end(*, end_with_stdin: bool) -> Iterator[asyncio.Event]:
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    numbers = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as it is under nohup
        numbers.append(signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    for number in numbers:
        loop.add_signal_handler(number, over.set)
    fd = sys.stdin.fileno() if end_with_stdin else -1

    def look() -> None:
        if not os.read(fd, 4096):
            loop.remove_reader(fd)
            over.set()

    if fd >= 0:
        loop.add_reader(fd, look)
    try:
        yield over
    finally:
        if fd >= 0:
            loop.remove_reader(fd)
        for number, handler in zip(numbers, before, strict=True):
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
