"""Playbooks on machines of the same process: all is real but the wire."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from amctl.machine import Machine
from amctl.repl.playbook.checking import check_machines, check_variables
from amctl.repl.playbook.live import LiveWorld
from amctl.repl.playbook.loading import load
from amctl.repl.playbook.options import RunOptions
from amctl.repl.playbook.running import Runner
from amctl.repl.playbook.simulating import simulated
from amctl.rpc.answers import About
from tests.support.fake_fleet import FakeFleet, FakePeer, Worker, context

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amctl.repl.playbook.hosts import World
    from amctl.repl.playbook.plan import Playbook
    from amctl.repl.playbook.results import PlayReport, TaskResult

__all__ = ["Noted", "StagedMachine", "StagedPeer", "peer_of", "play", "problems", "stage", "write"]


class StagedMachine(Machine):
    """Its own mirror, which is always up to date."""

    async def sync(self) -> None:
        """Nothing is under way."""


class StagedPeer(FakePeer):
    """Tells all that a machine tells."""

    async def about(self, *, fresh: bool = False) -> About:
        """As a peer reads it."""
        return msgspec.convert(await self.ask("about"), About)


def peer_of(machine: Machine, index: int = 0) -> StagedPeer:
    """A machine in reach."""
    return StagedPeer(machine, index)


def stage(*ids: str, states: Any = Worker, handlers: object | None = None) -> FakeFleet:
    """A fleet of machines with these ids; without handlers, unless there are some for all."""
    machines = [StagedMachine(id, states, handlers=handlers) for id in ids or ("w0", "w1", "w2")]
    return FakeFleet([peer_of(machine, at) for at, machine in enumerate(machines)])


def write(folder: Path, text: str, name: str = "book.yml") -> Path:
    """A file of a playbook."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


class Noted:
    """An observer that notes what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def play(self, title: str, machines: Any) -> None:
        self.lines.append(f"play {title}: {' '.join(machines)}")

    def task(self, title: str, machines: Any) -> None:
        self.lines.append(f"task {title}: {' '.join(machines)}")

    def result(self, result: TaskResult) -> None:
        self.lines.append(f"{result.status} {result.task} {result.machine}")


async def prepared(
    fleet: FakeFleet,
    path: Path,
    extra: Mapping[str, Any],
    options: RunOptions,
    *,
    check: bool,
    limit: str,
) -> tuple[Playbook, World]:
    """As the command prepares a run."""
    book = load([path])
    check_variables(book, extra, options.tagged)
    world: World = await simulated(fleet, limit) if check else LiveWorld(context(fleet), limit)
    await check_machines(book, world, extra, options.tagged)
    return book, world


async def play(
    fleet: FakeFleet,
    path: Path,
    *,
    check: bool = False,
    limit: str = "",
    options: RunOptions | None = None,
    observer: Any = None,
) -> PlayReport:
    """Check and run a playbook."""
    options = options or RunOptions()
    book, world = await prepared(fleet, path, options.extra, options, check=check, limit=limit)
    return await Runner(book, world, options, observer).run()


def problems(error: Any) -> list[str]:
    """What a PlaybookError says, without folders."""
    return [
        f"{Path(one.place.file).name}:{one.place.line}:{one.place.column}: {one.text}"
        for one in error.problems
    ]
