"""Recordings in a terminal: their machines, their transitions, and where two of them part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.text import Text

from amctl.cli.views.words import INK
from amctl.dump.following import flags_text, outcome, plain, reason_text, state_name, step_line
from amctl.dump.summary import seconds_text, time_text
from amctl.telemetry.messages import args_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from amctl.cli.options import GlobalOptions
    from amctl.dump.diff import Divergence, DumpDiff, Event, MachineDiff
    from amctl.dump.following import Entry
    from amctl.dump.listing import Listing, Row
    from amctl.machine.lines import LogLine

__all__ = [
    "EntryStyle",
    "diff_lines",
    "entry_detail",
    "entry_lines",
    "listing_lines",
    "show_lines",
]

_MUTED: Final = INK["muted"]
_NAMES: Final = 30
"""The widest column of names."""
_IDS: Final = 16
"""Digits of an id where it is shown shortened: all of ours, half of the original's. The first half
of ours is the same in a whole run."""


def show_lines(lines: Iterable[Text], options: GlobalOptions, *, wrap: bool = False) -> None:
    """Print lines: cut to the width of a terminal, or wrapped; whole where it is none."""
    console = options.stdout()
    for line in lines:
        if not console.is_terminal:
            print(line.plain.rstrip())
        elif wrap:
            console.print(line, soft_wrap=False)
        else:
            line.truncate(console.width, overflow="ellipsis")
            console.print(line, no_wrap=True, overflow="ellipsis", crop=True)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


# -- machines


def listing_lines(listing: Listing, *, whole: bool = False) -> Iterator[Text]:
    """A recording's machines, children below their parents.

    Args:
        listing: What is there.
        whole: However long their names are.
    """
    yield Text(plain(listing.name), "bold")
    yield _title(listing)
    if listing.gaps:
        lost = (
            _counted(listing.lost, "message") if listing.lost else "an unknown number of messages"
        )
        yield Text(f"{lost} known to be missing", INK["error"])
    if not listing.rows:
        return
    rows = [*_tree(listing.rows)]
    width = max(7, *(2 * depth + len(plain(row.id)) for depth, row in rows))
    width = width if whole else min(_NAMES, width)
    yield Text()
    head = f"{'machine':<{width}} {'states':>6} {'txs':>7} {'from':>8} {'to':>8}  active at the end"
    yield Text(head, _MUTED)
    for depth, row in rows:
        yield _machine(row, "  " * depth, width, listing.first_ns)


def _title(listing: Listing) -> Text:
    line = Text(f"{_counted(len(listing.rows), 'machine')}, ")
    line.append(_counted(listing.transitions, "transition"))
    if listing.first_ns:
        lasted = (listing.last_ns - listing.first_ns) / 1e9
        line.append(f" in {lasted:.1f} s from {time_text(listing.first_ns)}")
    return line


def _tree(rows: Sequence[Row]) -> Iterator[tuple[int, Row]]:
    """Depth first; whoever belongs to nobody here stands at the top."""
    known = dict.fromkeys(row.id for row in rows)
    children: dict[str, list[Row]] = {}
    for row in rows:
        parent = row.schema.parent
        children.setdefault(parent if parent in known and parent != row.id else "", []).append(row)
    seen: set[str] = set()
    for start in ["", *known]:  # parents may go round in a circle
        stack = [(0, row) for row in reversed(children.get(start, []))]
        while stack:
            depth, row = stack.pop()
            if row.id in seen:
                continue
            seen.add(row.id)
            yield depth, row
            stack += [(depth + 1, child) for child in reversed(children.get(row.id, []))]


def _machine(row: Row, indent: str, width: int, began_ns: int) -> Text:
    name = Text(indent + plain(row.id))
    name.truncate(width, overflow="ellipsis", pad=True)
    first, last = (
        f"{(at - began_ns) / 1e9:.3f}" if at else "-" for at in (row.first_ns, row.last_ns)
    )
    counts = f" {len(row.schema.names):>6} {row.transitions:>7} {first:>8} {last:>8}  "
    line = name.append(counts)
    if row.gone_ns:
        line.append("gone  ", _MUTED)
    active = sorted(row.active, key=lambda state: not _is_error(state))
    for number, state in enumerate(active):
        line.append(", " if number else "")
        line.append(plain(state), INK["error"] if _is_error(state) else "")
    return line


def _is_error(state: str) -> bool:
    return state.startswith("Err") or state == "Exception"


# -- transitions


@dataclass(frozen=True, slots=True)
class EntryStyle:
    """How transitions are listed."""

    began_ns: int = 0
    """What their times count from."""
    whole_ids: bool = True
    machines: int = 14
    """Width of the column of machines; 0: none, as there is only one."""
    steps: bool = False
    logs: bool = False


def entry_lines(entry: Entry, style: EntryStyle) -> Iterator[Text]:
    """One transition as a line, and lines of its steps and its log below it."""
    tx = entry.tx
    at = seconds_text(tx.time_ns - style.began_ns) if tx.time_ns else "-"
    line = Text.assemble((f"{at:>11}  ", _MUTED), (_id(tx.id, whole=style.whole_ids), _MUTED), "  ")
    if style.machines:
        line.append(f"{plain(tx.machine_id):<{style.machines}}  ")
    flags = flags_text(tx)
    if flags:
        line.append(f"{flags} ", INK["remove"] if not tx.accepted else _MUTED)
    line.append(plain(entry.mutation))
    if tx.is_queued:
        line.stylize(_MUTED)
    line.append(plain(args_text(tx.args)), _MUTED)
    changes = _changes(entry)
    if changes:
        line.append("  -> ", _MUTED).append_text(changes)
    yield line
    if style.logs:
        yield from _log(tx.pre_logs, "before: ")
    if style.steps:
        yield from (Text(f"{'':>13}{text}", _MUTED) for text in _steps(entry))
    if style.logs:
        yield from _log(tx.logs)


def _id(id: str, *, whole: bool) -> str:
    if whole:
        return plain(id)
    base, dash, nth = id.rpartition("-")
    if not (dash and nth.isdigit()):
        base, nth = id, ""
    return plain(base[:_IDS] + dash * bool(nth) + nth).ljust(_IDS + 2)


def _changes(entry: Entry) -> Text:
    line = Text()
    added, removed, ticked = entry.changes
    for sign, states, ink in (
        ("+", added, INK["start"]),
        ("-", removed, INK["remove"]),
        ("*", ticked, INK["active"]),
    ):
        for index in states:
            name = state_name(index, entry.names)
            is_bad = sign != "-" and _is_error(name)
            line.append(f"{sign}{plain(name)} ", INK["error"] if is_bad else ink)
    line.rstrip()
    return line


def _steps(entry: Entry) -> Iterator[str]:
    return (plain(step_line(step, entry.names)) for step in entry.tx.steps)


def _log(lines: Iterable[LogLine], lead: str = "") -> Iterator[Text]:
    return (Text(f"{'':>13}{lead}{line.level} {plain(line.text)}") for line in lines)


def entry_detail(entry: Entry, began_ns: int) -> Iterator[Text]:
    """All about one transition."""
    tx = entry.tx
    yield Text(plain(f"mach://{tx.machine_id}/{tx.id}"), "bold")
    yield Text(plain(f"{entry.mutation}{args_text(tx.args)}"))
    what = f"{'auto ' if tx.is_auto else ''}{'check, ' if tx.is_check else ''}{outcome(tx)}"
    yield _fact("outcome", f"{what}, number {entry.position} of its machine")
    if tx.time_ns:
        since = f"{seconds_text(tx.time_ns - began_ns)} s after the beginning"
        yield _fact("at", f"{time_text(tx.time_ns)}, {since}")
    if tx.reason is not None:
        yield _fact("why", reason_text(tx.reason), INK["error"])
    if tx.source is not None:
        source = f"mach://{tx.source.machine_id}/{tx.source.tx_id}"
        yield _fact("came from", source + (f" at {tx.source.time}" if tx.source.time else ""))
    yield _fact("changed", _changes(entry).plain or "nothing")
    yield _fact("active", ", ".join(entry.active) or "none")
    ticks = [f"{state_name(i, entry.names)} {tick}" for i, tick in enumerate(tx.clocks) if tick]
    yield _fact("clocks", f"{tx.time_sum} in all: {', '.join(ticks)}" if ticks else "all 0")
    queue = f"{tx.queue} waiting, tick {tx.queue_tick}"
    yield _fact(
        "queue", queue + (f", runs at tick {tx.mut_queue_tick}" if tx.mut_queue_tick else "")
    )
    for title, found in (
        ("steps", [*_steps(entry)]),
        ("log before", [f"{line.level} {plain(line.text)}" for line in tx.pre_logs]),
        ("log", [f"{line.level} {plain(line.text)}" for line in tx.logs]),
        ("asked for at", [plain(line) for line in tx.stack.splitlines()]),
    ):
        if found:
            yield Text(title, _MUTED)
            yield from (Text(f"  {line}") for line in found)


def _fact(name: str, value: str, ink: str = "") -> Text:
    return Text.assemble((f"{name:<10}", _MUTED), (plain(value), ink))


# -- differences


def diff_lines(diff: DumpDiff) -> Iterator[Text]:
    """Where two recordings part: the first place of all, then machine by machine."""
    a, b = plain(diff.a), plain(diff.b)
    counts = f"{_counted(diff.same_machines, 'machine')} and {_counted(diff.same, 'transition')}"
    for name, lost in ((a, diff.lost_a), (b, diff.lost_b)):
        if lost:
            told = f"{name} lacks {_counted(lost, 'message')}: not all differences may be real"
            yield Text(told, INK["error"])
    if diff.is_equal:
        yield Text(f"equal: {counts}")
        return
    yield Text.assemble(("A ", "bold"), a)
    yield Text.assemble(("B ", "bold"), b)
    for side, machines in (("A", diff.machines_only_a), ("B", diff.machines_only_b)):
        if machines:
            yield Text(f"only in {side}: {plain(', '.join(machines))}", INK["remove"])
    if diff.first is not None:
        yield Text()
        yield Text.assemble(("first divergence: ", "bold"), *_place(diff.first))
        yield from _sides(diff.first)
    for machine in diff.machines:
        yield Text()
        yield from _machine_diff(machine, is_first=machine.first is diff.first)
    yield Text()
    yield Text(f"equal are {counts}", _MUTED)


def _place(first: Divergence) -> tuple[str, ...]:
    at = f" at {seconds_text(first.since_ns)} s" if first.since_ns else ""
    return (f"{plain(first.machine)}{at}, {first.what}",)


def _sides(first: Divergence) -> Iterator[Text]:
    for side, event in (("A", first.a), ("B", first.b)):
        yield Text.assemble((f"  {side} ", "bold"), _event(event))


def _event(event: Event | None) -> Text:
    if event is None:
        return Text("ends here", _MUTED)
    number = Text(f"{event.position:>5} ", _MUTED)
    return number.append(plain(event.text), "").append(f"  {_id(event.id, whole=False)}", _MUTED)


def _machine_diff(machine: MachineDiff, *, is_first: bool) -> Iterator[Text]:
    counts = f"{machine.same} alike, {machine.only_a} only in A, {machine.only_b} only in B"
    yield Text.assemble((plain(machine.machine), "bold"), f": {counts}")
    for text, states in (
        ("states only in A", machine.states_only_a),
        ("states only in B", machine.states_only_b),
        ("states defined otherwise", machine.states_changed),
        ("active at the end only in A", machine.active_only_a),
        ("active at the end only in B", machine.active_only_b),
    ):
        if states:
            yield Text(f"  {text}: {plain(', '.join(states))}")
    if machine.first is not None and not is_first:
        yield Text.assemble("  parts: ", *_place(machine.first))
        yield from _sides(machine.first)
