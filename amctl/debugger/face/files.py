"""Files that the debugger keeps in its folder: what is on the screen, for programs to read.

Nothing here draws: pictures come from an `Artist`, which whoever starts the debugger hands in.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeVar

from amctl.debugger.face.calls import CallLog, file_name
from amctl.debugger.filters import group_states
from amctl.debugger.index import Place
from amctl.debugger.loglines import log_rows
from amctl.debugger.reader import read
from amctl.debugger.steps import step_rows
from amctl.debugger.views import bar, machines
from amctl.dump.following import changes, plain
from amctl.dump.opening import open_dump
from amctl.graph.build import build_graph
from amctl.graph.listing import as_markdown, as_xml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amctl.debugger.face.viewstate import ViewState
    from amctl.debugger.session import Session
    from amctl.debugger.store import Record
    from amctl.dump.model import Dump

__all__ = ["DIAG_GROUP", "DIAG_TX", "Artist", "Files", "Outputs", "clients_text", "log_text",
           "next_of", "schema_hash", "steps_of", "tx_text"]  # fmt: skip

DiagTx = Literal["off", "called", "mutated", "touched", "relations"]
DiagGroup = Literal["off", "hide", "skip"]
DIAG_TX: Final[tuple[DiagTx, ...]] = ("off", "called", "mutated", "touched", "relations")
DIAG_GROUP: Final[tuple[DiagGroup, ...]] = ("off", "hide", "skip")
T = TypeVar("T")
DETAIL: Final = 3
"""Of diagrams, at most."""


@dataclass
class Outputs:
    """What is written. Plain data; tools of the toolbar change it."""

    folder: str = ""
    """Empty: nothing is written."""
    tx: bool = True
    log: bool = False
    clients: bool = False
    graph: bool = False
    diagrams: int = 0
    """0 none; 1 the machine's own states; 2 those it inherits, too; 3 its parts and pipes, too."""
    diag_tx: DiagTx = "relations"
    """What of the transition is in the picture of its steps."""
    diag_group: DiagGroup = "hide"
    """States outside of the selected group: drawn, left out, or no picture of transitions that
    call none of its states."""
    call_log: bool = False


class Artist(Protocol):
    """Draws, as SVG. All are called in a thread; a recording is opened for that alone."""

    def graph(self, dump: Dump) -> bytes:
        """All machines."""

    def machine(self, dump: Dump, id: str, level: int, states: frozenset[str] | None) -> bytes:
        """One of them, see `Outputs.diagrams`; of its states only some, unless None."""

    def state(self, dump: Dump, id: str, state: str) -> bytes:
        """A state, its neighbours by any relation, and theirs."""

    def steps(
        self, dump: Dump, id: str, tx_id: str, states: frozenset[str] | None, relations: bool
    ) -> bytes:
        """A transition, of its steps only those of some states, and maybe without relations."""


# -- texts


def next_of(values: tuple[T, ...], value: T) -> T:
    """The value behind another one, in a circle."""
    return values[(values.index(value) + 1) % len(values)]


def tx_text(session: Session) -> str:
    """`tx.md`: the current transition, its changes, log, steps, and what the reader tells."""
    record = session.record
    if record is None:
        return f"# {plain(session.machine)}\n\nbefore the first transition\n"
    held = bar(session)
    lines = [f"# {plain(str(session.address))}", "", f"- {plain(record.line)}"]
    lines += [f"- machine time: {held.time} ({held.time_diff:+d})", f"- time: {held.wall or '?'}"]
    if record.tx.logs or record.tx.pre_logs:
        lines += ["", "## Log", ""]
        texts = (one.text for one in (*record.tx.pre_logs, *record.tx.logs))
        lines += [f"- {plain(text)}" for text in texts]
    if record.tx.steps:
        lines += ["", "## Steps", "", *(f"{row.number}. {row.text}" for row in step_rows(record))]
    for section in read(session.store, Place(session.machine, session.cursor)):
        lines += ["", f"## {section.title}", ""]
        lines += [f"- {plain(item.text)}" for item in section.items]
    return "\n".join(lines) + "\n"


def log_text(session: Session, view: ViewState) -> str:
    """`log.md`: the lines of the log around the cursor, as they are shown."""
    rows = log_rows(session, level=view.log_level, times=view.times, traces=view.traces)
    return "".join(f"{plain(row.text)}\n" for row in rows)


def clients_text(session: Session) -> str:
    """`clients.txt`: the list of machines with their tags."""
    lines = []
    for row in machines(session).rows:
        schema = session.store.schema(row.id)
        tags = " ".join(f"#{plain(tag)}" for tag in schema.tags) if schema is not None else ""
        lines.append(f"{row.text} {tags}".rstrip())
    return "\n".join(lines) + "\n"


def schema_hash(session: Session, id: str) -> str:
    """A few letters that change with the machine's schema."""
    schema = session.store.schema(id)
    text = repr((schema.names, schema.states, schema.parent)) if schema is not None else ""
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def steps_of(record: Record, kind: DiagTx) -> frozenset[str] | None:
    """States whose steps are in the picture; None is all of them."""
    if kind == "called":
        return frozenset(record.called)
    if kind == "mutated":
        moved = changes(record.before, record.after)
        names = record.names
        both = (*moved.added, *moved.removed, *moved.ticked)
        return frozenset(names[i] for i in both if i < len(names)) | frozenset(record.called)
    return None


# -- the folder


