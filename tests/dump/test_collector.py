"""The collector and its guests: honest, late, half dead, hostile."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

import pytest

from amctl.dump import _guest
from amctl.dump._forward import Forwards
from amctl.dump.collector import Collector, Limits
from amctl.dump.errors import DumpFullError
from amctl.dump.rotation import Rotation, parts_of
from amctl.dump.sqlite import SqliteDump, SqliteStore
from amctl.rpc.transports.tcp import dial_tcp
from amctl.telemetry.dbglink import DebugLink
from amctl.telemetry.dbgwire import MAX_HELLO, Ack, batch_frame, hello_frame
from amctl.telemetry.messages import GapMsg, GoneMsg, TxMsg
from amctl.telemetry.outbox import Outbox
from tests.dump.senders import Sender
from tests.telemetry.dbgtools import simple_schema, simple_tx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from amctl.telemetry.messages import Message

pytestmark = pytest.mark.realtime

SCHEMA = simple_schema("m", "A", "B")
QUICK = Limits(commit_after=0.001, retry_after=0.01)


def txs(first: int, end: int) -> list[Message]:
    return [simple_tx("m", n, n, n // 2, called=(n % 2,)) for n in range(first, end)]


class Place:
    """A folder with collectors in it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "a.sqlite"
        self.told: list[str] = []
        self.open: list[Collector] = []
        self.now = 1_700_000_000_000_000_000

    async def collect(
        self,
        path: Path | None = None,
        *,
        token: str | None = "secret",
        limits: Limits = QUICK,
        rotation: Rotation | None = None,
        forwards: Forwards | None = None,
    ) -> tuple[Collector, tuple[str, int]]:
        made = Collector(
            SqliteStore(path or self.path, now_ns=lambda: self.now),
            token,
            limits=limits,
            rotation=rotation,
            forwards=forwards,
            now_ns=lambda: self.now,
            tell=lambda text, level: self.told.append(f"{level} {text}"),
        )
        self.open.append(made)
        return made, await made.start("127.0.0.1", 0)

    def stored(self, path: Path | None = None) -> list[TxMsg]:
        with SqliteDump(path or self.path) as dump:
            found = list(dump.transitions())
        for tx in found:
            assert tx.received_ns == self.now
            tx.received_ns = 0
        return found


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    made = Place(tmp_path)
    yield made
    await Sender.close_all()
    for collector in made.open:
        await collector.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # it has no events for tests
            await asyncio.sleep(0.001)


async def test_what_is_acknowledged_is_on_disk(place: Place) -> None:
    collector, address = await place.collect()
    sender, next = await Sender.welcomed(address)
    assert next == 0
    await sender.send(0, [SCHEMA, *txs(0, 10)])
    await sender.acked(10)
    assert place.stored() == txs(0, 10)
    await sender.send(10, [*txs(10, 12), GapMsg(3, "outbox full")])
    await sender.bye()
    await sender.acked(13)
    assert await sender.word() is None
    sender.close()
    assert collector.counts.transitions == 12
    assert (collector.counts.gaps, collector.counts.missing) == (1, 3)
    assert "1 3 messages are missing: outbox full" in place.told


async def test_a_stream_goes_on_over_connections_and_collectors(place: Place) -> None:
    collector, address = await place.collect()
    sender, _ = await Sender.welcomed(address)
    await sender.send(0, [SCHEMA, *txs(0, 10)])
    await sender.acked(10)
    sender.close()
    sender, next = await Sender.welcomed(address)
    assert next == 10
    await sender.send(10, [SCHEMA, *txs(10, 20)])
    await sender.acked(20)
    await collector.close()
    assert await sender.word() is None
    place.open.clear()
    _, address = await place.collect()
    sender, next = await Sender.welcomed(address)
    assert next == 20
    await sender.send(20, [SCHEMA, *txs(20, 30)])
    await sender.acked(30)
    sender.close()
    assert place.stored() == txs(0, 30)
    with SqliteDump(place.path) as dump:
        assert dump.schemas("m") == [(0, SCHEMA)]


async def test_the_real_sender_is_understood(place: Place) -> None:
    _, address = await place.collect()
    outbox = Outbox(10_000, lambda: 0, lambda _: None)
    link = DebugLink(
        "real", "s", outbox, lambda: dial_tcp(*address), "secret", now_ns=lambda: place.now
    )
    link.start()
    for message in [SCHEMA, *txs(0, 3000)]:
        outbox.put(message)
    link.wake()
    assert await link.close(20) == 0
    assert place.stored() == txs(0, 3000)


