"""A scripted conversation that can be cut at any byte offset of either direction.

Both ends, one of them, or neither notice a cut; whatever happens, every call must run exactly once
and every payload arrive.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from amctl.rpc.wire import Op, Sync
from tests.rpc.wire.pairs import ID
from tests.rpc.wire.promises import check
from tests.rpc.wire.sim import SMALL, Sim, Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LIMITS = replace(SMALL, window_bytes=300, ping=1.0, pong=0.5)
MODES = {
    "full": Sync(),
    "allowed": Sync(schema=False, allowed=("s0", "s2")),
    "steps": Sync(steps=True),
    "shallow": Sync(shallow=True, skipped=("s1",)),
}
SILENCES = {
    "both notice": (False, False),
    "client does not": (True, False),
    "server does not": (False, True),
    "neither does": (True, True),
}
Cut = tuple[int | None, int | None]

CALLS = 5
PAYLOADS = 2


def converse(sync: Sync, cuts: Sequence[Cut], silent: tuple[bool, bool]) -> Sim:
    """Hold the conversation; `cuts` are byte offsets (up, down) for successive connections."""
    names = ["s0", "s1", "s2", "s3"]
    sim = Sim(
        1,
        limits=LIMITS,
        rough=False,
        sync=sync,
        deferred=False,
        cap=1 << 20,
        names=names,
    )
    waiting = iter(cuts)
    sim.next_wire = lambda: Wire(sim, next(waiting, (None, None)), silent)
    sim.connect()
    for i, act in enumerate(acts(sim)):
        sim.at(0.01 + 0.03 * i, act)
    for _ in range(40):
        sim.run(sim.now + 1)
        if is_over(sim):
            break
    check(sim)
    assert len(sim.paid) == PAYLOADS
    assert len(sim.log) == CALLS
    return sim


def acts(sim: Sim) -> list[Callable[[], None]]:
    """What both sides do, in order: calls, a note, payloads, local changes, a new schema."""
    return [
        lambda: sim.call(Op.ADD, [0], {}),
        lambda: sim.call(Op.ADD, [1], {}, wants=False),
        lambda: sim.local(Op.ADD, [2]),
        lambda: pay(sim, 5),
        lambda: sim.call(Op.SET, [0, 1], {"x": b"q" * 150}),
        lambda: pay(sim, 200),
        sim.new_schema,
        lambda: sim.local(Op.TOGGLE, [0, 2]),
        lambda: sim.call(Op.REMOVE, [0], {}),
        lambda: sim.call(Op.ADD, [1], {"veto": 1}),
    ]


def pay(sim: Sim, size: int) -> None:
    """Send a payload as soon as there is somebody to send it to."""
    session = sim.hub.sessions.get(ID)
    if session is None or not session.usable:
        sim.at(sim.now + 0.3, lambda: pay(sim, size))
    else:
        sim.pay(b"x" * size)


def is_over(sim: Sim) -> bool:
    """Whether all was said, and nothing is under way."""
    quiet = not sim.client.outbox and not sim.client.pending and not sim.client.bulk
    live = [wire for wire in sim.wires if any(wire.ends)]
    return (
        sim.now > 2
        and sim.wire is not None
        and not sim.wire.dead
        and live == [sim.wire]
        and quiet
        and not any(session.outbox for session in sim.hub.sessions.values())
        and len(sim.sent_paid) == PAYLOADS
        and len(sim.uids) == CALLS
    )
