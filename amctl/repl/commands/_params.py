"""Params that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.repl.command import Kind, Param
from amctl.repl.filters import Filters

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ARGS", "FILTERS", "PATTERN", "TIMEOUT", "filters_of"]

PATTERN = Param(
    "mach",
    Kind.PATTERN,
    "Machines: an id, `.` for the first one, or a pattern such as browser*,!browser3.",
    required=True,
)
TIMEOUT = Param("timeout", Kind.DURATION, "Give up after 500ms, 30s, 2m.", ("--timeout",))


def _many(name: str, kind: Kind, help: str, *flags: str) -> Param:
    return Param(name, kind, help, flags, many=True)


def _number(name: str, help: str, *flags: str) -> Param:
    return Param(name, Kind.NUMBER, help, flags, default=0)


ARGS = (
    Param("arg", Kind.ARG_NAME, "An argument: Type.field, or plain.", ("--arg",), many=True),
    Param("val", Kind.TEXT, "Value of the --arg at its place.", ("--val",), many=True),
    Param("args_json", Kind.TEXT, "Arguments as a JSON object.", ("--args-json",)),
)
"""Arguments of a mutation; `gather` makes one map of them."""

FILTERS = (
    _many("active", Kind.STATE, "Has this state, and it is active.", "-a", "--active"),
    _many("inactive", Kind.STATE, "Has this state, and it is inactive.", "-i", "--inactive"),
    _number("mtime_min", "Sum of ticks at least; 0: any.", "-t", "--mtime-min"),
    _number("mtime_max", "Sum of ticks at most; 0: any.", "-T", "--mtime-max"),
    _many("mtime_states", Kind.STATE, "Sum up these states only.", "-m", "--mtime-states"),
    Param("parent", Kind.MACHINE, "Id of its parent.", ("-P", "--parent"), default=""),
    Param("id_regexp", Kind.TEXT, "Its id fits this.", ("-r", "--id-regexp"), default=""),
    Param("id_partial", Kind.TEXT, "Its id contains this.", ("-I", "--id-partial"), default=""),
    Param("id_prefix", Kind.TEXT, "Its id begins so.", ("-p", "--id-prefix"), default=""),
    Param("id_suffix", Kind.TEXT, "Its id ends so.", ("-s", "--id-suffix"), default=""),
    _number("limit", "At most so many machines; 0: all.", "-l", "--limit"),
    _number("from", "Skip addresses before this one, from 0.", "-f", "--from"),
)
"""The filters of `list` and the group commands."""


def filters_of(values: Mapping[str, Any], *, connected_only: bool = False) -> Filters:
    """The filters among a command's values. Raises UsageError for a bad regular expression."""
    return Filters(
        active=tuple(values["active"]),
        inactive=tuple(values["inactive"]),
        mtime_min=values["mtime_min"],
        mtime_max=values["mtime_max"],
        mtime_states=tuple(values["mtime_states"]),
        parent=values["parent"],
        id_regexp=values["id_regexp"],
        id_partial=values["id_partial"],
        id_prefix=values["id_prefix"],
        id_suffix=values["id_suffix"],
        limit=values["limit"],
        from_=values["from"],
        connected_only=connected_only,
    )
