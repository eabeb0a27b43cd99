"""Where the nodes of a storm run: in this process, or in a page of a real Chromium."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol
from unittest import mock

from nodes.local import LocalRunner
from nodes.states import WorkerStates
from nodes.worker import WorkerHandlers
from tests.chaos.page import WEB, build_page, page_routes
from tests.support.browser_threads import chromium

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from starlette.routing import Route

    from amctl.rpc.transports.base import RelayDial
    from nodes.jobs import Job
    from nodes.run import Workflow

__all__ = ["InChromium", "InProcess", "Place", "in_chromium", "in_process"]


class Place(Protocol):
    """Nodes, and what can be told of them from outside."""

    static: tuple[Path, ...]
    restarts: tuple[str, ...]
    """What may be restarted here: relay, orchestrator, tab."""
    jobs: int
    """Jobs that were begun, as far as it can be seen."""

    @property
    def connections(self) -> int:
        """Of the nodes, as far as they can be seen."""

    def routes(self, workflow: Workflow) -> list[Route]:
        """What the relay has to serve for them."""

    async def start(self, workflow: Workflow, dial: RelayDial, page_url: str) -> None:
        """Bring them up below this orchestrator."""

    async def before_another(self) -> None:
        """The orchestrator is about to be killed."""

    async def after_another(self) -> None:
        """Another one serves; wait until nothing is in the way of the next misdeed."""

    async def restart_tab(self) -> None:
        """Close it, and open it again."""

    def forget(self) -> None:
        """Jobs are numbered from 1 again. Raises AssertionError for one that began twice."""

    async def check(self, workflow: Workflow) -> None:
        """Raise AssertionError if a mirror is wrong or a job began twice."""

    async def stop(self) -> None:
        """End them."""


class InProcess:
    """All nodes in this loop. Made by `in_process`."""

    static: tuple[Path, ...] = ()
    restarts = ("relay", "orchestrator")

    def __init__(self) -> None:
        self.begun: list[Job] = []
        self.jobs = 0
        self._runner: LocalRunner | None = None

    @property
    def connections(self) -> int:
        """Of the nodes' servers."""
        nodes = self._runner.nodes.values() if self._runner is not None else ()
        return sum(node.server.traffic.connections for node in nodes)

    def routes(self, workflow: Workflow) -> list[Route]:
        """There is no page."""
        return []

    async def start(self, workflow: Workflow, dial: RelayDial, page_url: str) -> None:
        """Start them; they dial for as long as it takes."""
        self._runner = LocalRunner(workflow.dag, workflow._plans, dial)
        await self._runner.start()

    async def before_another(self) -> None:
        """They need nothing."""

    async def after_another(self) -> None:
        """They come by themselves."""

    async def restart_tab(self) -> None:
        """There is none."""

    def forget(self) -> None:
        """Look at what was begun, and begin another list."""
        self.jobs += len(self.begun)
        twice = [job for job, times in Counter(self.begun).items() if times > 1]
        assert not twice, f"begun twice: {twice}"
        self.begun.clear()

    async def check(self, workflow: Workflow) -> None:
        """Mirrors show their machines, each job began once."""
        assert self._runner is not None
        self.forget()
        for id, link in workflow.orchestrator.links.items():
            net, machine = link.client.net, self._runner.nodes[id].machine
            while net.time() != machine.time():  # the last clock is under way
                await net.sync()
            assert sorted(net.active) == sorted(machine.active), id
            assert link.client._core.resynced == 0, id

    async def stop(self) -> None:
        """Dispose of them."""
        if self._runner is not None:
            await self._runner.stop()


@contextlib.asynccontextmanager
async def in_process() -> AsyncIterator[InProcess]:
    """A place, with each job noted that a node begins."""
    place, work = InProcess(), WorkerHandlers._work

    async def noted(self: WorkerHandlers, e: Any, job: Job, draw: int) -> None:
        place.begun.append(job)
        await work(self, e, job, draw)

    with mock.patch.object(WorkerHandlers, "_work", noted):
        yield place


class InChromium:
    """All nodes in a page. Made by `in_chromium`."""

    static = (WEB,)
    restarts = ("relay", "orchestrator", "tab")

    def __init__(self, context: Any) -> None:
        self.jobs = 0
        self.connections = 0
        self._context, self._page, self._url = context, None, ""
        self._given: Counter[str] = Counter()

    def routes(self, workflow: Workflow) -> list[Route]:
        """The page's; the orchestrator's accounts are watched from here on."""
        book, given = workflow.orchestrator.book, self._given
        give: Callable[..., Job | None] = book.give

        def counted(node: str, *, again: bool = False) -> Job | None:
            job = give(node, again=again)
            given[node] += job is not None
            return job

        book.give = counted  # type: ignore[method-assign]
        return page_routes(workflow)

    async def start(self, workflow: Workflow, dial: RelayDial, page_url: str) -> None:
        """Open the page and wait until all threads run."""
        self._url = page_url
        await self._open()

    async def _open(self) -> None:
        self._page = await self._context.new_page()
        self._page.set_default_timeout(_PATIENCE_MS)
        await self._page.goto(self._url)
        await self._page.evaluate("amctl.ready")

    async def before_another(self) -> None:
        """Have the page known again as long as it has not reloaded itself."""
        assert self._page is not None
        await self._page.evaluate(f"() => {{ globalThis.{_SEEN} = true }}")

    async def after_another(self) -> None:
        """The page hears that there is another run, and reloads itself."""
        assert self._page is not None
        await self._page.wait_for_function(f"globalThis.amctl && !globalThis.{_SEEN}")
        await self._page.evaluate("amctl.ready")

    async def restart_tab(self) -> None:
        """Close it, and open another one: its threads are new, and so is its name."""
        assert self._page is not None
        await self._page.close()
        await self._open()

    def forget(self) -> None:
        """A thread lives on, and so do its ticks."""

    async def check(self, workflow: Workflow) -> None:
        """No node began more jobs than it was given."""
        self.jobs = self._given.total()
        for id, link in workflow.orchestrator.links.items():
            net = link.client.net
            self.connections += link.client.traffic.connections
            await net.sync()
            assert link.client._core.resynced == 0, id
            begun = sum((net.tick(state) + 1) // 2 for state in _BEGUN)
            assert begun <= self._given[id], f"{id} began {begun} jobs, given {self._given[id]}"

    async def stop(self) -> None:
        """Close the page."""
        if self._page is not None:
            await self._page.close()


_PATIENCE_MS = 400_000
"""For four runtimes that load twice, on a machine that is very busy."""
_SEEN = "seenByTheStorm"
_BEGUN = (WorkerStates.Working, WorkerStates.Retrying)


@contextlib.asynccontextmanager
async def in_chromium() -> AsyncIterator[InChromium]:
    """A place in a browser of its own."""
    build_page()
    async with chromium() as browser:
        yield InChromium(await browser.new_context())
