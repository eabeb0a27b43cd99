"""Tunnels: WIR-32 and WIR-33, whatever the order of things and wherever the stream is cut."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.rpc.wire import Closed, Code, Kind
from amctl.rpc.wire.codec import encode
from amctl.rpc.wire.framer import Framer, frame, varint
from amctl.rpc.wire.link import bye
from amctl.rpc.wire.tunnel import (
    Arrived,
    ChannelClosed,
    ChannelOpened,
    TunnelCore,
    TunnelEvent,
    TunnelFullError,
    TunnelLimits,
)
from tests.rpc.wire.pairs import kinds
from tests.rpc.wire.tunnel_world import SMALL, World, both

EMPTY_MAP = b"\x80"


def carry(source: TunnelCore, target: TunnelCore, limit: int = 1 << 20) -> list[TunnelEvent]:
    """All that one end has to say, given to the other; what that one was told."""
    told: list[TunnelEvent] = []
    while data := source.data_to_send(limit):
        told += target.receive_data(data, 0.0)
    return told


def opened(limits: TunnelLimits | None = None) -> tuple[TunnelCore, TunnelCore, int]:
    """Both ends of a tunnel with one channel."""
    relay, browser = both(limits)
    number = relay.open("127.0.0.1:5")
    carry(relay, browser)
    return relay, browser, number


def pieces(data: bytes) -> list[tuple[int, int]]:
    """(channel, size) of each DATA frame in its order; channels below 128 only."""
    frames = Framer(1 << 20).feed(data)
    return [(one[1], len(one) - 2) for one in frames if one[0] == Kind.DATA]


def ended(core: TunnelCore, data: bytes) -> Closed:
    """Feed what ends the tunnel; the peer is told why."""
    (*_, event) = core.receive_data(data, 0.0)
    assert isinstance(event, Closed)
    assert core.closed
    assert len(core) == 0
    assert core.data_to_send() == bye(event.code, event.text)
    assert core.data_to_send() == b""
    assert core.next_timer() is None
    return event


# ---- frames


def test_frames_are_those_of_the_protocol() -> None:
    relay, browser = both()
    even, odd = relay.open("p"), browser.open()
    assert (even, odd) == (2, 1)
    relay.send(even, b"hi")
    relay.close(even, Code.AWAY)
    opening = b"\x0a\x20\x02\x81\xa4peer\xa1p"
    assert relay.data_to_send() == opening + b"\x04\x21\x02hi" + b"\x03\x23\x02\x21"
    assert browser.data_to_send() == b"\x03\x20\x01\x80"
    relay.ping(0.0)
    assert relay.data_to_send() == b"\x01\x04"
    browser.receive_data(b"\x01\x04", 0.0)
    assert browser.data_to_send() == b"\x01\x05"


def test_both_ends_open_channels_and_tell_who_is_behind_them() -> None:
    relay, browser = both()
    relay.open("127.0.0.1:5"), relay.open("x" * 500)
    browser.open()
    assert carry(relay, browser) == [ChannelOpened(2, "127.0.0.1:5"), ChannelOpened(4, "x" * 100)]
    assert carry(browser, relay) == [ChannelOpened(1, "")]
    assert len(relay) == len(browser) == 3


def test_numbers_of_many_bytes_are_understood() -> None:
    relay, browser = both()
    numbers = []
    for _ in range(200):
        numbers.append(relay.open())
        carry(relay, browser)
        relay.close(numbers[-1])
        carry(relay, browser)
    assert numbers[-1] == 400
    number = relay.open()
    relay.send(number, b"x" * 40_000)
    told = carry(relay, browser)
    assert told[0] == ChannelOpened(402, "")
    assert b"".join(e.data for e in told if isinstance(e, Arrived)) == b"x" * 40_000
    browser.consumed(number, 40_000)
    relay.take_events()
    assert carry(browser, relay) == []
    assert relay._channels[number].credit == 64 << 10


# ---- WIR-32: credit, channels, turns


def test_wir_32_no_more_is_sent_than_there_is_credit_for() -> None:
    relay, browser, number = opened()
    relay.send(number, b"x" * 100_000)
    told = [e for e in carry(relay, browser) if isinstance(e, Arrived)]
    assert sum(len(e.data) for e in told) == 64 << 10
    assert relay.room(number) == (64 << 10) - (100_000 - (64 << 10))
    browser.consumed(number, 40_000)
    carry(browser, relay)
    told = [e for e in carry(relay, browser) if isinstance(e, Arrived)]
    assert sum(len(e.data) for e in told) == 100_000 - (64 << 10)


def test_wir_32_overrunning_the_credit_ends_that_channel_only() -> None:
    relay, browser, number = opened()
    other = relay.open()
    carry(relay, browser)
    head = varint(number)
    too_much = frame(Kind.DATA, head, b"x" * (64 << 10)) + frame(Kind.DATA, head, b"y")
    told = browser.receive_data(too_much, 0.0)
    assert told[-1] == ChannelClosed(number, Code.OVERLOADED)
    assert carry(browser, relay) == [ChannelClosed(number, Code.OVERLOADED)]
    relay.send(other, b"fine")
    assert carry(relay, browser) == [Arrived(other, b"fine")]


def test_wir_32_one_big_overrun_ends_that_channel_only() -> None:
    _, browser, number = opened()
    told = browser.receive_data(frame(Kind.DATA, varint(number), b"x" * 100_000), 0.0)
    assert told == [ChannelClosed(number, Code.OVERLOADED)]
    assert not browser.closed


def test_wir_32_the_65th_channel_is_refused_by_both_ends() -> None:
    relay, browser = both()
    for _ in range(64):
        relay.open()
    with pytest.raises(TunnelFullError, match="no more channels: 64 are open"):
        relay.open()
    carry(relay, browser)
    assert len(browser) == 64
    with pytest.raises(TunnelFullError):
        browser.open()
    assert browser.receive_data(frame(Kind.OPEN, varint(130), EMPTY_MAP), 0.0) == []
    assert browser.data_to_send() == frame(Kind.CLOSE, varint(130), bytes([Code.OVERLOADED]))
    relay.close(2)
    carry(relay, browser)
    assert relay.open() == 130


def test_wir_32_channels_take_turns_of_8_kib() -> None:
    relay, browser = both()
    a, b, c = (relay.open() for _ in range(3))
    carry(relay, browser)
    relay.send(a, b"a" * 20_000)
    relay.send(b, b"b" * 20_000)
    relay.send(c, b"c" * 10)
    data = relay.data_to_send()
    turn = 8 << 10
    assert pieces(data) == [
        *((a, turn), (b, turn), (c, 10)),
        *((a, turn), (b, turn)),
        *((a, 20_000 - 2 * turn), (b, 20_000 - 2 * turn)),
    ]


def test_wir_32_a_small_message_waits_for_one_turn_of_each_other_channel() -> None:
    relay, browser = both()
    bulk = [relay.open() for _ in range(10)]
    small = relay.open()
    carry(relay, browser)
    for number in bulk:
        relay.send(number, b"x" * (64 << 10))
    first = pieces(relay.data_to_send(8 << 10))
    assert first == [(bulk[0], 8 << 10)]
    relay.send(small, b"!")
    later = [number for number, _ in pieces(relay.data_to_send(1 << 20))]
    assert later[: later.index(small)] == [*bulk[1:], bulk[0]]


def test_wir_32_a_reader_that_takes_nothing_holds_nobody_back() -> None:
    relay, browser = both()
    stuck, other = relay.open(), relay.open()
    carry(relay, browser)
    relay.send(stuck, b"s" * 200_000)
    carry(relay, browser)
    for _ in range(50):
        relay.send(other, b"o" * 30_000)
        told = [e for e in carry(relay, browser) if isinstance(e, Arrived)]
        assert sum(len(e.data) for e in told if e.channel == other) == 30_000
        browser.consumed(other, 30_000)
        carry(browser, relay)
    assert relay.memory() == 200_000 - (64 << 10)


# ---- WIR-33: credit back, channels that aren't there, ends


def test_wir_33_credit_goes_out_when_half_the_window_was_consumed() -> None:
    relay, browser, number = opened()
    relay.send(number, b"x" * (64 << 10))
    carry(relay, browser)
    browser.consumed(number, (32 << 10) - 1)
    assert browser.data_to_send() == b""
    browser.consumed(number, 1)
    assert browser.data_to_send() == frame(Kind.CREDIT, varint(number), varint(32 << 10))


def test_wir_33_frames_of_unknown_channels_are_dropped() -> None:
    relay, browser, number = opened()
    browser.abort(number, Code.OK)
    crossing = [
        frame(Kind.DATA, varint(number), b"x"),
        frame(Kind.CREDIT, varint(number), varint(5)),
        frame(Kind.CLOSE, varint(number), b"\0"),
        frame(Kind.DATA, varint(77), b"x"),
    ]
    assert browser.receive_data(b"".join(crossing), 0.0) == []
    assert carry(browser, relay) == [ChannelClosed(number, 0)]
    assert not browser.closed


def test_wir_33_close_follows_what_was_queued_and_abort_drops_it() -> None:
    relay, browser = both()
    one, two = relay.open(), relay.open()
    carry(relay, browser)
    relay.send(one, b"x" * 20_000)
    relay.send(two, b"y" * 20_000)
    relay.close(one)
    relay.abort(two, Code.INTERNAL)
    assert relay.room(one) == relay.room(two) == 0
    relay.send(one, b"late"), relay.send(two, b"late")
    told = carry(relay, browser)
    got = b"".join(e.data for e in told if isinstance(e, Arrived))
    assert got == b"x" * 20_000
    assert told[0] == ChannelClosed(two, Code.INTERNAL)
    assert told[-1] == ChannelClosed(one, Code.OK)
    assert relay.take_events() == [ChannelClosed(one, Code.OK)]
    assert len(relay) == len(browser) == 0


def test_wir_33_a_closing_channel_takes_nothing_more_and_gives_up_in_the_end() -> None:
    relay, browser, number = opened()
    relay.send(number, b"x" * 100_000)
    carry(relay, browser)
    relay.close(number, now=1.0)
    relay.close(number, now=2.0)
    assert relay.next_timer() == 6.0
    browser.send(number, b"nobody reads this")
    assert carry(browser, relay) == []
    assert relay.tick(5.9) == []
    assert relay.tick(6.0) == [ChannelClosed(number, Code.TIMEOUT)]
    assert carry(relay, browser)[-1] == ChannelClosed(number, Code.TIMEOUT)
    assert relay.memory() == 0


def test_wir_33_credit_lets_a_closing_channel_end_in_time() -> None:
    relay, browser, number = opened()
    relay.send(number, b"x" * 100_000)
    relay.close(number)
    carry(relay, browser)
    browser.consumed(number, 64 << 10)
    carry(browser, relay)
    assert carry(relay, browser)[-1] == ChannelClosed(number, Code.OK)
    assert relay.next_timer() == 10.0, "nothing but the next ping"


def test_wir_33_the_host_hears_when_a_full_channel_has_room_again() -> None:
    relay, browser, number = opened()
    relay.send(number, b"x" * (130 << 10))
    carry(relay, browser)
    assert relay.room(number) == 0
    assert relay.drained == []
    browser.consumed(number, 64 << 10)
    carry(browser, relay)
    carry(relay, browser)
    assert relay.drained == [number]
    assert relay.room(number) == 62 << 10


def test_wir_33_loss_of_the_tunnel_forgets_all_channels() -> None:
    relay, _, number = opened()
    relay.send(number, b"x" * 1000)
    assert relay.connection_lost(0.0) == []
    assert (len(relay), relay.memory(), relay.data_to_send()) == (0, 0, b"")
    assert relay.receive_data(b"\x01\x04", 0.0) == []
    relay.send(number, b"x"), relay.close(number), relay.abort(number, 0), relay.ping(0.0)
    relay.consumed(number, 5), relay.leave(0.0)
    assert relay.data_to_send() == b""
    with pytest.raises(TunnelFullError):
        relay.open()


# ---- malformed frames


BAD = {
    "unknown kind": frame(6, b"\x02"),
    "HTTP": b"GET /",
    "aRPC's own frame": frame(Kind.HELLO, EMPTY_MAP),
    "numbered frame": frame(Kind.CALL, b"\x01\x92\x00\x90"),
    "empty frame": b"\x00",
    "length of many bytes": b"\xff\xff\xff\xff\xff",
    "no channel": frame(Kind.DATA),
    "channel cut off": frame(Kind.DATA, b"\x80"),
    "channel too long": frame(Kind.DATA, b"\x80\x80\x80\x80\x80\x01"),
    "empty data": frame(Kind.DATA, b"\x02"),
    "open without meta": frame(Kind.OPEN, b"\x04"),
    "open with bad meta": frame(Kind.OPEN, b"\x04\x81\xa4peer\x05"),
    "open with two metas": frame(Kind.OPEN, b"\x04", EMPTY_MAP, EMPTY_MAP),
    "open again": frame(Kind.OPEN, b"\x02", EMPTY_MAP),
    "open a number of ours": frame(Kind.OPEN, b"\x05", EMPTY_MAP),
    "open backwards": frame(Kind.OPEN, b"\x00", EMPTY_MAP),
    "credit without a size": frame(Kind.CREDIT, b"\x02"),
    "credit beyond the window": frame(Kind.CREDIT, b"\x02\x01"),
    "credit with more": frame(Kind.CREDIT, b"\x02\x00\x00"),
    "close without a code": frame(Kind.CLOSE, b"\x02"),
    "close with more": frame(Kind.CLOSE, b"\x02\x00\x00"),
    "ping with more": frame(Kind.PING, b"\0\0"),
    "ack with more": frame(Kind.ACK, b"\0\0"),
    "bye that isn't one": frame(Kind.BYE, b"\xc1"),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_wir_2_a_malformed_frame_ends_the_tunnel_with_a_goodbye(data: bytes) -> None:
    _, browser, _ = opened()
    assert ended(browser, data).code == Code.PROTOCOL


def test_wir_1_a_frame_beyond_the_limit_is_refused_by_its_length() -> None:
    _, browser, _ = opened()
    assert ended(browser, varint((128 << 10) + 1)).code == Code.TOO_BIG


def test_wir_2_what_follows_a_malformed_frame_is_not_looked_at() -> None:
    _, browser, number = opened()
    told = browser.receive_data(b"\x01\x06" + frame(Kind.DATA, varint(number), b"x"), 0.0)
    assert [type(e) for e in told] == [Closed]


@given(st.binary(max_size=300), st.integers(1, 40))
def test_wir_2_garbage_raises_nothing(data: bytes, step: int) -> None:
    _, browser, _ = opened(SMALL)
    told: list[TunnelEvent] = []
    for at in range(0, len(data), step):
        told += browser.receive_data(data[at : at + step], 0.0)
    assert browser.closed == any(isinstance(e, Closed) for e in told)
    assert browser.memory() < 4096
    if browser.closed and not bye_of_the_peer(data):
        assert Kind.BYE in kinds(browser.data_to_send())


def bye_of_the_peer(data: bytes) -> bool:
    """Whether garbage may hold a goodbye by chance: that needs no answer."""
    return bytes([Kind.BYE]) in data


def test_a_peer_that_asks_for_channels_and_never_reads_is_not_served_for_ever() -> None:
    _, browser = both(TunnelLimits(channels=2, control=1000))
    number = 0
    while not browser.closed:
        number += 2
        browser.receive_data(frame(Kind.OPEN, varint(number), EMPTY_MAP), 0.0)
        assert browser.memory() < 2000
    assert kinds(browser.data_to_send()) == [Kind.BYE]


def test_channels_that_come_and_go_unread_are_not_opened_for_ever() -> None:
    relay, _ = both(TunnelLimits(control=1000))
    while relay.memory() <= 1000:
        relay.abort(relay.open(), Code.OK)
    with pytest.raises(TunnelFullError):
        relay.open()
    assert relay.memory() < 1100
    relay.data_to_send()
    relay.open()


# ---- life


def test_wir_28_silence_ends_the_tunnel_and_an_answer_does_not() -> None:
    relay, browser = both()
    assert relay.next_timer() == 10.0
    assert relay.tick(9.9) == []
    assert relay.data_to_send() == b""
    relay.tick(10.0)
    assert relay.next_timer() == 15.0
    assert carry(relay, browser) == []
    assert carry(browser, relay) == []
    assert relay.next_timer() == 20.0
    relay.tick(20.0)
    relay.data_to_send()
    (closed,) = relay.tick(25.0)
    assert closed == Closed(Code.TIMEOUT, "no answer to ping", True)
    assert kinds(relay.data_to_send()) == [Kind.BYE]
    assert relay.tick(30.0) == []


def test_wir_29_who_slept_asks_first() -> None:
    relay, _ = both()
    relay.tick(10.0)
    relay.data_to_send()
    assert relay.tick(60.0) == []
    assert kinds(relay.data_to_send()) == [Kind.PING]
    assert isinstance(relay.tick(65.0)[0], Closed)


def test_a_goodbye_ends_it_without_an_answer() -> None:
    relay, browser, _ = opened()
    assert browser.receive_data(bye(Code.AWAY, "restarting", 5.0), 0.0) == [
        Closed(Code.AWAY, "restarting", True)
    ]
    assert browser.data_to_send() == b""
    assert relay.receive_data(bye(Code.STOPPED), 0.0) == [Closed(Code.STOPPED, "", False)]


def test_leaving_waits_for_the_channels_and_takes_no_more() -> None:
    relay, browser, number = opened()
    browser.send(number, b"last words")
    browser.leave(0.0)
    relay.open()
    carry(relay, browser)
    assert len(browser) == 1
    with pytest.raises(TunnelFullError):
        browser.open()
    browser.close(number, Code.OK)
    told = carry(browser, relay)
    assert told == [
        ChannelClosed(4, Code.AWAY),
        Arrived(number, b"last words"),
        ChannelClosed(number, Code.OK),
        Closed(Code.OK, "", False),
    ]
    assert browser.take_events() == [ChannelClosed(number, Code.OK), Closed(Code.OK, "", False)]
    assert browser.closed


def test_leaving_does_not_wait_for_ever() -> None:
    _, browser, _ = opened()
    browser.leave(2.0)
    browser.leave(3.0)
    assert browser.data_to_send() == b""
    assert browser.next_timer() == 7.0
    assert browser.tick(7.0) == [Closed(Code.OK, "", False)]
    assert browser.data_to_send() == bye(Code.OK)


# ---- any order, any cut


@given(st.integers(0, 2**32), st.integers(10, 300))
def test_wir_32_every_channel_delivers_in_order_and_whole_in_any_interleaving(
    seed: int, steps: int
) -> None:
    world = World(seed)
    for _ in range(steps):
        world.step()
        assert all(end.memory() < 8 * SMALL.window + 2048 for end in world.ends)
    world.settle()
    world.check()


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=8), st.integers(1, 500))
def test_wir_32_turns_are_fair(sizes: list[int], limit: int) -> None:
    """Between two pieces of one channel everybody else with something to send has his."""
    relay, browser = both(TunnelLimits(window=4096, turn=64))
    numbers = [relay.open() for _ in sizes]
    carry(relay, browser)
    for number, size in zip(numbers, sizes, strict=True):
        relay.send(number, b"x" * size)
    left = dict(zip(numbers, sizes, strict=True))
    order: list[int] = []
    while data := relay.data_to_send(limit):
        for number, size in pieces(data):
            waiting = {n for n in numbers if left[n] and n != number}
            since = order[len(order) - 1 - order[::-1].index(number) :] if number in order else []
            if since:
                assert waiting <= set(since)
            order.append(number)
            left[number] -= size
            assert size <= 64
    assert set(left.values()) == {0}


def test_no_limit_is_zero() -> None:
    limits: Any = TunnelLimits()
    assert all(getattr(limits, name) > 0 for name in limits.__dataclass_fields__)
    assert encode({}) == EMPTY_MAP
