"""What a playbook would do, without doing it: its tasks, or its machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.repl.playbook.filling import enter, pattern, titled
from amctl.repl.playbook.plan import Tagged
from amctl.repl.playbook.variables import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from amctl.repl.playbook.hosts import World
    from amctl.repl.playbook.plan import Playbook, Section, Step

__all__ = ["list_machines", "list_tasks"]


def list_tasks(
    playbook: Playbook, extra: Mapping[str, Any], tagged: Tagged | None = None
) -> list[dict[str, Any]]:
    """Plays with their tasks, includes in line, those on failure left out; loops stand once.

    Raises:
        PlaybookError: A variable of a play isn't there.
    """
    return [
        {
            **_play(section, extra),
            "tasks": [
                {
                    "task": titled(step, Scope(extra)),
                    "action": step.action,
                    "place": str(step.place()),
                    "tags": sorted(step.tags),
                    "depth": depth,
                }
                for step, depth in _steps(section.steps, tagged or Tagged(), 0)
            ],
        }
        for section in playbook.sections
    ]


def list_machines(
    playbook: Playbook, world: World, extra: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Plays with the machines that they would work on now. Raises ReplError as a run does."""
    out = []
    for section in playbook.sections:
        play = _play(section, extra)
        hosts = world.select(play["pattern"])
        out.append({**play, "machines": [host.id for host in hosts]})
    return out


def _play(section: Section, extra: Mapping[str, Any]) -> dict[str, Any]:
    scope = enter(section, Scope(extra), section.play.vars)
    return {
        "play": titled(section, scope),
        "pattern": pattern(section, section.play.machines, scope),
    }


def _steps(steps: Iterable[Step], tagged: Tagged, depth: int) -> Iterator[tuple[Step, int]]:
    for step in steps:
        if tagged.takes(step):
            yield step, depth
            yield from _steps(step.inner, tagged, depth + 1)
