"""A nodes package that does no work: its DAG's name says how it behaves.

The supervisor's tests load it by NODES_PACKAGE. WORKFLOW is a list of words: `ok` or `wrong` is how
each round ends (the last one is repeated, `hang` never ends, before `absent` the node never came),
`bad-dag`, `no-start`, `slow-stop` and `stubborn` are what goes wrong.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from amctl.machine import Machine, States
from amctl.telemetry.recorder import Recorder
from amctl.telemetry.snapshot import Check, Node, Run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from amctl.relay.matcher import Matcher
    from amctl.rpc.transports.base import Connection
    from amctl.run.workflow import RelayInfo

DIGEST = "ab" * 64
made: list[FakeWorkflow] = []
"""Every workflow made, so that a test can ask what became of it."""


@dataclass
class FakeOutcome:
    """As if a further round had been interrupted, which only the recorder has counted."""

    ok: bool
    rounds: int = 1
    interrupted: int = 1
    executions: int = 1
    results: Mapping[str, str] = field(default_factory=lambda: {"a": DIGEST})
    wrong: Mapping[str, Sequence[str]] = field(default_factory=lambda: {"liars": ()})


class FakeRunner:
    def __init__(self, happened: list[str]) -> None:
        self._happened = happened

    async def start(self) -> None:
        self._happened.append("nodes up")

    async def stop(self) -> None:
        self._happened.append("nodes down")


class FakeWorkflow:
    """One node, `a`, which has always just delivered."""

    name = "fake"
    node_ids = ("a",)
    matchers: tuple[Matcher, ...] = ()
    unrecorded = untraced = 0

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._ends = [word for word in words if word in ("ok", "wrong", "hang", "absent")]
        self.happened: list[str] = []
        self.outcome: FakeOutcome | None = None
        self.recorded_to: tuple[Callable[[], Awaitable[Connection]], str] | None = None
        self.traced_to: Callable[[str], Awaitable[None]] | None = None
        self.relay: RelayInfo | None = None
        self.machine = Machine("fake-orchestrator", States)
        began = time.monotonic()
        node = Node(id="a", thread="local", host="a")
        run = Run(id="r", workflow="fake", started_at="2026-01-01T00:00:00Z", seed=7)
        self.recorder = Recorder(
            run,
            lambda: round((time.monotonic() - began) * 1000),
            [node],
            [Check("a", DIGEST)],
        )

    def boot_plan(self) -> dict[str, Any]:
        return {"nodes": list(self.node_ids)}

    def record_to(
        self,
        dial: Callable[[], Awaitable[Connection]],
        token: str,
        settle: Callable[[], Awaitable[object]],
    ) -> None:
        self.recorded_to = (dial, token)

    def trace_to(
        self,
        post: Callable[[str], Awaitable[None]],
        options: Mapping[str, Any],
        ended: Callable[[Sequence[str]], Awaitable[None]],
    ) -> str:
        self.traced_to = post
        return "ab" * 16

    async def start(self, relay: RelayInfo) -> None:
        if "no-start" in self._words:
            raise OSError("the orchestrator can't start")
        self.relay = relay
        self.happened.append("orchestrator up")

    async def finished(self) -> FakeOutcome:
        end = self._ends.pop(0) if len(self._ends) > 1 else self._ends[0]
        if end == "absent":
            await asyncio.Event().wait()
        self.recorder.joined("a")
        self.recorder.begin_round()
        self.recorder.begin("a")
        if end == "hang":
            await asyncio.Event().wait()
        self.recorder.delivered("a", DIGEST if end == "ok" else "00" * 64)
        self.recorder.verified([] if end == "ok" else ["a"])
        self.recorder.finish("succeeded" if end == "ok" else "failed")
        self.outcome = FakeOutcome(end == "ok")
        return self.outcome

    def start_work(self) -> None:
        self.happened.append("work asked for")

    async def stop(self, grace: float = 2.0) -> None:
        self.happened.append(f"workers dismissed in {grace:g} s")
        if "stubborn" in self._words:
            await asyncio.Event().wait()
        self.machine.dispose()

    def local(self, dial: Callable[[str], Awaitable[Connection]]) -> FakeRunner:
        return FakeRunner(self.happened)


def workflow(settings: Mapping[str, str], *, home: Path, token: str) -> FakeWorkflow:
    """What the supervisor calls."""
    words = settings["WORKFLOW"].split(",")
    if "bad-dag" in words:
        raise ValueError("node 'b' waits for 'c', which isn't there")
    made.append(FakeWorkflow(words))
    return made[-1]
