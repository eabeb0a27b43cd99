"""The call log: handlers that ran, as pseudo code of the original's language (debugger_ui.md 2.11).

Each machine has a folder with files of at most 5000 calls. Between them stand the active states,
about every 100 calls. `init.go` is written once, and kept: a person may change it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from amctl.debugger.steps import handler_steps
from amctl.dump.following import active_names, plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amctl.debugger.session import Session
    from amctl.debugger.store import Record

__all__ = ["ACTIVE_EVERY", "CALLS", "CallLog", "calls_of", "file_name"]

CALLS: Final = 5000
"""Calls in a file."""
ACTIVE_EVERY: Final = 100
_HANDLER: Final = re.compile(r"\[handler(?::[^\]]*)?\] (\S+)")
_WORD: Final = re.compile(r"[^A-Za-z0-9_]")
_UNSAFE: Final = re.compile(r"[^\w.@+ -]")


def file_name(id: str) -> str:
    """A name for files of a machine, whatever its id has in it."""
    found = _UNSAFE.sub("_", id)[:120].strip()
    return found if found.strip(".") else f"_{found}"


def calls_of(record: Record) -> tuple[str, ...]:
    """Names of the handlers that ran, in their order: by the log, or else by the steps."""
    lines = (line.text for line in (*record.tx.pre_logs, *record.tx.logs))
    found = tuple(match[1] for text in lines if (match := _HANDLER.match(text)))
    return found or tuple(name for name, _ in handler_steps(record))


@dataclass(slots=True)
class _Machine:
    cursor: int = 0
    """Of the last transition whose calls are written."""
    file: int = 0
    calls: int = 0
    since: int = ACTIVE_EVERY
    """Calls since the active states were told; at first they are told at once."""


@dataclass
class CallLog:
    """Writes on as the recording grows.

    Args:
        session: Of the recording; nothing of it moves.
        folder: Where a folder for each machine comes.
    """

    session: Session
    folder: Path
    _machines: dict[str, _Machine] = field(default_factory=dict)
    _generation: int = -1

    def step(self, most: int = 512) -> bool:
        """Write the calls of some more transitions. True if there are no more for now.

        Raises:
            OSError: It can't be written.
        """
        store = self.session.store
        if self._generation != store.generation:  # another recording: all begins anew
            self._generation = store.generation
            self._machines.clear()
        for id in store.machines:
            held = self._machines.setdefault(id, _Machine())
            stop = min(store.size(id), held.cursor + most)
            if stop > held.cursor:
                self._write(id, held, stop)
                most -= stop - held.cursor
                held.cursor = stop
            if most <= 0:
                return False
        return True

    def _write(self, id: str, held: _Machine, stop: int) -> None:
        folder = self.folder / file_name(id)
        if not held.cursor:
            folder.mkdir(parents=True, exist_ok=True)
            self._init(id, folder)
        lines: list[str] = []
        for record in self.session.store.records(id, held.cursor + 1, stop + 1):
            for call in calls_of(record):
                if held.calls == CALLS:
                    self._flush(held, folder, lines)
                    held.file, held.calls, held.since = held.file + 1, 0, ACTIVE_EVERY
                    lines = []
                lines += self._lines(record, call, held)
        self._flush(held, folder, lines)

    def _lines(self, record: Record, call: str, held: _Machine) -> Iterator[str]:
        if held.since >= ACTIVE_EVERY:
            active = ", ".join(map(plain, active_names(record.before, record.names)))
            yield f"\t// active: {active or 'none'}"
            held.since = 0
        held.calls, held.since = held.calls + 1, held.since + 1
        note = plain(f"{record.tx.id} t{record.time_sum} {record.mutation}")
        yield f"\t{_WORD.sub('_', call)}(e) // {note}"

    def _flush(self, held: _Machine, folder: Path, lines: list[str]) -> None:
        if not lines:
            return
        path = folder / f"{held.file}.go"
        head = f"package calls\n\nfunc calls{held.file}(e *am.Event) {{\n"
        is_new = held.calls == len([line for line in lines if not line.startswith("\t//")])
        if is_new:
            path.write_text(head + "\n".join(lines) + "\n}\n", encoding="utf-8")
        else:
            with path.open("r+b") as file:
                file.seek(-2, 2)  # before the closing brace
                file.write(("\n".join(lines) + "\n}\n").encode())

    def _init(self, id: str, folder: Path) -> None:
        path = folder / "init.go"
        if path.exists():
            return
        schema = self.session.store.schema(id)
        names = schema.names if schema is not None else ()
        states = "".join(f"\t// {at}: {plain(name)}\n" for at, name in enumerate(names))
        text = f"package calls\n\n// machine {plain(id)}\n\nfunc init() {{\n{states}}}\n"
        path.write_text(text, encoding="utf-8")
