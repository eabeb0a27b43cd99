"""What a run knows at a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.repl.playbook.variables import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amctl.repl.playbook.hosts import Host, World
    from amctl.repl.playbook.options import Observer, RunOptions
    from amctl.repl.playbook.results import TaskResult

__all__ = ["RunState"]


class RunState:
    """Results, variables, and who is still in."""

    def __init__(self, world: World, options: RunOptions, observer: Observer) -> None:
        self.world, self.options, self.observer = world, options, observer
        self.results: list[TaskResult] = []
        self.gone: set[str] = set()
        """Machines that failed for good."""
        self.step = options.step
        self._hosts: dict[str, tuple[Host, int]] = {}
        self._own: dict[str, dict[str, Any]] = {}
        self._last: dict[str, Any] = {}

    def meet(self, host: Host) -> None:
        """A machine takes part from now on."""
        self._hosts.setdefault(host.id, (host, sum(host.clock().values())))

    def times(self) -> dict[str, tuple[int, int]]:
        """Machine -> its time when it was met, and now."""
        return {
            id: (then, sum(host.clock().values()) or then)
            for id, (host, then) in self._hosts.items()
        }

    def record(self, result: TaskResult) -> None:
        """A task ended on a machine."""
        self.results.append(result)
        self.observer.result(result)

    def register(self, machine: str, name: str, value: Any) -> None:
        """Keep a result under a name."""
        self._own.setdefault(machine, {})[name] = value
        self._last[name] = value

    def registered(self, machine: str) -> Mapping[str, Any]:
        """What a machine's tasks registered, and what others did last under other names."""
        return {**self._last, **self._own.get(machine, {})}

    def scope(self, machine: str = "") -> Scope:
        """The outermost scope of a machine, or of none."""
        built_in: dict[str, Any] = {"check": self.world.is_check}
        if machine:
            built_in["machine"] = machine
        return Scope(self.options.extra, built_in)
