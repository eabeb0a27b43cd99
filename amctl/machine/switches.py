"""What is logged of a machine, as environment variables say it (SEM-1, SEM-5, HLP-3)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from amctl.machine.args import loggable
from amctl.machine.lines import LineWriter
from amctl.machine.steps import StepRecorder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from amctl.machine.machine import Machine

__all__ = ["Switches", "listen", "log_level"]

_YES = ("1", "true", "yes", "on")
_NAMES = {"can": "CHECKS"}


@dataclass(frozen=True, slots=True)
class Switches:
    """What is recorded besides lines. All is off unless it is asked for."""

    steps: bool = False
    """Which handlers ran, for the steps of transitions."""
    graph: bool = False
    """For tools: whatever a diagram of the machine needs."""
    can: bool = False
    """Questions (Can*) as well."""
    queued: bool = False
    """For tools: mutations when they are queued, not just when they ran."""
    args: bool = False
    """Arguments, in lines."""
    when: bool = False
    """Reserved: of no effect, as in the original."""
    state_ctx: bool = False
    """Reserved: of no effect, as in the original."""

    @classmethod
    def full(cls) -> Switches:
        """Everything that has an effect."""
        return cls(steps=True, graph=True, can=True, queued=True, args=True)

    @classmethod
    def from_env(cls, env: Mapping[str, str], *, full: bool = False) -> Switches:
        """By AM_LOG_STEPS, _GRAPH, _CHECKS, _QUEUED and _ARGS; AM_LOG_FULL is all of them.

        Args:
            env: The environment, or settings of the same names.
            full: As if AM_LOG_FULL was set.
        """
        if full or _is_set(env, "AM_LOG_FULL"):
            return cls.full()
        names = [f.name for f in fields(cls) if f.name not in ("when", "state_ctx")]
        keys = {name: f"AM_LOG_{_NAMES.get(name, name.upper())}" for name in names}
        return cls(**{name: _is_set(env, key) for name, key in keys.items()})


def log_level(env: Mapping[str, str]) -> int:
    """AM_LOG, 0 to 5; 0 when it isn't set.

    Raises:
        ValueError: It is something else.
    """
    text = env.get("AM_LOG", "").strip() or "0"
    if text not in {"0", "1", "2", "3", "4", "5"}:
        raise ValueError(f"AM_LOG={text!r} isn't a level from 0 to 5")
    return int(text)


def listen(
    machine: Machine, env: Mapping[str, str], print_line: Callable[[str], object] | None = None
) -> LineWriter | None:
    """Have a machine's log written as the environment says; to be called once, after its making.

    Args:
        machine: A local one.
        env: AM_LOG, AM_LOG_PRINT and the switches.
        print_line: Gets each line if AM_LOG_PRINT is set; `print`, say.

    Returns:
        The writer, or None at level 0 with no switch on: then nothing listens.
    """
    level, switches = log_level(env), Switches.from_env(env)
    if switches.steps:
        recorder = StepRecorder()
        recorder.id = "steps"
        machine.bind_tracer(recorder)
    if not level:
        return None
    prints = print_line is not None and _is_set(env, "AM_LOG_PRINT")

    def sink(_: int, text: str) -> None:
        assert print_line is not None
        print_line(text)

    writer = LineWriter(
        level,
        args_of=loggable if switches.args else _nothing,
        checks=switches.can,
        sink=sink if prints else None,
    )
    machine.bind_tracer(writer)
    writer.follow(machine)
    return writer


def _nothing(args: Mapping[str, Any]) -> Mapping[str, str]:
    return {}


def _is_set(env: Mapping[str, str], key: str) -> bool:
    return env.get(key, "").strip().lower() in _YES
