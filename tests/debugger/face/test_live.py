"""Keeping up with a recording, whatever happens to it."""

from __future__ import annotations

import asyncio
import os
import shutil
from typing import TYPE_CHECKING

from amctl.debugger.face.live import Follower
from amctl.debugger.filters import Filters
from amctl.debugger.session import Session
from amctl.dump.sqlite import SqliteStore
from amctl.dump.sqlite._messages import MessageAppender
from tests.debugger.face.screens import drive
from tests.debugger.histories import DUMPS, machine, tx
from tests.repl.why.tapes import Tape

if TYPE_CHECKING:
    from pathlib import Path


class Collector:
    """Writes a recording as a run's collector does: rows, then a commit."""

    def __init__(self, path: Path) -> None:
        self.store = SqliteStore(path)
        self.append = MessageAppender(self.store.rows, str(path)).append

    def write(self, *messages: object) -> None:
        """And commit."""
        for message in messages:
            self.append(message)  # type: ignore[arg-type]
        self.store.commit()


def opened(path: Path, follow: bool = True) -> Session:
    return Session.open(path, filters=Filters.none(), follow=follow, wait=True)


async def test_s36_a_live_run_is_followed_by_the_screen(tmp_path: Path) -> None:
    """A machine runs in this process, its messages go through a collector's file."""
    tape = Tape(log_level=3)
    live = tape.machine("worker", {"Start": {}, "Ready": {"require": ["Start"]}})
    path = tmp_path / "am-dbg-dump.sqlite"
    collector = Collector(path)

    def recorded() -> None:
        while (entry := tape.stream.outbox.take()) is not None:
            collector.append(entry[1])
        collector.store.commit()

    recorded()
    async with drive(opened(path), every=0.25) as d:
        assert d.app.is_live
        assert "Tail" in d.text("current-bar")
        for states in (["Start"], ["Ready"]):
            live.add(states)
            recorded()
            await asyncio.sleep(1.5)
            await d.settle()
            assert states[0] in d.text("current-bar")
            assert f"+{states[0]}" in d.text("log")
        await d.press("home")
        live.remove(["Ready"])
        recorded()
        await asyncio.sleep(1.5)
        await d.settle()
        assert d.session.cursor == 0  # who looks elsewhere stays there
        await d.press("alt+v")
        assert "remove: Ready" in d.text("current-bar")
        collector.store.close()
        await asyncio.sleep(1.5)
        await d.settle()
        assert not d.app.is_live
        assert "Tail" in d.text("current-bar")


async def test_a_recording_that_isnt_there_yet_comes(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    async with drive(opened(path), every=0.25) as d:
        assert "run.sqlite" in d.text("status")
        collector = Collector(path)
        collector.write(machine("a"), tx("a", 1, (1, 0, 0, 0), called=(0,)))
        await asyncio.sleep(1.5)
        await d.settle()
        assert d.session.spot.machine == "a"
        assert "add: Start" in d.text("current-bar")
        collector.store.close()


async def test_a_recording_breaks_goes_and_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "run.gob.br"
    shutil.copy(DUMPS / "workflow.gob.br", path)
    session = opened(path, follow=False)
    session.work_all()
    session.select_machine("orchestrator")
    session.last()
    whole = path.read_bytes()
    async with drive(session, every=0.25) as d:
        seen = d.text("states")
        for content in (whole[: len(whole) // 2], b"", None, whole):
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content)
                os.utime(path, ns=(len(content), len(content)))
            await asyncio.sleep(0.6)
            await d.press("left", "alt+k", "end")
        assert d.session.machine == "orchestrator"
        assert d.text("states") == seen


async def test_a_recording_that_shrinks_below_the_cursor(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    collector = Collector(path)
    collector.write(machine("a"), *(tx("a", n, (n, 0, 0, 0)) for n in range(1, 200)))
    collector.store.close()
    session = opened(path, follow=False)
    async with drive(session, every=0.25) as d:
        await d.press("end")
        assert d.session.cursor == 199
        path.unlink()
        collector = Collector(path)
        collector.write(machine("a"), tx("a", 1, (1, 0, 0, 0)))
        collector.store.close()
        await asyncio.sleep(1)
        await d.press("left", "right", "alt+h", "end")
        assert d.session.cursor == 1


async def test_the_index_is_built_in_slices() -> None:
    from amctl.debugger.store import Store
    from tests.debugger.histories import history

    dump = history(*(tx("a", n, (n, 0, 0, 0)) for n in range(1, 2000)))
    session = Session(Store(dump), Filters.none(), follow=False)
    calls: list[float] = []
    follower = Follower(session, lambda: calls.append(session.store.index.share), every=0)
    assert not follower.is_live
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.get_running_loop().create_task(others())
    await follower.catch_up()
    task.cancel()
    assert calls[-1] == 1
    assert turns >= 3