@dataclass
class Files:
    """Writes what has changed, when it is told to. What can't be written is told, once.

    Args:
        session: What is looked at.
        view: How.
        outputs: What is written.
        artist: Draws; without one there are no pictures.
    """

    session: Session
    view: ViewState
    outputs: Outputs
    artist: Artist | None = None
    trouble: str = ""
    """Why the last one could not be written."""
    _texts: dict[str, str] = field(default_factory=dict)
    _grown: tuple[int, int] = (-1, -1)
    _drawn: dict[str, str] = field(default_factory=dict)
    """Link -> the file that it leads to."""
    _calls: CallLog | None = None
    _is_at_it: bool = False

    async def write(self) -> None:
        """Bring all files up to date. Only one runs at a time; another call then does nothing."""
        if not self.outputs.folder or self._is_at_it:
            return
        self._is_at_it = True
        try:
            self.trouble = ""
            self._folders()
            for name, text in self._now():
                self._put(name, text)
            await self._graph()
            await self._pictures()
            await self._call_log()
        except OSError as error:
            self.trouble = f"{error.filename or self.outputs.folder}: {error.strerror or error}"
        finally:
            self._is_at_it = False

    @property
    def folder(self) -> Path:
        """Where all of them stand."""
        return Path(self.outputs.folder)

    def _folders(self) -> None:
        for name in ("diagrams", "call-log"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def _now(self) -> Iterator[tuple[str, str]]:
        wanted = self.outputs
        if wanted.tx:
            yield "tx.md", tx_text(self.session)
        if wanted.log:
            yield "log.md", log_text(self.session, self.view)
        if wanted.clients:
            yield "clients.txt", clients_text(self.session)

    def _put(self, name: str, text: str) -> None:
        """Write a file, whole, if it isn't so already."""
        if self._texts.get(name) == text and (self.folder / name).exists():
            return
        self._texts[name] = text
        _replace(self.folder / name, text.encode("utf-8", "replace"))

    def _dump(self) -> tuple[Dump, bool]:
        """A recording for a thread, and whether it is to be closed."""
        dump = self.session.store.dump
        if os.path.exists(dump.name):
            return open_dump(dump.name), True
        return dump, False

    async def _graph(self) -> None:
        store = self.session.store
        grown = (store.count, store.generation)
        if not self.outputs.graph or grown == self._grown:
            return
        self._grown = grown

        def listed() -> tuple[str, str]:
            dump, is_own = self._dump()
            try:
                graph = build_graph(dump)
                return as_markdown(graph), as_xml(graph)
            finally:
                if is_own:
                    dump.close()

        markdown, xml = await asyncio.to_thread(listed)
        self._put("graph.md", markdown)
        self._put("graph.xml", xml)

    # -- pictures

    async def _pictures(self) -> None:
        wanted, session = self.outputs, self.session
        if not wanted.diagrams or self.artist is None or not session.machine:
            return
        for link, name, draw in self._wanted():
            path = self.folder / "diagrams" / f"{name}.svg"
            if not path.exists():
                _replace(path, await asyncio.to_thread(self._draw, draw))
            if self._drawn.get(link) != name:
                self._drawn[link] = name
                _link(self.folder / f"am-vis-{link}.svg", f"diagrams/{name}.svg")

    def _draw(self, draw: tuple[str, tuple[object, ...]]) -> bytes:
        kind, args = draw
        dump, is_own = self._dump()
        try:
            drawn: bytes = getattr(self.artist, kind)(dump, *args)
            return drawn
        finally:
            if is_own:
                dump.close()

    def _wanted(self) -> Iterator[tuple[str, str, tuple[str, tuple[object, ...]]]]:
        """Link, name of the file, and how to draw it."""
        wanted, session, id = self.outputs, self.session, self.session.machine
        mark, name = schema_hash(session, id), file_name(id)
        group = self._group()
        part = f"-{file_name(session.group)}" if group is not None else ""
        level = min(wanted.diagrams, DETAIL)
        yield "mach", f"mach-{name}{part}-{level}-{mark}", ("machine", (id, level, group))
        if session.state:
            state = file_name(session.state)
            yield "state", f"state-{name}-{state}-{mark}", ("state", (id, session.state))
        everyone = "".join(schema_hash(session, one) for one in session.store.machines)
        whole = hashlib.sha256(everyone.encode()).hexdigest()[:10]
        yield "graph", f"graph-{whole}", ("graph", ())
        record = session.next_record if session.step else session.record
        if record is None or wanted.diag_tx == "off" or not record.tx.steps:
            return
        if wanted.diag_group == "skip" and group is not None and not group & {*record.called}:
            return
        states = steps_of(record, wanted.diag_tx)
        if group is not None and wanted.diag_group == "hide":
            states = group if states is None else states & group
        steps = f"steps-{name}-{file_name(record.tx.id)}-{wanted.diag_tx}{part}"
        relations = wanted.diag_tx == "relations"
        yield "steps", steps, ("steps", (id, record.tx.id, states, relations))

    def _group(self) -> frozenset[str] | None:
        session = self.session
        schema = session.store.schema(session.machine, session.cursor)
        if schema is None or self.outputs.diag_group == "off":
            return None
        states = group_states(schema, session.group)
        return None if states is None else frozenset(states)

    # -- calls

    async def _call_log(self) -> None:
        if not self.outputs.call_log:
            return
        if self._calls is None:
            self._calls = CallLog(self.session, self.folder / "call-log")
        while not self._calls.step():  # noqa: ASYNC110  # others get their turn, nothing is awaited
            await asyncio.sleep(0)


def _replace(path: Path, content: bytes) -> None:
    """Write it whole: nobody who looks on sees half of it."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def _link(path: Path, target: str) -> None:
    """Have a link lead to a file of the same folder; where links can't be made, a copy."""
    part = path.with_name(f".{path.name}.part")
    with contextlib.suppress(OSError):
        part.unlink()
    try:
        part.symlink_to(target)
    except OSError:
        part.write_bytes((path.parent / target).read_bytes())
    os.replace(part, path)
