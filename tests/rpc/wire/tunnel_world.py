"""Two ends of a tunnel, random steps, and what each channel must have delivered."""

from __future__ import annotations

import random

from amctl.rpc.wire import Closed, Code
from amctl.rpc.wire.tunnel import (
    Arrived,
    ChannelClosed,
    TunnelCore,
    TunnelEvent,
    TunnelFullError,
    TunnelLimits,
)

__all__ = ["SMALL", "World", "both"]

SMALL = TunnelLimits(window=256, channels=8, turn=32, frame=1024)


def both(limits: TunnelLimits | None = None) -> tuple[TunnelCore, TunnelCore]:
    """A relay's end and a browser's."""
    return TunnelCore(even=True, limits=limits), TunnelCore(even=False, limits=limits)


class World:
    """Both ends, and what is known of their channels."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.ends = both(SMALL)
        self.sent: dict[tuple[int, int], bytearray] = {}
        """(end, channel) -> all that was handed to `send`."""
        self.got: dict[tuple[int, int], bytearray] = {}
        """(receiving end, channel) -> all that arrived."""
        self.held: dict[tuple[int, int], int] = {}
        self.slow: set[tuple[int, int]] = set()
        """Readers that take nothing."""
        self.closed: set[tuple[int, int]] = set()
        """(end, channel) that its host closed in order."""
        self.aborted: set[int] = set()
        self.known: set[int] = set()
        """Channels that the peer of their opener did not refuse."""
        self.gone: dict[tuple[int, int], int] = {}

    def step(self) -> None:
        side, rng = self.rng.randrange(2), self.rng
        end, chance = self.ends[side], self.rng.random()
        mine = [n for n in end._channels if (side, n) not in self.closed]
        if chance < 0.1 and len(end) < 8:
            self.open(side)
        elif chance < 0.5 and mine:
            number = rng.choice(mine)
            size = min(end.room(number), rng.randint(1, 400))
            data = rng.randbytes(size)
            end.send(number, data)
            self.sent[side, number] += data
        elif chance < 0.55 and mine:
            number = rng.choice(mine)
            end.close(number)
            self.closed.add((side, number))
        elif chance < 0.57 and mine:
            number = rng.choice(mine)
            end.abort(number, Code.INTERNAL)
            self.aborted.add(number)
        elif chance < 0.8:
            self.take(side, 0.5)
        else:
            self.carry(side, rng.randint(1, 300))

    def open(self, side: int) -> None:
        try:
            number = self.ends[side].open()
        except TunnelFullError:
            return
        for end in (0, 1):
            self.sent[end, number], self.got[end, number] = bytearray(), bytearray()
            self.held[end, number] = 0
            if self.rng.random() < 0.2:
                self.slow.add((end, number))

    def take(self, side: int, share: float) -> None:
        for (end, number), held in self.held.items():
            if end == side and held and (end, number) not in self.slow:
                size = max(1, int(held * share))
                self.ends[side].consumed(number, size)
                self.held[end, number] -= size

    def carry(self, side: int, limit: int) -> bool:
        data, far = self.ends[side].data_to_send(limit), 1 - side
        self.note(side, self.ends[side].take_events())
        at = 0
        while at < len(data):  # cut anywhere
            step = self.rng.randint(1, 100)
            self.note(far, self.ends[far].receive_data(data[at : at + step], 0.0))
            at += step
        return bool(data)

    def note(self, side: int, events: list[TunnelEvent]) -> None:
        for event in events:
            if isinstance(event, Arrived):
                key = side, event.channel
                assert key not in self.gone, "nothing comes after the end"
                self.got[key] += event.data
                self.held[key] += len(event.data)
                assert self.held[key] <= SMALL.window, "credit is never exceeded"
            elif isinstance(event, ChannelClosed):
                self.gone[side, event.channel] = event.code
            elif isinstance(event, Closed):
                raise AssertionError(event)
            else:
                self.known.add(event.channel)

    def settle(self) -> None:
        """Go on until nothing moves."""
        for _ in range(10_000):
            for side in (0, 1):
                self.take(side, 1.0)
            if not any([self.carry(0, 1 << 16), self.carry(1, 1 << 16)]):
                return
        raise AssertionError("never quiet")

    def check(self) -> None:
        for (side, number), sent in self.sent.items():
            got = self.got[1 - side, number]
            assert sent.startswith(got), "in order, and nothing else"
            closed_by_peer = (1 - side, number) in self.closed
            slow = (1 - side, number) in self.slow
            if number in self.known and not (number in self.aborted or closed_by_peer or slow):
                assert got == sent, "whole"
                if (side, number) in self.closed:
                    assert self.gone[1 - side, number] == Code.OK
        for end in self.ends:
            assert end.memory() <= 8 * SMALL.window
