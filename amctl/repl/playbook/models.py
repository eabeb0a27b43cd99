"""What a playbook may say: plays, and their tasks. The JSON Schema is made of these very classes.

Words in a text may come from variables, so most values may also be `"{{ name }}"`; what comes of
it is checked against the same classes again before anything runs.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType, field

from amctl.repl.parsing import parse_duration

__all__ = [
    "ACTIONS",
    "IN_WORDS",
    "MUTATIONS",
    "Assert",
    "Pause",
    "Play",
    "Task",
    "actions_of",
    "seconds",
    "states_of",
    "value_of",
]

DURATION = r"^\s*(\d+(\.\d+)?(ms|s|m|h)?|.*\{\{.+\}\}.*)\s*$"
TICK = r"^\s*((==|!=|>=|<=|>|<)?\s*\d+|.*\{\{.+\}\}.*)\s*$"
LATER = r"^\s*(\+?\d+|.*\{\{.+\}\}.*)\s*$"
SHARE = r"^\s*((100|[1-9]?\d)%|.*\{\{.+\}\}.*)\s*$"
VARIABLE = r"^\s*\{\{.*\}\}\s*$"
LISTED = r"^\s*\{\{.+\}\}\s*$"

IN_WORDS = {
    DURATION: "a duration such as 500ms, 30s, 2m",
    TICK: 'a number, or a comparison such as ">= 3"',
    LATER: 'a tick, or "+1" for the next one',
    SHARE: 'a number of machines, or a share such as "50%"',
    VARIABLE: 'a number, or a variable such as "{{ name }}"',
    LISTED: 'a list, a number, or a variable such as "{{ name }}"',
}
"""Pattern -> what it lets through, for errors."""

Name = Annotated[str, Meta(min_length=1)]
Variable = Annotated[str, Meta(pattern=VARIABLE)]
States = Name | Annotated[list[Name], Meta(min_length=1)]
Duration = (
    Annotated[int, Meta(ge=0)]
    | Annotated[float, Meta(ge=0)]
    | Annotated[str, Meta(pattern=DURATION)]
)
Count = Annotated[int, Meta(ge=0)] | Variable
Condition = bool | Name
Tags = Name | list[Name]


def says(text: str) -> Meta:
    """What an editor shows for a field."""
    return Meta(description=text)


class Assert(Struct, frozen=True, forbid_unknown_fields=True):
    """What has to be true now."""

    active: Annotated[States, says("These are active.")] | UnsetType = UNSET
    inactive: Annotated[States, says("These are not.")] | UnsetType = UNSET
    ticks: (
        Annotated[
            dict[Name, Annotated[int, Meta(ge=0)] | Annotated[str, Meta(pattern=TICK)]],
            says('Ticks by state: a number, or a comparison such as ">= 3".'),
        ]
        | UnsetType
    ) = UNSET


class Pause(Struct, frozen=True, forbid_unknown_fields=True):
    """A pause that a person ends."""

    prompt: Annotated[str, Meta(min_length=1), says("What to ask.")]


class Task(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One step: one action, and how it is done."""

    name: Annotated[str, says("What to call it; default: its action.")] | UnsetType = UNSET

    add: Annotated[States, says("Activate states.")] | UnsetType = UNSET
    remove: Annotated[States, says("Deactivate states.")] | UnsetType = UNSET
    set: Annotated[States, says("Activate these states, deactivate all others.")] | UnsetType = (
        UNSET
    )
    toggle: (
        Annotated[States, says("Remove the states if all are active, else add them.")] | UnsetType
    ) = UNSET
    when: Annotated[States, says("Wait until all are active at once.")] | UnsetType = UNSET
    when_not: Annotated[States, says("Wait until all are inactive at once.")] | UnsetType = UNSET
    when_time: (
        Annotated[
            dict[Name, Annotated[int, Meta(ge=0)] | Annotated[str, Meta(pattern=LATER)]],
            says('Wait for ticks by state: a number, or "+2" for so many more.'),
        ]
        | UnsetType
    ) = UNSET
    assert_: Annotated[Assert, says("What has to be true now.")] | UnsetType = field(
        name="assert", default=UNSET
    )
    pause: (
        Annotated[Duration | Pause, says("Wait so long, or until a person goes on.")] | UnsetType
    ) = UNSET
    include: (
        Annotated[Name, says("A file with a list of tasks, relative to this one.")] | UnsetType
    ) = UNSET
    run: Annotated[Name, says("A command line of the REPL.")] | UnsetType = UNSET

    machines: (
        Annotated[States, says("A pattern of machines, in place of the play's.")] | UnsetType
    ) = UNSET
    args: (
        Annotated[
            dict[Name, Any],
            says("Arguments of a mutation: `Type.field` for typed ones, or plain names."),
        ]
        | UnsetType
    ) = UNSET
    timeout: Annotated[Duration, says("How long one attempt may take.")] | UnsetType = UNSET
    retries: Annotated[Count, says("Further attempts; 3 with `until`.")] | UnsetType = UNSET
    delay: Annotated[Duration, says("Between attempts; 1s.")] | UnsetType = UNSET
    until: Annotated[Condition, says("Try again until this is true.")] | UnsetType = UNSET
    if_: Annotated[Condition, says("Skip the task unless this is true.")] | UnsetType = field(
        name="if", default=UNSET
    )
    register: (
        Annotated[
            str,
            Meta(pattern=r"^[A-Za-z_]\w*$"),
            says("The variable that gets the outcome: result, status, changed, reason ..."),
        ]
        | UnsetType
    ) = UNSET
    tags: Annotated[Tags, says("For --tags and --skip-tags.")] | UnsetType = UNSET
    ignore_errors: Annotated[bool, says("Go on with the machine if it fails.")] = False
    on_failure: (
        Annotated[list[Task], says("What to do with a machine on which this fails.")] | UnsetType
    ) = UNSET
    vars: Annotated[dict[str, Any], says("Variables of this task.")] | UnsetType = UNSET
    loop: (
        Annotated[
            list[Any] | Annotated[int, Meta(ge=0)] | Annotated[str, Meta(pattern=LISTED)],
            says("Once for each, as `item`; a number N means 1 to N."),
        ]
        | UnsetType
    ) = UNSET