async def test_a_new_connection_of_a_stream_ends_the_old_one(place: Place) -> None:
    """Also if what the old one had sent is not written yet: it comes twice then, and is once."""
    _, address = await place.collect(limits=Limits(commit_after=30))
    old, _ = await Sender.welcomed(address)
    await old.send(0, [SCHEMA, *txs(0, 10)])
    await until(lambda: bool(place.open[0]._dirty))
    new, next = await Sender.welcomed(address)
    assert next == 0
    assert await old.word() is None
    await new.send(0, [SCHEMA, *txs(0, 5)])
    await new.send(5, txs(5, 20))
    await new.bye()
    await new.acked(20)
    assert place.stored() == txs(0, 20)
    old.close()
    new.close()


async def test_no_more_is_acknowledged_than_came_on_that_connection(place: Place) -> None:
    """Its sender would not believe it."""
    collector, address = await place.collect(limits=Limits(commit_after=30))
    old, _ = await Sender.welcomed(address)
    await old.send(0, [SCHEMA, *txs(0, 10)])
    await until(lambda: bool(collector._dirty))
    new, _ = await Sender.welcomed(address)
    collector._commit()
    await new.send(0, [SCHEMA, *txs(0, 4)])
    await new.bye()
    assert await new.word() == Ack(4)
    assert await new.word() is None
    old.close()
    new.close()


async def test_who_only_closes_is_acknowledged_too(place: Place) -> None:
    _, address = await place.collect(limits=Limits(commit_after=30))
    sender, _ = await Sender.welcomed(address)
    await sender.send(0, [SCHEMA, *txs(0, 10)])
    sender.writer.write_eof()
    await sender.acked(10)
    assert await sender.word() is None
    sender.close()


async def test_enough_is_written_at_once(place: Place) -> None:
    _, address = await place.collect(limits=Limits(commit_after=30, commit_rows=100))
    sender, _ = await Sender.welcomed(address)
    await sender.send(0, [SCHEMA, *txs(0, 100)])
    await sender.acked(100)
    sender.close()


async def test_the_end_writes_and_acknowledges_what_was_taken(place: Place) -> None:
    collector, address = await place.collect(limits=Limits(commit_after=30))
    sender, _ = await Sender.welcomed(address)
    await sender.send(0, [SCHEMA, *txs(0, 10)])
    await until(lambda: bool(collector._dirty))
    await collector.close()
    place.open.clear()
    await sender.acked(10)
    assert await sender.word() is None
    assert place.stored() == txs(0, 10)
    sender.close()


# --- who may come in


async def test_a_wrong_token_is_refused(place: Place) -> None:
    collector, address = await place.collect()
    for token in ("", "secre", "Secret", "s\u00e9cret"):
        sender = await Sender.dial(address)
        await sender.hello(token=token)
        assert await sender.refused() == "the token is wrong"
        sender.close()
    assert collector.counts.refused == 4


async def test_without_a_token_everybody_is_let_in(place: Place) -> None:
    _, address = await place.collect(token=None)
    sender, _ = await Sender.welcomed(address, token="whatever")
    sender.close()


@pytest.mark.parametrize("stream", ["", "a b", "../x", "x" * 65, "\u00e9"])
async def test_odd_stream_ids_are_refused(place: Place, stream: str) -> None:
    _, address = await place.collect()
    sender = await Sender.dial(address)
    await sender.hello(stream)
    assert (await sender.refused()).startswith("stream id")
    sender.close()


async def test_another_version_is_refused(place: Place) -> None:
    _, address = await place.collect()
    sender = await Sender.dial(address)
    frame = hello_frame(sender.codec, "secret", "s", "n", 1)
    await sender.raw(frame.replace(b"amctl-dbg\x01", b"amctl-dbg\x07"))
    assert await sender.refused() == "version 7 of the stream, this collector speaks 1"
    sender.close()


async def test_there_are_only_so_many_connections(place: Place) -> None:
    _, address = await place.collect(limits=Limits(connections=1, commit_after=0.001))
    one, _ = await Sender.welcomed(address)
    two = await Sender.dial(address)
    assert await two.refused() == "too many connections"
    one.close()
    two.close()
    await until(lambda: not place.open[0]._guests)
    three, _ = await Sender.welcomed(address)
    three.close()


