"""Recorded messages for benches: what machines that work on each other tell their debugger.

The machines look like the workflow's orchestrator: 45 states, most of them five for each of eight
nodes, which exclude, require and add each other. Each passes some of its work on to the next, so
transitions have sources; some of them are refused.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from amctl.machine import Machine
from amctl.telemetry.dbgstream import DebugOptions, DebugStream
from amctl.telemetry.messages import TxMsg

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.machine import Event
    from amctl.rpc.transports.base import Connection
    from amctl.telemetry.messages import Message

__all__ = ["MACHINES", "count_of", "recorded"]

MACHINES = 30
_NODES = 8
_PHASES = ("Work", "Working", "Delivered", "Failed", "Retrying")


def _states() -> dict[str, dict[str, Any]]:
    states: dict[str, dict[str, Any]] = {
        "Start": {},
        "Ready": {"auto": True, "require": ["Start"]},
        "Heartbeat": {"multi": True},
        "AllDelivered": {
            "auto": True,
            "require": [f"Delivered{n}" for n in range(_NODES)],
        },
    }
    for n in range(_NODES):
        later = [f"{phase}{n}" for phase in _PHASES[1:]]
        states[f"Work{n}"] = {"require": ["Ready"], "remove": later[1:]}
        for state in later:
            others = [each for each in later if each != state]
            states[state] = {"require": ["Start"], "remove": [*others, f"Work{n}"]}
        states[f"Working{n}"]["require"] = ["Ready"]
    return states


def _passing_on(machines: list[Machine], target: int) -> object:
    """Handlers that give one of the machines something to do."""

    def make(n: int) -> Callable[[object, Event], None]:
        def delivered(_: object, e: Event) -> None:
            machines[target].add(f"Work{(n + 1) % _NODES}", source=e)

        return delivered

    return type("PassingOn", (), {f"Delivered{n}State": make(n) for n in range(_NODES)})()


async def _nowhere() -> Connection:
    raise OSError("nobody listens to a bench's recording")


async def recorded(count: int, *, machines: int = MACHINES, seed: int = 1) -> list[Message]:
    """At least `count` transitions of machines that run now, with all that comes with them.

    They are told without steps and log lines, as `DebugStream` makes them.
    """
    rng = random.Random(seed)
    options = DebugOptions(steps=False, log_level=0, outbox=10 * count + 10_000)
    stream = DebugStream("bench", _nowhere, "", options)
    made: list[Machine] = []
    for n in range(machines):
        one = Machine(f"bench-{n:02d}", _states())
        one.bind(_passing_on(made, (n + 1) % machines))
        made.append(one)
        stream.attach(one)
        one.add("Start")
    outbox = stream.outbox
    while outbox.next_number < count:
        one = rng.choice(made)
        if rng.random() < 0.1:
            one.add("Heartbeat")
        else:
            one.add(f"{rng.choice(_PHASES)}{rng.randrange(_NODES)}")
    out: list[Message] = []
    while (entry := outbox.take()) is not None:
        out.append(entry[1])
    outbox.ack(outbox.next_number)  # nobody else will
    await stream.close(0.0)
    for one in made:
        one.dispose_force()
    return out


def count_of(messages: list[Message]) -> int:
    """Transitions among messages."""
    return sum(type(message) is TxMsg for message in messages)
