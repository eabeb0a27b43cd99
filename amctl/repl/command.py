"""Commands as data: one description makes the parser, the help, the completion and the schema."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from amctl.repl.outcome import Outcome
    from amctl.repl.peer import Fleet
    from amctl.repl.registry import Registry

__all__ = ["Command", "Context", "Kind", "Param"]


class Kind(Enum):
    """What a word is; decides what completes it and how it is read."""

    PATTERN = auto()
    """Machines: an id, `.`, or a pattern."""
    STATE = auto()
    """A state of the machines named before it."""
    TO_ADD = auto()
    """A state that is inactive, or multi."""
    TO_REMOVE = auto()
    """A state that is active."""
    ARG_NAME = auto()
    """`Type.field` of typed arguments, or a plain name."""
    TEXT = auto()
    NUMBER = auto()
    DURATION = auto()
    """`500ms`, `30s`, `2m`; a bare number is seconds."""
    FILE = auto()
    COMMAND = auto()
    SWITCH = auto()
    """A flag without a value: `--x`, `--no-x`."""
    TAG = auto()
    MACHINE = auto()
    """One exact id, for a parent."""


@dataclass(frozen=True, slots=True)
class Param:
    """A positional word (no `flags`), or an option."""

    name: str
    """How the value is called among the arguments, and (upper case) in usage lines."""
    kind: Kind
    help: str
    flags: tuple[str, ...] = ()
    """`("-a", "--active")`; of a switch only its positive names."""
    many: bool = False
    """May stand several times (option), or takes all words that follow (positional)."""
    required: bool = False
    """Of a positional: must be there; with `many` at least once."""
    default: Any = None
    choices: tuple[str, ...] = ()
    """Words that it may be, for completion; empty if there is no list of them."""


@dataclass(slots=True)
class Context:
    """Where a command runs."""

    fleet: Fleet
    say: Callable[[str], None] = lambda _: None
    """Progress, for people; never data."""
    cwd: Path | None = None
    """Where a script's own file names start from; None is the process's."""
    depth: int = 0
    """How many scripts run in one another, standard input included."""
    extra: dict[str, Any] = field(default_factory=dict)
    """What the host offers (the shell its `exit`), by name."""
    registry: Registry | None = None
    """The commands that this one is among; filled when it runs."""
    show: Callable[[Outcome], object] | None = None
    """Takes the answer of each line of a script at once; None: all together at its end."""
    scripts: tuple[Path, ...] = ()
    """The scripts that run, outermost first."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the REPL, of `amctl mach`, of scripts."""

    name: str
    group: str
    """`mutating`, `waiting`, `checking` or `repl`."""
    summary: str
    """One line: what it does."""
    run: Callable[[Context, Mapping[str, Any]], Awaitable[Outcome]]
    """Gets a value for every param: the parsed one, or the default. Cancelling it is safe.

    Raises:
        ReplError: With its verdict; nothing else but bugs.
    """
    params: tuple[Param, ...] = ()
    example: str = ""
    """One line that works, without the prompt."""
    interactive: bool = False
    """Of use at a prompt only."""
    offline: bool = False
    """Needs no machine: `context.fleet` isn't looked at."""