async def test_who_says_nothing_is_hung_up_on(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_guest, "_HELLO_TIMEOUT", 0.01)
    _, address = await place.collect()
    sender = await Sender.dial(address)
    assert await sender.refused() == "nothing was said"
    sender.close()


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\0\0\0\0",
        b"\0\0\0\1\x07",
        (MAX_HELLO + 1).to_bytes(4, "big"),
        b"\0\0\0\2\x91\x03",
        b"\0\0\0\4\x93\x01\x00\x90",
        b"\0\0\0\5\x91\x91\x91\x91\x91",
    ],
)
async def test_garbage_is_refused(place: Place, garbage: bytes) -> None:
    _, address = await place.collect()
    sender = await Sender.dial(address)
    await sender.raw(garbage)
    await sender.refused()
    sender.close()
    good, _ = await Sender.welcomed(address)
    good.close()


async def test_a_wrong_message_ends_the_connection_and_keeps_what_came_before(
    place: Place,
) -> None:
    _, address = await place.collect()
    sender, _ = await Sender.welcomed(address)
    await sender.send(0, [SCHEMA, *txs(0, 10)])
    await sender.raw(batch_frame(sender.codec, 10, [sender.codec.pack([1, 77])]))
    words = [await sender.word()]
    while words[-1] is not None:
        words.append(await sender.word())
    assert "debug stream at byte" in str(words[-2])
    sender.close()
    await until(lambda: len(place.stored()) == 10)


async def test_who_does_not_read_is_dropped(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_guest, "_UNREAD", -1)
    _, address = await place.collect()
    sender = await Sender.dial(address)
    await sender.hello()
    with contextlib.suppress(ConnectionResetError):
        await sender.word()
        assert await sender.word() is None
    assert any("doesn't read" in line for line in place.told)


async def test_the_system_looks_after_half_dead_connections(place: Place) -> None:
    collector, address = await place.collect()
    sender, _ = await Sender.welcomed(address)
    (guest,) = collector._guests
    assert guest._transport is not None
    sock = guest._transport.get_extra_info("socket")
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    sender.close()


async def test_machines_that_find_no_place_are_told_as_a_gap(place: Place) -> None:
    _, address = await place.collect(limits=Limits(machines=1, commit_after=0.001))
    sender, _ = await Sender.welcomed(address)
    other = simple_schema("other", "A")
    more = [simple_tx("other", n, n) for n in range(5)]
    await sender.send(0, [SCHEMA, other, *txs(0, 3), *more])
    await sender.acked(8)
    sender.close()
    with SqliteDump(place.path) as dump:
        assert [(g.count, g.why, g.machine_id) for g in dump.gaps()] == [
            (5, "too many machines", "other")
        ]


# --- when nothing can be written


async def test_a_full_disk_loses_nothing_and_is_told_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector, address = await place.collect()
    sender, _ = await Sender.welcomed(address)
    await sender.send(0, [SCHEMA, *txs(0, 10)])
    await sender.acked(10)
    connection = collector._store._con
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    await sender.send(10, txs(10, 5000))
    await until(lambda: bool(collector.trouble))
    other = await Sender.dial(address)
    await other.hello("t")
    assert "disk is full" in await other.refused()
    other.close()
    await sender.send(5000, txs(5000, 5010))
    assert place.stored() == txs(0, 10)
    connection.execute("PRAGMA max_page_count = 1000000")
    await sender.acked(5010)
    sender.close()
    assert place.stored() == txs(0, 5010)
    said = [line for line in place.told if line.startswith("0")]
    assert len(said) == 2
    assert "disk is full; trying again, senders wait" in said[0]
    assert "can be written again" in said[1]


async def test_a_disk_that_stays_full_is_an_error_at_the_end(place: Place) -> None:
    collector, address = await place.collect()
    sender, _ = await Sender.welcomed(address)
    await sender.send(0, [SCHEMA, *txs(0, 10)])
    await sender.acked(10)
    collector._store._con.execute("PRAGMA max_page_count = 1")
    await sender.send(10, txs(10, 5000))
    await until(lambda: bool(collector.trouble))
    place.open.clear()
    with pytest.raises(DumpFullError, match="4990 transitions are lost: can't be written"):
        await collector.close()
    assert await sender.word() is None
    sender.close()
    assert place.stored() == txs(0, 10)


