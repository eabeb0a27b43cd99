"""Collectors as processes that are killed, or run out of disk, in mid-stream."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from amctl.dump.sqlite import SqliteDump
from amctl.dump.verify import verify
from amctl.rpc.transports.tcp import dial_tcp
from amctl.telemetry.dbglink import DebugLink
from amctl.telemetry.messages import GapMsg, TxMsg
from amctl.telemetry.outbox import Outbox
from tests.support.house import ROOT
from tests.telemetry.dbgtools import simple_schema, simple_tx

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from amctl.rpc.transports.base import Connection

pytestmark = [pytest.mark.realtime, pytest.mark.slow]

MACHINES = 7


class Child:
    """One `amctl collect`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address: tuple[str, int] | None = None
        self.process: asyncio.subprocess.Process | None = None
        self.lives = 0

    async def start(self, *words: str, setup: Callable[[], None] | None = None) -> None:
        read, write = os.pipe()
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "amctl.cli.main", "collect", "--listen-addr", "127.0.0.1:0"),
            *("--dir", str(self.folder), "--output-filename", "a", "--ready-fd", str(write)),
            *("--end-with-stdin", "--json", *words),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            pass_fds=(write,),
            env={**os.environ, "AMCTL_TOKEN": "secret"},
            preexec_fn=setup,
        )
        os.close(write)
        with os.fdopen(read) as ready:
            line = await asyncio.wait_for(asyncio.to_thread(ready.readline), 30)
        host, _, port = json.loads(line)["addr"].rpartition(":")
        self.address = host, int(port)
        self.lives += 1

    async def end(self, number: signal.Signals) -> tuple[int, str, str]:
        """Its exit code, stdout and stderr."""
        process, self.address, self.process = self.process, None, None
        assert process is not None
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        out, err = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    async def dial(self) -> Connection:
        if self.address is None:
            raise ConnectionRefusedError("there is none")
        return await dial_tcp(*self.address)


class Source:
    """Machines that are recorded, by the real outbox and link."""

    def __init__(self, child: Child) -> None:
        self.outbox = Outbox(10**6, lambda: 0, lambda _: None)
        self.link = DebugLink("test", "s", self.outbox, child.dial, "secret", now_ns=lambda: 0)
        self.sent: list[TxMsg] = []
        for n in range(MACHINES):
            self.outbox.put(simple_schema(f"m{n}", "A", "B"))
        self.link.start()

    def put(self, count: int) -> None:
        for n in range(len(self.sent), len(self.sent) + count):
            tx = simple_tx(f"m{n * n % MACHINES}", n, n, n // 2, called=(n % 2,))
            self.sent.append(tx)
            self.outbox.put(tx)
        self.link.wake()

    async def some_acked(self, more: int) -> None:
        until = self.outbox.unacked - more
        async with asyncio.timeout(30):
            while self.outbox.unacked > until:  # noqa: ASYNC110  # nobody tells
                await asyncio.sleep(0.001)

    def check(self, path: Path) -> None:
        assert verify(path).problems == []
        with SqliteDump(path) as dump:
            found = list(dump.transitions())
            assert dump.gaps() == []
        for tx in found:
            tx.received_ns = 0
        assert found == self.sent


async def test_kill_9_loses_and_doubles_nothing(tmp_path: Path) -> None:
    child = Child(tmp_path)
    source = Source(child)
    for _ in range(4):
        await child.start()
        source.put(3000)
        await source.some_acked(500)
        source.put(200)
        safe = len(source.sent) - source.outbox.unacked
        code, _, _ = await child.end(signal.SIGKILL)
        assert code == -signal.SIGKILL
        assert verify(tmp_path / "a.sqlite").problems == []
        with SqliteDump(tmp_path / "a.sqlite") as dump:
            assert dump.count() >= safe
    await child.start()
    assert await source.link.close(30) == 0
    code, out, _ = await child.end(signal.SIGTERM)
    assert (code, json.loads(out)["missing"]) == (0, 0)
    source.check(tmp_path / "a.sqlite")


async def test_kill_9_while_it_rotates(tmp_path: Path) -> None:
    child = Child(tmp_path)
    source = Source(child)
    for _ in range(4):
        await child.start("--rotate-tx", "300")
        source.put(2000)
        await source.some_acked(1000)
        await child.end(signal.SIGKILL)
    await child.start()
    assert await source.link.close(30) == 0
    await child.end(signal.SIGTERM)
    found: list[TxMsg] = []
    for part in [*sorted(tmp_path.glob("a-*.sqlite"), key=_number), tmp_path / "a.sqlite"]:
        assert verify(part).problems == []
        with SqliteDump(part) as dump:
            found += dump.transitions()
    for tx in found:
        tx.received_ns = 0
    assert found == source.sent
    assert not list(tmp_path.glob(".*"))


def _number(path: Path) -> tuple[str, int]:
    stamp, number = path.stem[2:21], path.stem[22:]
    return stamp, int(number or 1)


def small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))


async def test_a_full_disk_ends_in_an_error_and_nothing_is_lost(tmp_path: Path) -> None:
    child = Child(tmp_path)
    source = Source(child)
    await child.start(setup=small_files)
    source.put(10_000)
    assert child.process is not None
    assert child.process.stderr is not None
    said = b""
    async with asyncio.timeout(30):
        while b"trying again" not in said:
            said = await child.process.stderr.readline()
            assert said
    safe = len(source.sent) - source.outbox.unacked
    code, out, err = await child.end(signal.SIGTERM)
    assert (code, out) == (1, "")
    assert "transitions are lost" in err
    with SqliteDump(tmp_path / "a.sqlite") as dump:
        assert safe <= dump.count() < 10_000
    await child.start()
    assert await source.link.close(30) == 0
    await child.end(signal.SIGTERM)
    source.check(tmp_path / "a.sqlite")


async def test_what_an_outbox_could_not_hold_is_told_in_the_dump(tmp_path: Path) -> None:
    child = Child(tmp_path)
    source = Source(child)
    source.outbox.limit = 100
    source.put(500)
    await child.start()
    await source.some_acked(50)
    source.put(10)
    assert await source.link.close(30) == 0
    code, out, _ = await child.end(signal.SIGTERM)
    done: dict[str, Any] = json.loads(out)
    with SqliteDump(tmp_path / "a.sqlite") as dump:
        gaps = list(dump.gaps())
        assert dump.count() + sum(gap.count for gap in gaps) == 510
    assert all(isinstance(gap, GapMsg) for gap in gaps)
    assert (code, done["missing"]) == (0, sum(gap.count for gap in gaps))
    assert done["missing"] > 300
