"""A collector as a program: it says when it listens, and ends when it is asked to."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from typing import TYPE_CHECKING

import pytest

from amctl.dump.errors import AddressTakenError
from amctl.dump.service import Collected, CollectOptions, collect
from amctl.dump.sqlite import SqliteDump, SqliteWriter
from amctl.machine import StateDef
from amctl.telemetry.messages import SchemaMsg, TxMsg
from tests.support.go_caller import GoCaller

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.realtime


def a_dump(path: Path) -> None:
    writer = SqliteWriter(path)
    writer.write(SchemaMsg("m", ("A",), {"A": StateDef()}))
    writer.write(TxMsg("m", "0" * 15 + "1", (1,)))
    writer.finish()


class Service:
    """One that runs in this loop."""

    def __init__(self, options: CollectOptions, ready: int) -> None:
        self.told: list[tuple[str, int]] = []
        self._ready = ready
        tell = lambda text, level: self.told.append((text, level))  # noqa: E731
        self.task = asyncio.ensure_future(collect(options, tell))

    async def listens(self) -> dict[str, object]:
        loop = asyncio.get_running_loop()
        line = await loop.run_in_executor(None, os.read, self._ready, 4096)
        os.close(self._ready)
        found: dict[str, object] = json.loads(line)
        return found


def service(path: Path, **more: object) -> Service:
    read, write = os.pipe()
    return Service(CollectOptions(path, port=0, ready_fd=write, **more), read)  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_signal_ends_it_with_a_summary(tmp_path: Path, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    runs = service(tmp_path / "a.sqlite")
    ready = await runs.listens()
    assert (ready["path"], ready["pid"]) == (str(tmp_path / "a.sqlite"), os.getpid())
    os.kill(os.getpid(), number)
    done = await asyncio.wait_for(runs.task, 10)
    assert done == Collected(str(ready["addr"]), str(tmp_path / "a.sqlite"), (), 0, 0, 0, 0, 0)
    assert runs.told == [(f"collecting on {ready['addr']} into {tmp_path / 'a.sqlite'}", 0)]
    assert signal.getsignal(number) is before
    with SqliteDump(tmp_path / "a.sqlite") as dump:
        assert dump.count() == 0


async def test_the_dump_before_is_gone_on_with_or_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    a_dump(path)
    for fresh, count, parts in ((False, 1, 0), (True, 0, 1)):
        runs = service(path, fresh=fresh)
        await runs.listens()
        os.kill(os.getpid(), signal.SIGTERM)
        done = await asyncio.wait_for(runs.task, 10)
        assert len(done.parts) == parts
        with SqliteDump(path) as dump:
            assert dump.count() == count


async def test_a_taken_address_is_named_and_the_dump_let_go(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = CollectOptions(tmp_path / "a.sqlite", port=port)
        with pytest.raises(AddressTakenError, match=f"127.0.0.1:{port}") as caught:
            await collect(options, lambda text, level: None)
    assert "amctl collect -l" in caught.value.hint
    a_dump(tmp_path / "a.sqlite")


async def test_the_door_for_the_originals_programs_opens_only_when_asked_for(
    tmp_path: Path,
) -> None:
    runs = service(tmp_path / "a.sqlite", gob=("127.0.0.1", 0))
    ready = await runs.listens()
    host, _, port = str(ready["gob_addr"]).rpartition(":")
    assert host == "127.0.0.1"
    caller = await GoCaller.dial((host, int(port)))
    assert await caller.call("DbgMsgSchema", {"ID": "m", "StatesIndex": ["A"]}) == ""
    assert await caller.call("DbgMsgTx", {"MachineID": "m", "ID": "t", "Clocks": [1]}) == ""
    caller.close()
    os.kill(os.getpid(), signal.SIGTERM)
    done = await asyncio.wait_for(runs.task, 10)
    assert (done.gob_addr, done.transitions, done.streams) == (ready["gob_addr"], 1, 1)
    assert [text for text, level in runs.told if not level and "warning: any program" in text]


async def test_a_door_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = taken.getsockname()
        options = CollectOptions(tmp_path / "a.sqlite", port=0, gob=address)
        with pytest.raises(AddressTakenError, match=str(address[1])):
            await collect(options, lambda text, level: None)
    assert not (tmp_path / "a.sqlite-wal").exists()