class Play(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Machines, and what is done with them."""

    name: Annotated[str, says("What to call it.")] = ""
    machines: Annotated[
        States, says("A pattern: ids with globs, tag:X, parent:ID, state:Ready, `all`, `.`, !not.")
    ]
    tasks: Annotated[list[Task], Meta(min_length=1), says("In order.")]
    vars: Annotated[dict[str, Any], says("Variables.")] | UnsetType = UNSET
    tags: Annotated[Tags, says("Of all its tasks.")] | UnsetType = UNSET
    serial: (
        Annotated[
            Annotated[int, Meta(ge=1)] | Annotated[str, Meta(pattern=SHARE)],
            says("So many machines at a time: a number, or a share of them."),
        ]
        | UnsetType
    ) = UNSET
    any_errors_fatal: Annotated[bool, says("End everything when one machine fails.")] = False
    on_failure: (
        Annotated[list[Task], says("What to do with a machine on which a task failed.")] | UnsetType
    ) = UNSET


MUTATIONS = ("add", "remove", "set", "toggle")
ACTIONS = (*MUTATIONS, "when", "when_not", "when_time", "assert", "pause", "include", "run")


def value_of(task: Task, field: str) -> Any:
    """What a task says to a field, called as in the file; UNSET if nothing."""
    return getattr(task, f"{field}_" if field in ("assert", "if") else field)


def actions_of(task: Task) -> list[str]:
    """The actions that a task names; a good one names one."""
    return [action for action in ACTIONS if value_of(task, action) is not UNSET]


def states_of(value: Any) -> tuple[str, ...]:
    """One name or a list of names, or none, as a tuple."""
    if value is UNSET:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def seconds(value: Any) -> float | None:
    """A checked duration in seconds; a bare number is seconds. None if it isn't set."""
    if value is UNSET:
        return None
    return float(value) if isinstance(value, int | float) else parse_duration(value)
