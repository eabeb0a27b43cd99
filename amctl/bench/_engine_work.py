"""The workloads of the engine's bench: those whose times were recorded of the Go original."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amctl.machine import Machine, Schema, Tracer
from amctl.machine.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from amctl.machine import Event, StatesLike, Transition

__all__ = [
    "SETUP",
    "UNCACHED",
    "WORKLOADS",
    "Counting",
    "Recorder",
    "Workload",
    "orchestrator",
    "pairs_of",
]

UNCACHED = Limits(plans=0)
_LATEST = 1000


@dataclass(frozen=True)
class Workload:
    """A machine, and a pair of calls that is made again and again."""

    name: str
    what: str
    go_ns: int
    """Of a pair, by the Go original on the machine of `YARDSTICK`."""
    schema: Schema
    setup: tuple[StatesLike, ...] = ()
    """Added one by one, beforehand."""
    added: StatesLike = "A"
    removed: StatesLike = "A"
    is_handled: bool = False
    """Whether a State handler counts activations."""
    is_awaited: bool = False
    """Whether a When is opened before each pair, and has to be closed by it."""

    def make(self, **options: Any) -> Machine:
        """A machine that is ready for its first pair; with options of `Machine`."""
        machine = Machine(self.name, self.schema, **options)
        if self.is_handled:
            machine.bind(Counting())
        for states in self.setup:
            machine.add(states)
        return machine

    def runs(self, machine: Machine) -> Callable[[int], float]:
        """What makes pairs of calls on a machine."""
        if self.is_awaited:
            return _awaiting(machine, str(self.added))
        return pairs_of(machine, self.added, self.removed)


def pairs_of(machine: Machine, added: StatesLike, removed: StatesLike) -> Callable[[int], float]:
    """What adds and removes so many times, and returns the CPU seconds that it took."""
    add, remove = machine.add, machine.remove

    def run(count: int) -> float:
        began = time.thread_time()
        for _ in range(count):
            add(added)
            remove(removed)
        return time.thread_time() - began

    return run


def _awaiting(machine: Machine, state: str) -> Callable[[int], float]:
    when, add, remove = machine.when, machine.add, machine.remove

    def run(count: int) -> float:
        began = time.thread_time()
        for _ in range(count):
            signal = when(state)
            add(state)
            if not signal.done():
                raise AssertionError(f"{state} is active, but its When is open")
            remove(state)
        return time.thread_time() - began

    return run


class Counting:
    """Handlers that do nearly nothing."""

    def __init__(self) -> None:
        self.count = 0

    def AState(self, e: Event) -> None:
        """Count."""
        self.count += 1


class Recorder(Tracer):
    """Keeps of each of the latest transitions what a log of changes needs."""

    id = "recorder"

    def __init__(self) -> None:
        self.kept: deque[tuple[str, tuple[str, ...], bool, tuple[int, ...]]] = deque(maxlen=_LATEST)

    def transition_end(self, tx: Transition) -> None:
        """See Tracer."""
        self.kept.append((tx.id, tx.called_states, tx.is_accepted, tx.time_after))


def _five() -> Schema:
    return Schema({name: {} for name in "ABCDE"}, [*"ABCDE", "Exception"])


def _twenty() -> Schema:
    states: dict[str, Mapping[str, Any]] = {f"S{n:02}": {} for n in range(20)}
    states |= {
        "S02": {"require": ["S00"]},
        "S03": {"add": ["S04"]},
        "S05": {"require": ["S00"], "remove": ["S10"]},
        "S06": {"require": ["S01"], "add": ["S07"], "remove": ["S11", "S12"]},
        "S07": {"add": ["S08"]},
        "S09": {"remove": ["S14"]},
        "S14": {"remove": ["S09"]},
        "S15": {"require": ["S02"]},
        "S16": {"after": ["S15"]},
        "S17": {"remove": ["S16"]},
        "S18": {"auto": True, "require": ["S05", "S06"]},
        "S19": {"auto": True, "require": ["S07"], "remove": ["S13"]},
    }
    return Schema(states, [*states, "Exception"])


def orchestrator(more: int = 0) -> Schema:
    """The 45 states of the workflow's orchestrator, and so many that require its Start."""
    four = (1, 2, 3, 4)
    conn = {n: f"Browser{min(n, 2)}Conn" for n in four}
    states: dict[str, Mapping[str, Any]] = {"Exception": {"multi": True}, "ErrRpc": {}}
    states["Ready"] = {}
    ready = [f"Browser{n}Ready" for n in four]
    states["WorkersReady"] = {"auto": True, "require": ready}
    require = ["Ready", "WorkersReady"]
    states["NetworkReady"] = {"auto": True, "require": require, "add": ["StartWork"]}
    states["BrowserConn"] = {"multi": True, "require": ["Start"]}
    delivered = [f"Browser{n}Delivered" for n in four]
    states["StartWork"] = {"require": ["NetworkReady"], "remove": delivered}
    for n in four:
        before = [f"Browser{n - 2}Delivered"] if n > 2 else []
        states[f"Browser{n}Work"] = {"require": [*before, "NetworkReady"]}
    for n in four:
        states[delivered[n - 1]] = {"add": [f"Browser{n + 2}Work"]} if n < 3 else {}
    states["WorkDelivered"] = {"auto": True, "require": delivered[2:]}
    states |= {"Browser1Conn": {}, "Browser2Conn": {}}
    states |= {f"ErrBrowser{n}": {} for n in four}
    for what in ("Ready", "Working", "Completed", "Failed"):
        states |= {f"Browser{n}{what}": {"require": [conn[n]]} for n in four}
    for name in ("ErrNetwork", "ErrHandlerTimeout"):
        states[name] = {"multi": True, "add": ["Exception"], "require": ["Exception"]}
    states |= {"Start": {}, "Healthcheck": {"multi": True}, "Heartbeat": {}}
    states |= {"ServerPayload": {"multi": True}, "ErrOnClient": {"require": ["Exception"]}}
    states |= {f"More{n:03}": {"require": ["Start"]} for n in range(more)}
    return Schema(states, list(states))


SETUP = (
    "Start", "Browser1Conn", "Browser2Conn", "Browser1Ready", "Browser2Ready", "Browser3Ready",
)  # fmt: skip
"""What the orchestrator has come to when it is measured."""

WORKLOADS = (
    Workload("w1", "5 states, plain", 5_550, _five()),
    Workload("w2", "one State handler", 7_770, _five(), is_handled=True),
    Workload(
        "w3",
        "20 states, relations, 2 auto",
        47_750,
        _twenty(),
        setup=(("S00", "S01"),),
        added=("S05", "S06"),
        removed=("S05", "S06", "S07", "S08"),
    ),
    Workload(
        "w5",
        "45 states, auto",
        63_660,
        orchestrator(),
        setup=SETUP,
        added="Browser4Ready",
        removed="Browser4Ready",
    ),
    Workload("w6", "when + add + remove", 6_910, _five(), is_awaited=True),
)
"""w4 of the recorded ones, a single question, is left out: it has no goal."""
