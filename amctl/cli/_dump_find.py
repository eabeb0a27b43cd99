"""What `amctl dump find` does between reading its words and printing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from amctl.cli._dump_work import began, moment
from amctl.cli.progress import steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amctl.cli.options import GlobalOptions
    from amctl.debugger.index import Place
    from amctl.debugger.store import Record, Store

__all__ = ["Sought", "find"]


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for."""

    machine: str
    expression: str
    back: bool = False
    start: str | None = None
    """An address, or a time; None: from the beginning, or back from the end."""
    limit: int = 1
    """0 is no limit."""


def find(store: Store, sought: Sought, options: GlobalOptions, *, as_json: bool) -> bool:
    """Print the transitions in which the expression became true.

    Returns:
        Whether there is one.

    Raises:
        UnknownMachineError: The recording has no such machine.
        PredicateError: It is no expression.
        UnknownStateError: It names a state that there is not.
        DumpError: The recording is damaged; what could be read has been searched.
    """
    from itertools import islice

    from amctl.dump.errors import UnknownMachineError

    if sought.machine not in store.machines:
        raise UnknownMachineError(store.name, sought.machine, store.machines)
    places = _places(store, sought, options)
    found = [*islice(places, sought.limit)] if sought.limit else [*places]
    more = next(places, None) is not None
    if as_json:
        documents = [_document(store, place) for place in found]
        head = {"dump": store.name, "machine": sought.machine, "expression": sought.expression}
        shown = str(_shown(store, sought.machine))
        print(json.dumps({**head, "transitions": documents, "more": more, "shown": shown}))
    else:
        _print(store, found, options)
        if not found:
            options.say(f"it did not become true; {_shown(store, sought.machine)}")
        elif more and sought.limit > 1:
            options.say(f"these are the first {sought.limit}; -n 0 shows all")
    if store.trouble is not None:
        raise store.trouble
    return bool(found)


def _shown(store: Store, machine: str) -> object:
    from amctl.debugger.filters import Shown

    size = store.size(machine)
    return Shown(size, size, store.dropped_of(machine), store.index.share)


def _places(store: Store, sought: Sought, options: GlobalOptions) -> Iterator[Place]:
    from amctl.debugger.index import Place
    from amctl.debugger.predicates import find as found
    from amctl.debugger.predicates import parse_predicate, spans_machines

    node = parse_predicate(sought.expression)
    if not spans_machines(node, sought.machine) and not _is_elsewhere(sought):
        store.only(sought.machine)
    with steps(options) as progress:
        while not store.work():
            progress("looking", store.index.done, store.index.goal)
    if store.size(sought.machine) == 0:
        return
    place: Place | None = Place(sought.machine, _start(store, sought))
    is_end = sought.start is None
    while place is not None:
        place = found(store.index, node, place, back=sought.back, end=is_end, home=sought.machine)
        is_end = False
        if place is not None:
            yield place


def _is_elsewhere(sought: Sought) -> bool:
    """Whether the start is a place of another machine."""
    return (sought.start or "").lower().startswith("mach://")


def _start(store: Store, sought: Sought) -> int:
    """The cursor that `--from` names."""
    from amctl.debugger import addresses
    from amctl.dump.errors import UnknownMachineError, UnknownTransitionError
    from amctl.graph.machurl import parse_machurl

    if sought.start is None:
        return 0
    if not _is_elsewhere(sought):
        at = moment(sought.start, "--from", store.dump) or 0
        return addresses.cursor_at(store, sought.machine, at if sought.back else at - 1)
    url = parse_machurl(sought.start)
    if url.machine not in store.machines:
        raise UnknownMachineError(store.name, url.machine, store.machines)
    cursor, why = addresses.resolve(store, url)
    if cursor is None:
        if why:
            raise UnknownTransitionError(store.name, url.machine, url.tx)
        raise typer.BadParameter(f"--from {sought.start}: it names no moment, like mach://ID/TX")
    return addresses.cursor_of_moment(store, url.machine, cursor, sought.machine)


def _document(store: Store, place: Place) -> dict[str, Any]:
    from amctl.debugger.addresses import address_of
    from amctl.dump.inspecting import entry_json

    record = store.record(place.machine, place.cursor)
    made = entry_json(record) if record is not None else {"machine": place.machine}
    return {"address": str(address_of(store, place)), "cursor": place.cursor, **made}


def _print(store: Store, found: list[Place], options: GlobalOptions) -> None:
    from rich.text import Text

    from amctl.cli.views.recordings import show_lines
    from amctl.debugger.addresses import address_of

    start = began(store.dump) if found else 0
    lines = []
    for place in found:
        record = store.record(place.machine, place.cursor)
        words = [str(address_of(store, place)), f"{place.cursor}/{store.size(place.machine)}"]
        lines.append(Text("  ".join([*words, *_told(record, start)])))
    show_lines(lines, options)


def _told(record: Record | None, start: int) -> list[str]:
    from amctl.dump.following import plain
    from amctl.dump.summary import seconds_text

    if record is None:
        return ["from the beginning"]
    when = f"{seconds_text(record.wall_ns - start)}" if record.wall_ns else "-"
    return [when, plain(record.line)]
