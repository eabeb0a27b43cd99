"""The collector as a child process: started, restarted, given up, ended."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from amctl.dump.sqlite import SqliteWriter
from amctl.machine import StateDef
from amctl.run import recording as room
from amctl.run.recording import COLLECTOR_LOG_FILE, Recorded, Recording
from amctl.telemetry.messages import GapMsg, SchemaMsg, TxMsg
from tests.support.house import ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

pytestmark = [pytest.mark.realtime, pytest.mark.slow]


class Stage:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[str] = []
        self.open: list[Recording] = []

    def record(self, how: str, forward: str = "", gob: str = "") -> Recording:
        command = (sys.executable, str(ROOT / "tests" / "support" / "fake_collector.py"), how)
        made = Recording(
            self.folder,
            "tmp/am-dbg-dump.sqlite",
            forward=forward,
            gob=gob,
            tell=self.told.append,
            command=command,
        )
        self.open.append(made)
        made.start()
        return made

    @property
    def tries(self) -> list[str]:
        return (self.folder / "tries").read_text().split()

    @property
    def log(self) -> str:
        return (self.folder / COLLECTOR_LOG_FILE).read_text()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    made = Stage(tmp_path)
    yield made
    for recording in made.open:
        await recording.close()


async def hear(recording: Recording) -> bytes:
    """As a sender does: dial until somebody answers; what a dying one has accepted is reset."""
    async with asyncio.timeout(10):
        while True:
            try:
                reader, writer = await recording.connect()
                heard = await reader.readexactly(len(recording.token))
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.001)
            else:
                writer.close()
                return heard


async def test_it_is_reached_through_its_own_port_with_its_own_secret(stage: Stage) -> None:
    recording = stage.record("ok", forward="localhost:6831")
    reader, writer = await asyncio.wait_for(recording.connect(), 10)
    said = await reader.readexactly(len(recording.token) + 14)
    assert said.decode() == recording.token + "localhost:6831"
    writer.close()
    got = asyncio.Event()
    connection = await recording.dial()
    connection.start(lambda _: got.set(), lambda _: None, lambda: None)
    await asyncio.wait_for(got.wait(), 5)
    connection.close()
    await recording.close()
    assert stage.told == []
    assert stage.log == "bye\n"
    assert stage.tries == ["fresh"]


async def test_it_takes_programs_of_the_original_and_says_so(stage: Stage) -> None:
    recording = stage.record("ok", gob="127.0.0.1:7")
    await hear(recording)
    (told,) = stage.told
    assert "any program on this machine can append" in told
    assert "at 127.0.0.1:7 (AM_DBG_GOB_ADDR)" in told


async def test_without_an_address_for_them_it_records_all_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_BACKOFF", (0.0,) * 5)
    recording = stage.record("alone", gob="127.0.0.1:7")
    await hear(recording)
    assert stage.told == ["Go machines are not recorded: 127.0.0.1:7 can't be listened on"]


async def test_one_that_is_killed_is_started_again_and_goes_on_in_the_same_file(
    stage: Stage,
) -> None:
    recording = stage.record("ok")
    reader, writer = await asyncio.wait_for(recording.connect(), 10)
    writer.write(b"die")
    with contextlib.suppress(ConnectionResetError):
        await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert await hear(recording) == recording.token.encode()
    assert stage.told == ["the collector was ended by SIGKILL; it is started again"]
    assert stage.tries == ["fresh", "again"]
    assert recording.restarts == 1


async def test_one_that_never_comes_up_is_given_up_and_told_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_BACKOFF", (0.0, 0.0))
    recording = stage.record("never")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.wait_for(recording.connect(), 10)
    with pytest.raises(ConnectionRefusedError):
        await recording.dial()
    assert stage.told == [
        "this run is not recorded: the collector can't start, see tmp/collector.log"
    ]
    assert stage.tries == ["fresh", "fresh"]
    assert stage.log == "no luck\nno luck\n"


async def test_a_dump_that_was_broken_by_the_death_is_set_aside(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_BACKOFF", (0.0,) * 5)
    recording = stage.record("picky")
    _, writer = await asyncio.wait_for(recording.connect(), 10)
    writer.write(b"die")
    writer.close()
    while recording.restarts == 0:  # noqa: ASYNC110 - nothing tells us
        await asyncio.sleep(0.001)
    assert await hear(recording) == recording.token.encode()
    assert stage.tries == ["fresh", "again", "again", "fresh"]


async def test_one_that_does_not_end_is_killed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_STOP_TIMEOUT", 0.0)
    recording = stage.record("ok")
    _, writer = await asyncio.wait_for(recording.connect(), 10)
    writer.close()
    await recording.close()
    recording.kill()
    await recording.close()


async def test_what_was_recorded_and_what_is_missing_is_known_afterwards(stage: Stage) -> None:
    recording = stage.record("ok")
    assert recording.result() is None, "there is no file"
    _, connection = await asyncio.wait_for(recording.connect(), 10)
    connection.close()
    writer = SqliteWriter(recording.path)
    writer.write(SchemaMsg("m", ("A",), {"A": StateDef()}))
    writer.write(TxMsg("m", "0" * 15 + "1", (1,)))
    for _ in range(2):
        writer.write(GapMsg(3, "outbox full", "m"))
    writer.finish()
    assert recording.result() == Recorded(
        "tmp/am-dbg-dump.sqlite", 1, 1, lost=6, why=("outbox full",), restarts=0
    )
    end = recording.result(unsent=4)
    assert end is not None
    assert (end.lost, end.why) == (10, ("outbox full", "no collector at the end"))
    recording.path.write_bytes(b"SQLite format 3\0 no more")
    assert recording.result() is None
    assert len(stage.told) == 1


def test_a_fate_is_told_in_words() -> None:
    fate: Callable[[int], str] = room._fate
    assert (fate(-9), fate(3)) == ("was ended by SIGKILL", "ended with code 3")
    assert fate(-37) == "was ended by signal 37"


async def test_one_that_was_stopped_ends_like_any_other(stage: Stage) -> None:
    recording = stage.record("ok")
    _, writer = await asyncio.wait_for(recording.connect(), 10)
    writer.close()
    assert recording._process is not None
    recording._process.send_signal(signal.SIGSTOP)
    await recording.close()
    assert stage.log.startswith("bye\n"), "it was not killed"


async def test_the_dump_of_an_earlier_run_is_not_taken_for_this_ones(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_BACKOFF", (0.0,))
    SqliteWriter(stage.folder / room.DUMP_FILE).finish()
    recording = stage.record("never")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.wait_for(recording.connect(), 10)
    await recording.close()
    assert recording.result() is None


async def test_one_that_keeps_dying_is_told_a_few_times_only(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_REST", (0.0, 0.0))
    recording = stage.record("ok")
    for deaths in range(3):
        while recording.restarts == deaths:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.wait_for(recording.connect(), 10)
                writer.write(b"die")
                writer.close()
            await asyncio.sleep(0.001)
    assert await hear(recording) == recording.token.encode()
    assert len(stage.told) == 1


async def test_a_log_that_can_not_be_written_does_not_end_the_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_BACKOFF", (0.0,))
    (stage.folder / COLLECTOR_LOG_FILE).mkdir()
    recording = stage.record("ok")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.wait_for(recording.connect(), 10)
    assert len(stage.told) == 1
