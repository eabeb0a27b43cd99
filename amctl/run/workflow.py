"""What a nodes package offers, and how one is loaded by the name in the settings.

Nothing in amctl knows the workflow: the package has a function `workflow(...)` that returns an
object with the members of `Workflow`, and that is all `start` uses.
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from amctl.run.errors import WorkflowLoadError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from amctl.machine import MachineView
    from amctl.relay.matcher import Matcher
    from amctl.rpc.transports.base import Connection, RelayDial
    from amctl.run.settings import Settings
    from amctl.telemetry.recorder import Recorder

__all__ = ["LocalRunner", "Outcome", "RelayInfo", "Workflow", "load_workflow"]


@dataclass(frozen=True, slots=True)
class RelayInfo:
    """Where this run's relay is, for those who dial it."""

    url: str
    """`http://host:port`, with the real port."""
    token: str
    repl_dir: Path


class Outcome(Protocol):
    """How the work ended."""

    @property
    def ok(self) -> bool:
        """Whether the results are what they must be."""

    @property
    def rounds(self) -> int:
        """Rounds that ran to their end."""

    @property
    def interrupted(self) -> int:
        """Rounds that didn't, because a node got lost; they are in none of the other figures."""

    @property
    def executions(self) -> int: ...

    @property
    def results(self) -> Mapping[str, str]:
        """Node id -> hex digest, of every node of the last round that has one."""

    @property
    def wrong(self) -> Mapping[str, Sequence[str]]:
        """Whose results were wrong in the last round, by what was wrong with them."""


class LocalRunner(Protocol):
    """All nodes in this process, for `--nodes local`."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class Workflow(Protocol):
    """One run of a workflow: the orchestrator's side, and the plan for the nodes' side."""

    @property
    def machine(self) -> MachineView:
        """The orchestrator's machine; the relay's becomes its child."""

    @property
    def name(self) -> str:
        """The relay is called after it."""

    @property
    def node_ids(self) -> Sequence[str]: ...

    @property
    def recorder(self) -> Recorder: ...

    @property
    def matchers(self) -> Sequence[Matcher]:
        """Take the nodes' connections in the relay."""

    def boot_plan(self) -> dict[str, Any]:
        """Plain JSON for the page: which threads to start with which plan."""

    def record_to(
        self,
        dial: Callable[[], Awaitable[Connection]],
        token: str,
        settle: Callable[[], Awaitable[object]],
    ) -> None:
        """Called before `start` if the run is recorded: stream to the collector.

        Args:
            dial: Connects to it; raises OSError while it isn't there.
            token: What it wants to hear first. Nodes reach it through the relay's `/dbg`.
            settle: Waits until no node is connected to it any more.
        """

    @property
    def unrecorded(self) -> int:
        """After `stop`: messages of this process that no collector took any more."""

    def trace_to(
        self,
        post: Callable[[str], Awaitable[None]],
        options: Mapping[str, Any],
        ended: Callable[[Sequence[str]], Awaitable[None]],
    ) -> str:
        """Called before `start` if the run is traced: make spans of all machines.

        Args:
            post: Takes an OTLP JSON request of this process, as text. Raises OSError if it can't
                now, ValueError if never. Browser threads post to the relay's `/v1/traces`.
            options: What is traced: fields of OtelOptions, plain JSON.
            ended: Waits until services have said their last word (`am.last`).

        Returns:
            The id of the run's trace.
        """

    @property
    def untraced(self) -> int:
        """After `stop`: spans of this process that were lost."""

    async def start(self, relay: RelayInfo) -> None:
        """Start the orchestrator; the relay serves already."""

    @property
    def outcome(self) -> Outcome | None:
        """How the work ended the last time; None if it never did."""

    async def finished(self) -> Outcome:
        """Wait for the end of the work. Called again, it waits for the next end."""

    def start_work(self) -> None:
        """Ask for a new round."""

    async def stop(self, grace: float = 2.0) -> None:
        """Dispose all workers, then the orchestrator; within `grace` seconds, whatever happens."""

    def local(self, dial: RelayDial) -> LocalRunner:
        """The nodes in this process; `dial` takes a path of the relay."""


def load_workflow(settings: Settings, *, token: str) -> Workflow:
    """Make the workflow that the settings name.

    Args:
        settings: NODES_PACKAGE says which package, WORKFLOW which DAG.
        token: The run's secret.

    Raises:
        WorkflowLoadError: If there is no such package, it isn't one of nodes, or its DAG is bad.
    """
    name = settings["NODES_PACKAGE"]
    home = str(settings.home)
    if home not in sys.path:
        # A project's own nodes stand in its folder; installed packages go first.
        sys.path.append(home)
    try:
        package = importlib.import_module(name)
    except ModuleNotFoundError as err:
        is_other = err.name is None or not f"{name}.".startswith(f"{err.name}.")
        problem = f"it needs what isn't here, {err}" if is_other else "there is no such package"
        raise WorkflowLoadError(f"NODES_PACKAGE {name!r}", problem) from err
    except Exception as err:
        problem = f"importing it failed, {type(err).__name__}: {err}"
        raise WorkflowLoadError(f"NODES_PACKAGE {name!r}", problem) from err
    make = getattr(package, "workflow", None)
    if make is None:
        raise WorkflowLoadError(f"NODES_PACKAGE {name!r}", "it has no function workflow()")
    try:
        return cast("Workflow", make(settings, home=settings.home, token=token))
    except (ValueError, LookupError, OSError) as err:
        dag, problem = settings["WORKFLOW"], str(err)
        what = "WORKFLOW" if dag in problem else f"WORKFLOW {dag!r}"
        raise WorkflowLoadError(what, problem) from err
