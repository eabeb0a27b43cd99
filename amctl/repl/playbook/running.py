"""Runs a playbook: its plays in order, each on its machines.

A machine on which a task fails gets no more tasks, in this play and those after it; before that,
the task's `on_failure` runs for it, and then the play's. How a play's tasks follow one another
stands in `_flow`, what a task does in `_doing`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from amctl.machine import TaskSet
from amctl.repl.errors import ReplError
from amctl.repl.playbook._flow import FatalError, Flow
from amctl.repl.playbook._state import RunState
from amctl.repl.playbook.errors import NothingLeftError
from amctl.repl.playbook.filling import enter, pattern, share, titled
from amctl.repl.playbook.options import RunOptions, Silent
from amctl.repl.playbook.results import PlayReport, recap

if TYPE_CHECKING:
    from amctl.repl.playbook.hosts import World
    from amctl.repl.playbook.options import Observer
    from amctl.repl.playbook.plan import Playbook, Section

__all__ = ["Runner"]


class Runner:
    """One run.

    Args:
        playbook: Whose variables and states were checked.
        world: Live machines, or copies.
        options: How.
        observer: Is told what happens.
    """

    def __init__(
        self,
        playbook: Playbook,
        world: World,
        options: RunOptions | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._playbook, self._world = playbook, world
        self._options = options or RunOptions()
        self._state = RunState(world, self._options, observer or Silent())
        self._work: asyncio.Task[None] | None = None
        self._interrupted = False
        self._error: ReplError | None = None

    async def run(self) -> PlayReport:
        """Run it to its end, or until it is interrupted.

        Cancelling it ends everything, too, but then there is no report.
        """
        began = self._options.now()
        tasks = TaskSet("playbook")
        self._work = tasks.spawn(self._all(), name="playbook")
        if self._interrupted:
            self._work.cancel()
        try:
            await self._work
        except asyncio.CancelledError:
            if not self._interrupted:
                raise
        finally:
            await tasks.close()
        return PlayReport(
            tuple(self._state.results),
            recap(self._state.results, self._state.times()),
            self._options.now() - began,
            self._world.is_check,
            self._interrupted,
            self._error,
        )

    def interrupt(self) -> None:
        """End the run: waits are given up, what was sent stays sent, and `run` returns."""
        self._interrupted = True
        if self._work is not None:
            self._work.cancel()

    async def _all(self) -> None:
        matched = False
        try:
            for section in self._playbook.sections:
                matched |= await self._section(section)
            if not matched and not self._state.gone:
                raise NothingLeftError(
                    f"the limit {self._world.limit!r} leaves no machine to any play",
                    "amctl play --list-machines FILE tells the machines of each",
                )
        except FatalError:
            pass
        except ReplError as error:
            self._error = error

    async def _section(self, section: Section) -> bool:
        """Run a play; whether there was a machine for it."""
        state = self._state
        scope = enter(section, state.scope(), section.play.vars)
        wanted = pattern(section, section.play.machines, scope)
        hosts = [host for host in self._world.select(wanted) if host.id not in state.gone]
        title = titled(section, scope)
        if not hosts:
            state.observer.play(title, ())
            return False
        size = share(section, scope, len(hosts))
        for at in range(0, len(hosts), size):
            batch = hosts[at : at + size]
            for host in batch:
                state.meet(host)
            state.observer.play(title, [host.id for host in batch])
            await Flow(state, section, batch, title).run()
            if all(host.id in state.gone for host in batch):
                break
        return True
