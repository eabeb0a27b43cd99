"""Answers as lines of text and as plain data, in the original's words."""

from __future__ import annotations

import re
import textwrap
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from amctl.repl.operations import CANCELED, EXECUTED, QUEUED, verdict_of
from amctl.repl.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from amctl.machine import MachineView
    from amctl.repl.operations import Report
    from amctl.repl.peer import Peer

__all__ = [
    "diff_lines",
    "flags_of",
    "folded",
    "grouped",
    "inspect_lines",
    "listing",
    "peer_data",
    "reported",
    "schema_data",
    "states_text",
]


_HANGING = 4
"""Columns by which the next row of a line stands further in: more than a tree's next level."""
_COLUMN = re.compile(r" *\S+(?: \S+)* {2,}(?=\S)")
"""What stands in front of a second column."""
_NARROW = 20
"""A terminal with fewer columns folds lines better itself."""


def folded(line: str, width: int) -> list[str]:
    """A line in rows of so many columns at most, parted between words.

    What goes on stands below the line's second column, if it has one. A word that is longer stays
    whole, and so does JSON: it may be meant for copying.
    """
    if len(line) <= width or width < _NARROW or line[:1] in ("{", "["):
        return [line]
    column = _COLUMN.match(line)
    indent = len(line) - len(line.lstrip(" "))
    hanging = column.end() if column is not None else indent + _HANGING
    if hanging > width // 2:
        hanging = min(indent + _HANGING, width // 2)
    return textwrap.wrap(
        line,
        width,
        subsequent_indent=" " * hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def flags_of(peer: Peer) -> str:
    """`C` connected or `D` not; then `R` for Ready, else `S` for Start."""
    flag = "C" if peer.is_ready else "D"
    return flag + ("R" if peer.net.is_("Ready") else "S" if peer.net.is_("Start") else "")


def states_text(machine: MachineView, *, all: bool = False) -> str:
    """`(A:1 B:3)`, with `[C:0 D:2]` behind for all states."""
    return machine.string_all() if all else str(machine)


def listing(
    peers: Sequence[Peer], *, states: bool = True, states_all: bool = False
) -> tuple[str, ...]:
    """Two lines a machine: its number, id and time, then its flags and states."""
    lines = []
    for number, peer in enumerate(peers, 1):
        lines.append(f"{number}. {peer.id} t{peer.net.time_sum}")
        shown = states_text(peer.net, all=states_all) if states or states_all else ""
        lines.append(f"   {flags_of(peer)}: {shown}".rstrip(" :"))
    return tuple(lines)


def peer_data(peer: Peer) -> dict[str, Any]:
    """A machine as a row of `list --json`."""
    net = peer.net
    return {
        "id": peer.id,
        "index": peer.index,
        "key": peer.key,
        "addr": peer.addr,
        "connected": peer.is_ready,
        "flags": flags_of(peer),
        "time": net.time_sum,
        "active": _index_order(net),
        "ticks": net.clock(),
        "tags": list(peer.tags),
        "parent": peer.parent_id,
    }


def _index_order(machine: MachineView) -> list[str]:
    return [name for name in machine.names if machine.is_(name)]


def schema_data(machine: MachineView) -> dict[str, Any]:
    """State -> its tick, activity and properties."""
    schema = machine.schema
    return {
        name: {
            "tick": machine.tick(name),
            "active": machine.is_(name),
            **schema[name].to_dict(),
        }
        for name in machine.names
    }


def inspect_lines(peer: Peer, states: Sequence[str] | None = None) -> list[str]:
    """`mach://ID`, an empty line, and all there is to know of its states."""
    return [f"mach://{peer.id}", "", *peer.net.inspect(states).rstrip("\n").splitlines()]


def diff_lines(report: Report) -> list[str]:
    """What moved: `   Start 0 -> 1`."""
    changed = report.changed
    if not changed:
        return ["   no clock moved"] if report.after else []
    return [f"   {name} {old} -> {new}" for name, (old, new) in changed.items()]


def reported(
    reports: Sequence[Report],
    text: Callable[[Report], str] = lambda report: report.result,
    *,
    words: Mapping[str, str] = MappingProxyType({}),
    diff: bool = False,
) -> Outcome:
    """The answer of a command on machines: a word for one, `id: word` for each of several.

    Args:
        text: What to say of a report that is done.
        words: What to say of other results, in place of the result.
        diff: Tell also what moved.
    """
    lines: list[str] = []
    for report in reports:
        result = report.result
        word = text(report) if result == EXECUTED else words.get(result, result)
        lines.append(f"{report.machine}: {word}" if len(reports) > 1 else word)
        lines += diff_lines(report) if diff else []
    return Outcome(
        verdict_of(reports),
        tuple(lines),
        [report.as_data() for report in reports],
        problems_of(reports),
    )


def grouped(reports: Sequence[Report], *, diff: bool = False) -> Outcome:
    """The answer of a group command: how many were executed, queued, canceled."""
    counts: Mapping[str, int] = {
        word: sum(report.result == word for report in reports)
        for word in dict.fromkeys(
            (EXECUTED, QUEUED, CANCELED, *(report.result for report in reports))
        )
    }
    lines = [f"{word.capitalize()} {count}" for word, count in counts.items()]
    for report in reports if diff else ():
        lines += [f"{report.machine}: {report.result}", *diff_lines(report)]
    data = {**counts, "machines": [report.as_data() for report in reports]}
    return Outcome(verdict_of(reports), tuple(lines), data, problems_of(reports))


def problems_of(reports: Sequence[Report]) -> tuple[str, ...]:
    """One sentence for each machine that did not do it."""
    return tuple(report.problem for report in reports if report.problem)
