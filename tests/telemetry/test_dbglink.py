from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amctl.rpc.wire.codec import pure_codec
from amctl.telemetry import dbgwire as wire
from amctl.telemetry._dbgencode import StreamEncoder
from amctl.telemetry.dbglink import BROWSER_PACE, PACE, DebugLink, Pace
from amctl.telemetry.messages import GapMsg, GoneMsg, Message, SchemaMsg, TxMsg
from amctl.telemetry.outbox import FULL, Outbox
from tests.support.fake_debugger import FakeDebugger
from tests.support.virtual_loop import VirtualLoop
from tests.telemetry.dbgtools import simple_schema, simple_tx

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.rpc.transports.base import Connection

SCHEMA = simple_schema("m", "A", "B")


class Sender:
    """An outbox and its link to a fake collector."""

    def __init__(
        self, far: FakeDebugger, *, limit: int = 1000, pace: Pace = PACE, token: str = "secret"
    ) -> None:
        self.far = far
        self.count = 0
        self.gaps: list[str] = []
        self.outbox = Outbox(limit, lambda: 0, self.gaps.append)
        self.link = DebugLink("me", "5e", self.outbox, far.dial, token, pace=pace, now_ns=lambda: 0)
        self.outbox.put(SCHEMA)

    def put(self, times: int = 1, **fields: Any) -> None:
        for _ in range(times):
            self.outbox.put(tx(self.count, **fields))
            self.count += 1
            self.link.wake()

    @property
    def arrived(self) -> list[int]:
        return numbers(self.far.kept.told)


