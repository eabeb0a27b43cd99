"""Looking for words: in names of machines and states, and in what transitions say.

Text is not indexed: a search reads from where one stands, a slice at a time, so that a face stays
awake and may stop it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from amctl.debugger._columns import following, preceding
from amctl.debugger.index import Place
from amctl.dump.following import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amctl.debugger.session import Session
    from amctl.debugger.store import Record

__all__ = ["FIELDS", "Name", "Text", "TextSearch", "names_like", "type_ahead"]

FIELDS: Final = ("line", "logs", "args", "id")
"""Where text is looked for: call and changes, the log, arguments, the transition's id."""
_MOST: Final = 500
Test = Callable[[str], object]


def type_ahead(rows: Sequence[str], typed: str, current: int = 0) -> int:
    """The first row from the current one on that begins with what was typed; -1 if none does.

    It does not go on from the top (debugger_ui.md 5, 42).
    """
    wanted = typed.lower()
    for at in range(max(current, 0), len(rows)):
        if rows[at].lower().startswith(wanted):
            return at
    return -1


@dataclass(frozen=True, slots=True)
class Name:
    """A machine, or a state of one."""

    machine: str
    state: str = ""


def names_like(session: Session, text: str, most: int = _MOST) -> list[Name]:
    """Machines and states whose name holds a text, whatever its case; machines first."""
    wanted = text.lower()
    store = session.store
    found = [Name(id) for id in store.machines if wanted in id.lower()]
    for id in (session.machine, *(id for id in store.machines if id != session.machine)):
        schema = store.schema(id)
        names = schema.names if schema is not None else ()
        found += [Name(id, name) for name in names if wanted in name.lower()]
        if len(found) >= most:
            break
    return found[:most]


@dataclass(frozen=True, slots=True)
class Text:
    """What is looked for."""

    text: str
    is_regex: bool = False
    fields: tuple[str, ...] = FIELDS

    def test(self) -> Test:
        """A function that tells whether a line holds it. Small letters find capitals, too.

        Raises:
            re.error: It is no regular expression.
        """
        pattern = self.text if self.is_regex else re.escape(self.text)
        return re.compile(pattern, re.IGNORECASE if self.text == self.text.lower() else 0).search


class TextSearch:
    """One search through the shown transitions of the session's machine.

    Args:
        session: Where it begins, the current transition left out.
        what: The text.
        back: Towards the beginning.

    Raises:
        re.error: The text is to be a regular expression, and is none.
    """

    def __init__(self, session: Session, what: Text, *, back: bool = False) -> None:
        self._session, self._machine = session, session.machine
        self._what, self._test, self._back = what, what.test(), back
        self._cursor = session.cursor
        self.found: Place | None = None
        """Where it is; None so far, or at the end if it is nowhere."""
        self.line = ""
        """The first line that holds it."""
        self.looked = 0
        """Transitions that were read."""
        self.is_done = not self._machine

    def step(self, most: int = 2048) -> bool:
        """Look at some more transitions. True once it is found, or there are no more."""
        visible = self._session.visible_of(self._machine)
        for _ in range(most):
            if self.is_done:
                break
            ahead = preceding if self._back else following
            self._cursor = ahead(visible, self._cursor)
            if self._cursor < 1:
                self.is_done = True
                break
            self.looked += 1
            record = self._session.store.record(self._machine, self._cursor)
            held = self._held(record) if record is not None else None
            if held is not None:
                self.found, self.line = Place(self._machine, self._cursor), plain(held)
                self.is_done = True
        return self.is_done

    def _held(self, record: Record) -> str | None:
        return next((line for line in _lines(record, self._what.fields) if self._test(line)), None)


def _lines(record: Record, fields: Sequence[str]) -> Iterator[str]:
    if "line" in fields:
        yield record.line
    if "logs" in fields:
        yield from (line.text for line in (*record.tx.pre_logs, *record.tx.logs))
    if "args" in fields:
        yield from (f"{key}={value}" for key, value in record.tx.args.items())
    if "id" in fields:
        yield record.tx.id
