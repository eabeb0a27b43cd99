"""A recording as one HTML file: machines, a searchable list of transitions, and all about each.

It needs no network, and its policy allows none. Whatever comes from the recording stands in one
block of JSON, which its script shows as text.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from amctl.dump.following import reason_text, step_line
from amctl.dump.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from amctl.dump.following import Entry
    from amctl.machine.lines import LogLine
    from amctl.telemetry.messages import Message, TxMsg

__all__ = ["LIMIT", "HtmlWriter"]

LIMIT: Final = 100_000
"""Transitions that are shown."""
_ASSETS: Final = Path(__file__).parent / "assets"


class HtmlWriter:
    """Collects a page, and writes it at the end; a `DumpWriter`.

    Args:
        stream: Where to; left open.
        meta: What the recording says of itself.
        limit: Transitions to show at most; the first ones are shown.
    """

    def __init__(
        self,
        stream: BinaryIO,
        *,
        meta: Mapping[str, str] | None = None,
        limit: int | None = None,
    ) -> None:
        self._stream = stream
        self._limit = LIMIT if limit is None else limit
        self._summary = Summary(meta or {})
        self._began_ns = 0
        self._rows: list[str] = []
        self._schemas: list[dict[str, Any]] = []
        self._current: dict[str, tuple[tuple[str, ...], int]] = {}

    def write(self, message: Message) -> None:
        """Count one message, and keep it if there is room."""
        entry = self._summary.take(message)
        if entry is None or len(self._rows) >= self._limit:
            return
        self._began_ns = self._began_ns or entry.tx.time_ns
        self._rows.append(_json(self._row(entry)))

    def _row(self, entry: Entry) -> list[Any]:
        tx = entry.tx
        added, removed, ticked = entry.changes
        changes = [
            3 * index + kind for kind, part in enumerate((added, removed, ticked)) for index in part
        ]
        flags = (
            min(max(tx.type, 0), 3)
            | tx.is_auto << 2
            | tx.accepted << 3
            | tx.is_check << 4
            | tx.is_queued << 5
        )
        micros = (tx.time_ns - self._began_ns) // 1000 if tx.time_ns else None
        row = [self._schema(entry), micros, tx.id, flags, tx.called, changes]
        more = _more(tx, entry.names)
        return [*row, more] if more else row

    def _schema(self, entry: Entry) -> int:
        """The number of the names that hold for a transition."""
        machine = entry.tx.machine_id
        names, number = self._current.get(machine, (None, 0))
        if names is not entry.names and names != entry.names:
            number = len(self._schemas)
            at = list(self._summary.machines).index(machine)
            self._schemas.append({"m": at, "names": entry.names})
        self._current[machine] = entry.names, number
        return number

    def finish(self) -> None:
        """Write the page."""
        for piece in self._page():
            self._stream.write(piece.encode("utf-8", "backslashreplace"))
        self._stream.flush()

    def abandon(self) -> None:
        """Forget it."""
        self._rows.clear()

    def _page(self) -> Iterator[str]:
        style, script = (_asset(f"report.{kind}") for kind in ("css", "js"))
        parts = {
            "policy": (
                f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)};"
                " base-uri 'none'; form-action 'none'"
            ),
            "title": html.escape(self._summary.name.encode("utf-8", "replace").decode()),
            "style": style,
            "script": script,
        }
        for piece in re.split(r"(\{\{\w+\}\})", _asset("report.html")):
            if piece == "{{data}}":
                yield from self._data()
            elif piece.startswith("{{"):
                yield parts[piece.strip("{}")]
            else:
                yield piece

    def _data(self) -> Iterator[str]:
        summary = self._summary
        head = {
            "name": summary.name,
            "facts": summary.facts(),
            "gaps": [*summary.gap_texts()],
            "total": summary.count,
            "machines": [
                {
                    "id": name,
                    "parent": m.schema.parent,
                    "tags": m.schema.tags,
                    "count": m.count,
                    "gone": bool(m.gone_ns),
                }
                for name, m in summary.machines.items()
            ],
            "schemas": self._schemas,
        }
        yield _json(head)[:-1] + ',"rows":[\n'
        for number, row in enumerate(self._rows):
            yield f",\n{row}" if number else row
        yield "]}"


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _json(value: object) -> str:
    """JSON that can stand in a script element: nothing in it can end that, or begin a comment."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _more(tx: TxMsg, names: Sequence[str]) -> dict[str, Any]:
    """What only some transitions have."""
    more: dict[str, Any] = {
        "steps": [step_line(step, names) for step in tx.steps],
        "pre": _lines(tx.pre_logs),
        "logs": _lines(tx.logs),
        "args": dict(tx.args),
        "source": tx.source and (tx.source.machine_id, tx.source.tx_id, tx.source.time),
        "reason": tx.reason and reason_text(tx.reason),
        "queue": [
            (name, value)
            for name, value in (
                ("length", tx.queue),
                ("tick", tx.queue_tick),
                ("will run at tick", tx.mut_queue_tick),
                ("token", tx.mut_queue_token),
            )
            if value
        ],
        "stack": tx.stack,
    }
    return {key: value for key, value in more.items() if value}


def _lines(lines: Sequence[LogLine]) -> list[tuple[int, str]]:
    return [(line.level, line.text) for line in lines]
