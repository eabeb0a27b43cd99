"""Random worlds: cuts, stalls, half-open ends, restarts, new schemas, and paths that damage."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from amctl.rpc.wire import Hub, Session, Sync
from tests.rpc.wire.pairs import TOKEN
from tests.rpc.wire.promises import check
from tests.rpc.wire.sim import Sim

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.rpc.wire.messages import Hello
    from tests.rpc.wire.sim import Wire

CALM = 60.0
"""Seconds that a world gets to come to rest."""


def any_sync(seed: int) -> Sync:
    """Sync options, any combination."""
    rng = random.Random(seed * 7 + 1)
    return Sync(
        schema=rng.random() < 0.5,
        allowed=None if rng.random() < 0.6 else ("s0", "s2", "s5"),
        shallow=rng.random() < 0.3,
        steps=rng.random() < 0.3,
    )


def chaos(seed: int, *, restarts: bool = False, schemas: bool = False, **options: Any) -> Sim:
    """Run one random world to its rest and check it."""
    sim = Sim(seed, **options)
    play(sim, restarts=restarts, schemas=schemas)
    return sim


def play(
    sim: Sim, *, restarts: bool, schemas: bool, calm: Callable[[], None] | None = None
) -> None:
    """Fill a world with random acts, run it, check it."""
    rng = sim.rng

    def new_wire() -> Wire:
        early = sim.now < 10
        up = rng.randint(0, 3000) if rng.random() < 0.5 and early else None
        down = rng.randint(0, 3000) if rng.random() < 0.5 and early else None
        return sim.wire_kind(sim, (up, down), (rng.random() < 0.2, rng.random() < 0.2))

    sim.next_wire = new_wire
    sim.at(0.0, sim.connect)
    when = 0.0
    for _ in range(rng.randint(20, 120)):
        when += rng.random() * 0.25
        sim.at(when, _act(sim, restarts, schemas))
    sim.run(when + CALM / 6 + sim.gap)
    if calm is not None:
        calm()
    sim.run(when + CALM + sim.gap)
    check(sim)
    assert restarts or sim.opened - sim.resumed == 1, "a session was lost without cause"


def _act(sim: Sim, restarts: bool, schemas: bool) -> Callable[[], None]:
    rng = sim.rng
    drawn = rng.random()
    table: list[tuple[float, Callable[[], None]]] = [
        (0.40, sim.random_call),
        (0.50, lambda: sim.random_call(wants=False)),
        (0.55, lambda: sim.random_call(big=True)),
        (0.75, sim.random_local),
        (0.85, lambda: sim.pay(rng.randbytes(rng.randint(0, 30)))),
        (0.90, lambda: sim.pay(rng.randbytes(rng.randint(0, 3000)))),
        (0.97, sim.cut),
        (0.985, sim.restart if restarts else sim.random_local),
        (1.0, sim.new_schema if schemas else sim.random_local),
    ]
    return next(act for bound, act in table if drawn < bound)


# ---- damage


class Vandal:
    """What a broken server or path does, and what was ever true."""

    def __init__(self, seed: int, sim: DamagedSim) -> None:
        self.rng, self.sim = random.Random(seed), sim
        self.active = True
        self.swallows = seed % 2 == 0
        self.history: set[tuple[int, tuple[int, ...]]] = set()

    def draw(self) -> float:
        return self.rng.random() if self.active else 1.0


class DamagedSession(Session):
    """Drops, doubles and alters clock frames, loses and doubles numbered ones."""

    vandal: Vandal

    def _emit(self, out: bytearray, kind: int, q: int, body: list[int]) -> None:
        vandal, start = self.vandal, len(out)
        drawn = vandal.draw()
        super()._emit(out, kind, q, body)
        vandal.history.add((q, tuple(self.view)))
        if drawn < 0.05:
            if vandal.swallows:
                del out[start:]
                vandal.sim.frames_dropped = True
        elif drawn < 0.1:
            out += out[start:]
        elif drawn < 0.15:
            out[start + 4] ^= 0x10
        elif drawn < 0.2:
            if vandal.sim.client.view:
                vandal.sim.client.view[-1] += 2
        elif drawn < 0.25 and len(body) > 2:
            out[-1] = (out[-1] + 1) & 127

    def _number(self, kind: int, body: bytes) -> bytes:
        whole, drawn = super()._number(kind, body), self.vandal.draw()
        return whole + whole if drawn < 0.02 else b"" if drawn < 0.04 else whole


class DamagedHub(Hub):
    """Makes damaged sessions."""

    vandal: Vandal

    def _new_session(self, hello: Hello) -> Session:
        session = DamagedSession(self.source, hello, self.lim, self.push, self.allow)
        session.vandal = self.vandal
        return session


class DamagedSim(Sim):
    """A world whose server or path damages what it carries."""

    def __init__(self, seed: int, **options: Any) -> None:
        self.vandal = Vandal(seed, self)
        super().__init__(seed, **options)
        self.client.published = self._published

    def new_hub(self) -> Hub:
        hub = DamagedHub(self.toy, TOKEN, self.lim, self.push)
        hub.vandal = self.vandal
        return hub

    def _published(self, q: int, view: Any) -> None:
        if self.vandal.active:
            assert (q, tuple(view)) in self.vandal.history, "a wrong mirror was published"


def damage(seed: int, *, restarts: bool = False, schemas: bool = False, **options: Any) -> Sim:
    """A random world that is also damaged, until it is left in peace."""
    sim = DamagedSim(seed, **options)

    def calm() -> None:
        sim.vandal.active = False

    play(sim, restarts=restarts, schemas=schemas, calm=calm)
    return sim


def world(seed: int) -> Sim:
    """The world of a seed: every fifth is damaged, every third restarts, every fourth renames."""
    run = damage if seed % 5 == 4 else chaos
    return run(seed, restarts=seed % 3 == 2, schemas=seed % 4 == 3, sync=any_sync(seed))