async def test_a_dump_that_breaks_fails_the_collector(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector, address = await place.collect()
    sender, _ = await Sender.welcomed(address)

    def broken(_: object) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(collector._store, "commit", broken)
    await sender.send(0, [SCHEMA])
    with pytest.raises(ValueError, match="broken"):
        await asyncio.wait_for(collector.failed, 20)
    monkeypatch.undo()
    sender.close()


# --- rotating


async def test_parts_are_cut_by_count_and_streams_go_on(place: Place) -> None:
    collector, address = await place.collect(
        limits=Limits(commit_after=0.001, commit_rows=10),
        rotation=Rotation(transitions=50, keep=3),
    )
    sender, _ = await Sender.welcomed(address)
    await sender.send(0, [SCHEMA])
    for at in range(0, 300, 10):
        await sender.send(at, txs(at, at + 10))
        await sender.acked(at + 10)
    sender.close()
    assert collector.counts.rotations == 6
    parts = parts_of(place.path)
    assert [part.name for part in parts] == [
        f"a-2023-11-14T22-13-20-{n}.sqlite" for n in (4, 5, 6)
    ] or len(parts) == 3
    found = [tx for part in parts for tx in place.stored(part)]
    assert found + place.stored() == txs(150, 300)


async def test_parts_are_cut_by_size(place: Place) -> None:
    collector, address = await place.collect(rotation=Rotation(bytes=200_000))
    sender, _ = await Sender.welcomed(address)
    await sender.send(0, [SCHEMA, *txs(0, 5000)])
    await sender.acked(5000)
    sender.close()
    assert collector.counts.rotations == 1


async def test_parts_are_cut_by_the_clock_even_if_nothing_comes(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amctl.dump.collector._TICK", 0.001)
    collector, address = await place.collect(rotation=Rotation(seconds=60))
    sender, _ = await Sender.welcomed(address)
    await sender.send(0, [SCHEMA, *txs(0, 10)])
    await sender.acked(10)
    place.now += 59 * 10**9
    await asyncio.sleep(0.01)
    assert collector.counts.rotations == 0
    place.now += 10**9
    await until(lambda: collector.counts.rotations == 1)
    place.now += 600 * 10**9
    await asyncio.sleep(0.01)
    assert collector.counts.rotations == 1
    sender.close()
    assert any("10 transitions are in a-2023" in line for line in place.told)


async def test_no_room_for_a_part_is_told_and_tried_later(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector, address = await place.collect(rotation=Rotation(transitions=5))

    def full(*_: object) -> None:
        raise DumpFullError("a.sqlite", "no room")

    monkeypatch.setattr(collector._store, "rotate", full)
    sender, _ = await Sender.welcomed(address)
    await sender.send(0, [SCHEMA, *txs(0, 10)])
    await sender.acked(10)
    await sender.send(10, txs(10, 20))
    await sender.acked(20)
    sender.close()
    assert len([line for line in place.told if "can't be rotated" in line]) == 1


# --- handing on


async def test_everything_is_handed_on_with_its_own_time(place: Place, tmp_path: Path) -> None:
    _, far = await place.collect(tmp_path / "far.sqlite")
    forwards = Forwards([far], "secret", "near", now_ns=lambda: place.now)
    near, address = await place.collect(forwards=forwards)
    sender, _ = await Sender.welcomed(address)
    sent: list[Message] = [simple_tx("m", n, n, 0, time_ns=n) for n in range(100)]
    await sender.send(0, [SCHEMA, *sent, GoneMsg("m", 7)])
    await sender.acked(101)
    await sender.bye()
    await near.close()
    place.open.remove(near)
    sender.close()
    assert place.stored(tmp_path / "far.sqlite") == sent
    with SqliteDump(tmp_path / "far.sqlite") as dump:
        assert dump.gone() == {"m": 7}


async def test_a_target_that_is_not_there_holds_nobody_up(place: Place) -> None:
    forwards = Forwards([("127.0.0.1", 1)], "", "near", now_ns=lambda: place.now)
    near, address = await place.collect(forwards=forwards)
    sender, _ = await Sender.welcomed(address)
    await sender.send(0, [SCHEMA, *txs(0, 10)])
    await sender.acked(10)
    sender.close()
    await near.close(grace=0.05)
    place.open.clear()
    assert any("could not be forwarded to 127.0.0.1:1" in line for line in place.told)
    assert place.stored() == txs(0, 10)


def test_what_does_not_fit_for_a_target_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amctl.dump._forward._WAITING", 4)

    async def run() -> None:
        forwards = Forwards([("127.0.0.1", 1)], "", "near", now_ns=lambda: 0)
        for message in [SCHEMA, *txs(0, 10), simple_schema("n", "A"), simple_tx("n", 1, 1)]:
            forwards.put(message)
        assert forwards.dropped == {"127.0.0.1:1": 8}
        await forwards.close(0.0)

    asyncio.run(run())
