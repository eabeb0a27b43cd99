"""A made-up run on a made-up clock: what the views and the event stream are tried with.

`python -m tests.support.fake_run [--dag four|seven|thirty] [--end ok|fail]` plays one on stderr.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import heapq
import random
from typing import TYPE_CHECKING

from amctl.telemetry.recorder import Recorder, standard_lights
from amctl.telemetry.snapshot import Boot, Check, Link, Node, Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.telemetry.snapshot import Snapshot

STEPS = ("Fetching the runtime", "Compiling it", "Starting Python", "Loading the code", "Joining")
RUNTIME = 9_421_000
LIAR = {"four": "browser1", "seven": "mix", "thirty": "node11"}
FLAKY = {"four": "browser4", "seven": "left", "thirty": "node07"}


def dag(name: str) -> dict[str, tuple[str, ...]]:
    """Node id -> what it waits for."""
    if name == "four":
        return {
            "browser1": (),
            "browser2": (),
            "browser3": ("browser1",),
            "browser4": ("browser2",),
        }
    if name == "seven":
        return {
            "fetch": (),
            "seed": (),
            "split": ("fetch",),
            "mix": ("fetch", "seed"),
            "left": ("split",),
            "right": ("split", "mix"),
            "join": ("left", "right"),
        }
    draw = random.Random(4)
    out: dict[str, tuple[str, ...]] = {}
    for i in range(30):
        above = [f"node{j:02}" for j in range(max(0, i - 8), i) if j // 5 < i // 5]
        chosen = draw.sample(above, min(len(above), draw.choice((1, 1, 2))))
        out[f"node{i:02}"] = tuple(sorted(chosen))
    return out


class FakeRun:
    """One node fails once and one lies in the first round (with `fails`, in every one).

    Nothing happens by itself: `advance` moves the clock and tells the recorder what is due.
    """

    def __init__(
        self,
        name: str = "four",
        *,
        fails: bool = False,
        boots: bool = True,
        id: str = "r-7f3a",
    ) -> None:
        self.deps = dag(name)
        self.ids = list(self.deps)
        self.now = 0
        self._liar, self._flaky, self._fails = LIAR[name], FLAKY[name], fails
        self._queue: list[tuple[int, int, Callable[[], object]]] = []
        self._count = 0
        self._draw = random.Random(11)
        self._got: dict[str, bytes] = {}
        self._begins = False
        self.recorder = Recorder(
            Run(
                id=id,
                workflow="wasm_workflow" if name == "four" else f"{name}.json",
                message=f"Python is loading in {len(self.ids)} threads",
                started_at="2026-01-24T03:50:00Z",
                max_rounds=2 if fails else 50,
                seed=42,
            ),
            lambda: self.now,
            [
                Node(
                    id=id,
                    thread="ui" if k == 0 else "worker",
                    host=id if k < 2 else self.ids[1],
                    dispatcher=k == 1,
                    deps=self.deps[id],
                )
                for k, id in enumerate(self.ids)
            ],
            [Check(id, self.honest(id).hex()) for id in self.leaves],
            standard_lights(self.ids),
        )
        self.recorder.light("orchestrator", "up", "pid 4711")
        self.recorder.light("relay", "up", "localhost:14050")
        self.recorder.light("traces", "off", "not recorded")
        for k, id in enumerate(self.ids):
            self._boot(k, id) if boots else self._at(0, lambda id=id: self._join(id))

    @property
    def leaves(self) -> list[str]:
        return [i for i in self.ids if not any(i in deps for deps in self.deps.values())]

    @property
    def next_at(self) -> int | None:
        """When something happens next; None after the end."""
        return self._queue[0][0] if self._queue else None

    def honest(self, id: str) -> bytes:
        return hashlib.sha512(self._given(id, self.honest) + id.encode()).digest()

    def advance(self, until: int = 10**9) -> Snapshot:
        """Everything up to and with `until`; the clock stands there, or at the end."""
        while self._queue and self._queue[0][0] <= until:
            self.step()
        if self._queue:
            self.now = until
        return self.recorder.snapshot()

    def step(self) -> None:
        """The next thing that happens."""
        self.now, _, act = heapq.heappop(self._queue)
        act()

    async def live(self, speed: float = 1.0) -> None:
        """The same in real time, or faster."""
        loop = asyncio.get_running_loop()
        began = loop.time() - self.now / 1000 / speed
        while (due := self.next_at) is not None:
            await asyncio.sleep(began + due / 1000 / speed - loop.time())
            self.advance(due)

    def _given(self, id: str, of: Callable[[str], bytes]) -> bytes:
        return b"".join(of(dep) for dep in self.deps[id]) or b"wasm-workflow-" + id[-1:].encode()

    def _at(self, when: int, act: Callable[[], object]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (when, self._count, act))

    def _boot(self, k: int, id: str) -> None:
        t = 120 + 90 * min(k, 8)

        def tell(step: int, done: int, total: int) -> None:
            boot = Boot(step, len(STEPS), STEPS[step - 1], done, total)
            self._at(t, lambda: self.recorder.boot(id, boot))

        for part in range(11):
            tell(1, RUNTIME * part // 10, RUNTIME)
            t += 110 + self._draw.randrange(60)
        for step, cost in ((2, 420), (3, 900), (4, 380)):
            tell(step, 0, 1)
            t += cost + self._draw.randrange(260)
        self._at(t, lambda: self.recorder.joining(id))
        self._at(t + 500 + 60 * min(k, 8), lambda: self._join(id))

    def _join(self, id: str) -> None:
        self.recorder.joined(id)
        if not self._begins and all(n.state == "ready" for n in self.recorder.snapshot().nodes):
            self._begins = True
            self._at(self.now + 150, self._begin_round)

    def _begin_round(self) -> None:
        self._got.clear()
        self.recorder.begin_round()
        for id in self.ids:
            if not self.deps[id]:
                self._at(self.now + 20, lambda id=id: self._work(id))

    def _work(self, id: str) -> None:
        self.recorder.begin(id)
        cost = 480 + self._draw.randrange(360)
        for part in range(1, 10):
            share = part / 10
            self._at(self.now + cost * part // 10, lambda s=share: self.recorder.progress(id, s))
        self._at(self.now + cost, lambda: self._end(id))

    def _end(self, id: str) -> None:
        number = self.recorder.run.round
        node = next(n for n in self.recorder.snapshot().nodes if n.id == id)
        if id == self._flaky and number == 1 and node.attempt == 1:
            self.recorder.failed(id)
            self._at(self.now + 60, lambda: self._work(id))
            return
        lies = id == self._liar and (number == 1 or self._fails)
        honest = hashlib.sha512(self._given(id, self._got.__getitem__) + id.encode()).digest()
        self._got[id] = b"corrupted" if lies else honest
        self.recorder.delivered(id, self._got[id].hex())
        for other, deps in self.deps.items():
            if id in deps and all(dep in self._got for dep in deps):
                for dep in deps:
                    self.recorder.sending(dep, other)
                self._at(self.now + 170, lambda other=other: self._work(other))
        if len(self._got) == len(self.ids):
            self._at(self.now + 260, self._verify)

    def _verify(self) -> None:
        wrong = [i for i in self.ids if self._got[i] != self.honest(i)]
        liars = [i for i in wrong if not any(dep in wrong for dep in self.deps[i])]
        self.recorder.verified(liars, [i for i in wrong if i not in liars])
        run = self.recorder.run
        if not liars:
            self.recorder.finish("succeeded")
            self.recorder.link(Link("log", "Log", "", "tmp/amctl.log"))
            self.recorder.link(Link("diagram", "Diagram", "/diagrams/bird.html", "tmp/bird.html"))
        elif run.round >= run.max_rounds:
            self.recorder.finish("failed")
        else:
            self._at(self.now + 900, self._begin_round)


async def _show(run: FakeRun) -> None:
    from rich.console import Console

    from amctl.cli.views.watch import follow, view_for

    with view_for(Console(stderr=True)) as view:
        shown = asyncio.ensure_future(follow(run.recorder, view))
        await run.live()
        run.recorder.close()
        await shown


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dag", default="four", choices=("four", "seven", "thirty"))
    parser.add_argument("--end", default="ok", choices=("ok", "fail"))
    options = parser.parse_args()
    asyncio.run(_show(FakeRun(options.dag, fails=options.end == "fail")))


if __name__ == "__main__":
    main()