def tx(n: int, **fields: Any) -> TxMsg:
    return simple_tx("m", n, n, n // 2, called=(n % 2,), **fields)


def numbers(messages: list[Message]) -> list[int]:
    """Which transitions came, in order; checks that each came whole."""
    found = [m for m in messages if isinstance(m, TxMsg)]
    for m in found:
        assert m.clocks == (int(m.id, 16), int(m.id, 16) // 2)
    return [int(m.id, 16) for m in found]


async def until(holds: Callable[[], bool], within: float = 60.0) -> None:
    """Let virtual time pass until something is true."""
    async with asyncio.timeout(within):
        while not holds():  # noqa: ASYNC110 - a fake clock, and nothing to wait for
            await asyncio.sleep(0.001)


async def test_messages_linger_to_go_out_together() -> None:
    sender = Sender(FakeDebugger())
    loop = asyncio.get_running_loop()
    sender.link.start()
    await until(lambda: sender.link.is_connected)
    assert sender.far.names == ["me"]
    before = loop.time()
    sender.put(3)
    await until(lambda: sender.arrived == [0, 1, 2])
    assert loop.time() - before == pytest.approx(0.05, abs=0.005)
    sender.put(PACE.batch)
    await until(lambda: len(sender.arrived) == 3 + PACE.batch)
    assert loop.time() - before == pytest.approx(0.05, abs=0.01)
    await until(lambda: sender.outbox.unacked == 0)
    assert await sender.link.close(1.0) == 0
    assert sender.far.byes == 1


async def test_close_sends_what_is_left_and_waits_for_it() -> None:
    sender = Sender(FakeDebugger())
    sender.put(2)
    sender.link.start()
    sender.put(1)
    loop = asyncio.get_running_loop()
    before = loop.time()
    assert await sender.link.close(1.0) == 0
    assert loop.time() - before < 0.01
    assert sender.arrived == [0, 1, 2]
    assert sender.far.kept.messages[0] == SCHEMA
    assert sender.far.byes == 1
    assert not sender.link.is_connected
    assert await sender.link.close(1.0) == 0


async def test_close_gives_up_in_time_and_says_what_is_lost() -> None:
    far = FakeDebugger(commits=False)
    sender = Sender(far)
    far.is_up = False
    sender.link.start()
    sender.put(3)
    loop = asyncio.get_running_loop()
    before = loop.time()
    first, second = await asyncio.gather(sender.link.close(1.0), sender.link.close(1.0))
    assert (first, second) == (3, 3)
    assert loop.time() - before == pytest.approx(1.0)


async def test_close_does_not_wait_for_the_next_try(caplog: pytest.LogCaptureFixture) -> None:
    far = FakeDebugger()
    sender = Sender(far)
    far.is_up = False
    tries = 0

    async def dial() -> Connection:
        nonlocal tries
        tries += 1
        return await far.dial()

    link = DebugLink("me", "5e", sender.outbox, dial, "secret", now_ns=lambda: 0)
    sender.put(3)
    link.start()
    await until(lambda: tries == 10)
    await asyncio.sleep(0.01)
    closing = asyncio.get_running_loop().create_task(link.close(1.0))
    await asyncio.sleep(0.5)
    far.is_up = True
    assert await closing == 0
    assert sender.arrived == [0, 1, 2]


async def test_what_breaks_the_encoder_is_a_gap_as_well(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sender = Sender(FakeDebugger())
    encode = StreamEncoder.encode

    def broken(self: StreamEncoder, message: Message) -> bytes:
        if isinstance(message, TxMsg) and int(message.id, 16) == 1:
            raise RuntimeError("a bug")
        return encode(self, message)

    monkeypatch.setattr(StreamEncoder, "encode", broken)
    sender.put(3)
    sender.link.start()
    assert await sender.link.close(1.0) == 0
    assert sender.arrived == [0, 2]
    assert GapMsg(1, "can't be sent", "m", until_ns=0) in [
        m if not isinstance(m, GapMsg) else GapMsg(m.count, m.why, m.machine_id, until_ns=0)
        for m in sender.far.kept.told
    ]


async def test_a_link_that_never_started_loses_everything() -> None:
    sender = Sender(FakeDebugger())
    sender.put(3)
    assert await sender.link.close(1.0) == 3


async def test_a_collector_that_comes_late_gets_everything(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    sender = Sender(FakeDebugger())
    sender.far.is_up = False
    sender.link.start()
    for _ in range(600):
        sender.put()
        await asyncio.sleep(1.0)
    sender.far.is_up = True
    await until(lambda: len(sender.arrived) == 600)
    warnings = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "can't reach the collector: nobody listens" in warnings[0].message
    assert "the collector is back" in caplog.text
    await sender.link.close(1.0)


async def test_what_a_killed_collector_had_not_committed_is_sent_again() -> None:
    far = FakeDebugger(commits=False)
    sender = Sender(far)
    sender.link.start()
    sender.put(10)
    await asyncio.sleep(1.0)
    far.commit()
    sender.put(10)
    await asyncio.sleep(1.0)
    assert sender.arrived == list(range(10))
    assert sender.outbox.unacked == 10
    far.kill()
    far.commits = True
    sender.put(1)
    await until(lambda: sender.arrived == list(range(21)))
    # each connection begins with the schema
    assert far.kept.messages.count(SCHEMA) == 2
    await sender.link.close(1.0)


async def test_nothing_comes_twice_when_only_the_acknowledgement_is_lost() -> None:
    far = FakeDebugger()
    sender = Sender(far)
    sender.link.start()
    await until(lambda: sender.link.is_connected)
    far.guests[0].near._other.hold()  # it commits, but its word does not arrive
    sender.put(5)
    await until(lambda: sender.arrived == [0, 1, 2, 3, 4])
    assert sender.outbox.unacked == 5
    far.kill()
    sender.put(1)
    await until(lambda: sender.outbox.unacked == 0)
    assert sender.arrived == [0, 1, 2, 3, 4, 5]
    await sender.link.close(1.0)


async def test_a_slow_collector_is_not_flooded_and_a_gap_tells_what_did_not_fit() -> None:
    far = FakeDebugger(room=2000)
    sender = Sender(far, limit=100)
    sender.link.start()
    await until(lambda: sender.link.is_connected)
    far.hold()
    for _ in range(200):
        sender.put()
        await asyncio.sleep(0.1)
    end = far.guests[0].near
    assert 2000 <= end._size < 8000
    assert sender.gaps == [FULL]
    assert sender.outbox.dropped == 100
    far.release()
    await until(lambda: sender.outbox.unacked == 0)
    sender.put(1)
    await until(lambda: sender.outbox.unacked == 0)
    assert sender.arrived == [*range(100), 200]
    gaps = [m for m in far.kept.told if isinstance(m, GapMsg)]
    assert [(gap.count, gap.why, gap.machine_id) for gap in gaps] == [(100, FULL, "m")]
    assert sender.gaps == [FULL]
    await sender.link.close(1.0)


async def test_more_than_the_connection_takes_goes_out_as_soon_as_there_is_room() -> None:
    sender = Sender(FakeDebugger(room=200), limit=10_000)
    sender.put(5000)
    sender.link.start()
    loop = asyncio.get_running_loop()
    before = loop.time()
    await until(lambda: len(sender.arrived) == 5000)
    assert loop.time() - before < 0.1
    await sender.link.close(1.0)


async def test_a_browser_is_left_alone_between_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    encode = wire.StreamEncoder.encode
    held: list[float] = []

    def slow(self: wire.StreamEncoder, message: Message) -> bytes:
        loop.now += 0.0005
        held.append(loop.now)
        return encode(self, message)

    monkeypatch.setattr(wire.StreamEncoder, "encode", slow)
    sender = Sender(FakeDebugger(), pace=BROWSER_PACE)
    sender.put(200)
    sender.link.start()
    await until(lambda: len(sender.arrived) == 200)
    await sender.link.close(1.0)
    slices, longest, begin = 0, 0.0, held[0]
    for one, two in zip(held, [*held[1:], held[-1] + 1], strict=True):
        if two - one > 0.01:
            slices, longest, begin = slices + 1, max(longest, one - begin), two
    assert slices >= 10
    assert longest < 0.012


# --- collectors that are no good


async def test_a_wrong_token_is_told_once_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sender = Sender(FakeDebugger("other"))
    sender.link.start()
    sender.put(1)
    await asyncio.sleep(60)
    assert caplog.text.count("the collector refuses: wrong token") == 1
    sender.far.token = "secret"
    await until(lambda: sender.arrived == [0])
    await sender.link.close(1.0)


async def test_a_collector_that_says_nothing_is_left(caplog: pytest.LogCaptureFixture) -> None:
    far = FakeDebugger()
    far.greets = False
    sender = Sender(far)
    sender.link.start()
    sender.put(1)
    await asyncio.sleep(30)
    assert caplog.text.count("the collector says nothing") == 1
    far.greets = True
    await until(lambda: sender.arrived == [0])
    await sender.link.close(1.0)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "a frame of 1213486160 bytes"),
        (wire.welcome_frame(pure_codec(), 0, 0), "Welcome out of turn"),
        (wire.ack_frame(pure_codec(), 7), "acknowledged up to 7, but only 1 were sent"),
        (wire.bye_frame(pure_codec()), "a collector can't say [3]"),
    ],
    ids=["garbage", "twice", "prophecy", "bye"],
)
async def test_a_collector_that_makes_no_sense_is_left_and_tried_again(
    data: bytes, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    far = FakeDebugger()
    sender = Sender(far)
    sender.link.start()
    sender.put(1)
    await until(lambda: sender.outbox.unacked == 0)
    far.say(data)
    await asyncio.sleep(0.01)
    assert text in caplog.text
    assert not sender.link.is_connected
    sender.put(1)
    await until(lambda: sender.arrived == [0, 1])
    await sender.link.close(1.0)


async def test_a_collector_that_knows_more_than_was_said_is_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    far = FakeDebugger()
    far.streams["5e"] = kept = type(far.kept)(next=9)
    sender = Sender(far)
    sender.link.start()
    await asyncio.sleep(1)
    assert "next is 9, of 0 messages" in caplog.text
    kept.next = 0
    sender.put(1)
    await until(lambda: sender.arrived == [0])
    await sender.link.close(1.0)


async def test_a_message_that_can_not_be_sent_leaves_a_gap(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sender = Sender(FakeDebugger())
    sender.link.start()
    sender.put(1)
    sender.put(1, args={"text": "\ud800"})
    sender.outbox.put(simple_schema("\ud800", "A"))
    sender.put(1)
    assert await sender.link.close(1.0) == 0
    assert sender.arrived == [0, 2]
    assert [type(m).__name__ for m in sender.far.kept.told] == ["TxMsg", "GapMsg", "TxMsg"]
    assert sender.outbox.dropped == 1
    assert "can't be sent: value can't be encoded" in caplog.text


# --- anything may happen

acts = st.lists(
    st.tuples(
        st.sampled_from(
            ["put", "put", "many", "schema", "gone", "wait", "wait", "commit", "kill",
             "crash", "down", "up", "hold", "release", "deaf", "noise"]
        ),
        st.integers(0, 40),
    ),
    max_size=50,
)  # fmt: skip


async def play(script: list[tuple[str, int]], *, limit: int) -> tuple[Sender, list[Message]]:
    """Live through a script, then let all be well and close. What was kept, in order."""
    far = FakeDebugger(room=300, commits=False)
    sender = Sender(far, limit=limit, pace=Pace(batch=7))
    sender.link.start()
    put: list[Message] = []

    def offer(message: Message) -> None:
        if sender.outbox.put(message, must=isinstance(message, GoneMsg)):
            put.append(message)
        sender.link.wake()

    for act, size in script:
        if act in ("put", "many", "crash"):
            for _ in range(1 if act == "put" else size):
                offer(tx(sender.count))
                sender.count += 1
            if act == "crash":
                await asyncio.sleep(0.1)
                far.commit(size // 2)
                await asyncio.sleep(0.0)
                await asyncio.sleep(0.0)
                far.kill()
        elif act == "schema":
            offer(simple_schema("m", *"ABCDEFGH"[: 2 + size % 6]))
        elif act == "gone":
            offer(GoneMsg("other", size))
        elif act == "wait":
            await asyncio.sleep(size / 20)
        elif act in ("down", "up"):
            far.is_up = act == "up"
        elif act == "deaf":
            for guest in far.guests:
                guest.near._other.hold()
        elif act == "noise":
            far.say(bytes([size] * size))
        elif act == "commit":
            far.commit(size)
        else:
            getattr(far, act)()
    far.is_up = far.commits = True
    far.release()
    for guest in far.guests:
        guest.near._other.release()
    far.commit()
    await asyncio.sleep(0)
    assert await sender.link.close(600.0) == 0
    return sender, put


def told(messages: list[Message]) -> list[Message]:
    return [m for m in messages if not isinstance(m, SchemaMsg)]


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(acts)
def test_nothing_is_lost_and_nothing_comes_twice(script: list[tuple[str, int]]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        sender, put = runner.run(play(script, limit=10_000))
    kept = sender.far.kept
    assert kept.told == told(put)
    assert sender.outbox.dropped == 0
    last = next((m for m in reversed(put) if isinstance(m, SchemaMsg)), SCHEMA)
    assert [m for m in kept.messages if isinstance(m, SchemaMsg)][-1] == last


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(acts)
def test_what_does_not_fit_is_counted_to_the_last_one(script: list[tuple[str, int]]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        sender, put = runner.run(play(script, limit=12))
    kept = sender.far.kept.told
    gaps = [m for m in kept if isinstance(m, GapMsg)]
    assert [m for m in kept if not isinstance(m, GapMsg)] == told(put)
    assert len(numbers(kept)) + sum(gap.count for gap in gaps) == sender.count
    assert sum(gap.count for gap in gaps) == sender.outbox.dropped
    assert len(gaps) == len(sender.gaps)
