"""What `amctl dbg` does: finds the recording, and puts the debugger together."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from amctl.cli.dumps import resolve
from amctl.cli.exitcodes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amctl.cli.options import GlobalOptions
    from amctl.debugger.face.app import Debugger
    from amctl.debugger.filters import Filters
    from amctl.debugger.session import Session
    from amctl.graph.machurl import MachUrl

__all__ = ["Look", "Wanted", "Written", "filters_of", "look", "print_screen", "size_of"]

_MOST: Final = (1000, 300)


@dataclass(frozen=True, slots=True)
class Look:
    """How the screen is set up, see `amctl.debugger.face.viewstate`."""

    content: str
    rain: bool
    log_level: int
    reader: bool
    narrow: bool | None
    timelines: int
    wrap: bool


@dataclass(frozen=True, slots=True)
class Written:
    """What is written, see `amctl.debugger.face.files`."""

    folder: str
    tx: bool
    log: bool
    clients: bool
    graph: bool
    call_log: bool
    diagrams: int
    diag_tx: str
    diag_group: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asked for."""

    url: str | None
    source: str | None
    listen: str | None
    tail: bool | None
    filters: Filters
    look: Look
    outputs: Written
    theme: str
    mouse: bool
    clipboard: bool


def filters_of(auto: bool | None, auto_canceled: bool | None, **more: bool | None) -> Filters:
    """What is hidden: what a debugger begins with, but for what was said."""
    from amctl.debugger.filters import Auto, Filters

    given: dict[str, Any] = {name: value for name, value in more.items() if value is not None}
    if auto:
        given["auto"] = Auto.HIDE
    elif auto_canceled is not None or auto is not None:
        given["auto"] = Auto.SHOW if auto_canceled is False else Auto.HIDE_CANCELED
    return replace(Filters(), **given)


def size_of(text: str) -> tuple[int, int]:
    """Columns and rows of `120x40`; of nothing, the terminal's.

    Raises:
        typer.BadParameter: It isn't so.
    """
    if not text:
        size = shutil.get_terminal_size((120, 40))
        return size.columns, size.lines
    columns, _, rows = text.lower().partition("x")
    if not (columns.isascii() and columns.isdigit() and rows.isascii() and rows.isdigit()):
        raise typer.BadParameter(f"{text!r} is no size, write 120x40")
    found = int(columns), int(rows)
    if not (20 <= found[0] <= _MOST[0] and 5 <= found[1] <= _MOST[1]):
        raise typer.BadParameter(f"{text} is not between 20x5 and {_MOST[0]}x{_MOST[1]}")
    return found


def look(ctx: typer.Context, wanted: Wanted, options: GlobalOptions) -> int:
    """Show it until a person leaves."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise typer.BadParameter("the debugger needs a terminal; for its screen as text: --text")
    with _collecting(ctx, wanted, options) as source:
        app = _app(ctx, wanted, source, options, waits=True)
        try:
            code = app.run(mouse=wanted.mouse)
        except (OSError, RuntimeError):
            if os.isatty(sys.__stdin__.fileno() if sys.__stdin__ else 0):
                raise
            return int(ExitCode.FAILED)  # the terminal was taken away; there is nothing to lose
        store = app.session.store
        options.say(f"{len(store.machines)} machines, {store.count} transitions in {store.name}")
    return int(ExitCode.DONE) if app.return_code in (0, None) else int(code or ExitCode.BUG)


def print_screen(
    ctx: typer.Context, wanted: Wanted, size: tuple[int, int], options: GlobalOptions
) -> int:
    """The screen as text, once."""
    if wanted.listen:
        raise typer.BadParameter("--text prints what is there, so nothing comes: leave -l out")
    app = _app(ctx, wanted, resolve(wanted.source, ctx), options, waits=False)
    app.session.work_all()
    print(asyncio.run(_screen(app, size)), end="")
    return int(ExitCode.DONE)


async def _screen(app: Debugger, size: tuple[int, int]) -> str:
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        return app.screen_text()


def _app(
    ctx: typer.Context, wanted: Wanted, source: str, options: GlobalOptions, *, waits: bool
) -> Debugger:
    from amctl.cli._dbg_pictures import Pictures
    from amctl.debugger.face.app import Debugger
    from amctl.debugger.face.files import Outputs
    from amctl.debugger.face.viewstate import ViewState

    url = _address(wanted.url)
    session = _open(source, wanted, url, options, waits=waits)
    looked: dict[str, Any] = asdict(wanted.look)
    written: dict[str, Any] = asdict(wanted.outputs)
    return Debugger(
        session,
        ViewState(**looked),
        theme=wanted.theme,
        outputs=Outputs(**written),
        artist=Pictures(),
        clipboard=wanted.clipboard,
    )


def _address(url: str | None) -> MachUrl | None:
    from amctl.graph.machurl import parse_machurl

    return None if url is None else parse_machurl(url)


def _open(
    source: str, wanted: Wanted, url: MachUrl | None, options: GlobalOptions, *, waits: bool
) -> Session:
    from amctl.debugger.session import Session
    from amctl.dump.errors import UnknownMachineError

    follow = wanted.tail if wanted.tail is not None else url is None
    session = Session.open(
        source, filters=wanted.filters, follow=follow, wait=waits, say=options.say
    )
    if url is None:
        return session
    if url.machine not in session.store.machines and not session.store.machines:
        options.say(f"{url.machine} is not there yet")
        return session
    if url.machine not in session.store.machines:
        names = session.store.machines
        session.close()
        raise UnknownMachineError(source, url.machine, names)
    if url.time is not None or url.queue is not None or url.wall_ns is not None:
        session.work_all()  # times are looked up in it
    moved = session.go_to(url)
    if not moved.ok and moved.text and moved.text != "that is here":
        options.say(f"warning: {moved.text}")
    session.set_follow(follow)
    return session


@contextlib.contextmanager
def _collecting(ctx: typer.Context, wanted: Wanted, options: GlobalOptions) -> Iterator[str]:
    """The recording to look at; with `-l` one that a collector of its own writes meanwhile."""
    if not wanted.listen:
        yield wanted.source or _last(ctx, options)
        return
    if wanted.source:
        raise typer.BadParameter("-i reads a recording and -l makes one: choose")
    folder = Path(wanted.outputs.folder or ".")
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "amctl.cli.main", "collect", "--end-with-stdin"]
    command += ["-l", wanted.listen, "-d", str(folder)]
    log = folder / "collector.log"
    with (
        log.open("wb") as file,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=file, stderr=file) as child,
    ):
        options.say(f"recording into {folder}; its words go to {log}")
        try:
            yield str(folder / "am-dbg-dump.sqlite")
        finally:
            assert child.stdin is not None
            child.stdin.close()
            child.wait()


def _last(ctx: typer.Context, options: GlobalOptions) -> str:
    """The last run's recording; where there is none yet, the next one's."""
    from amctl.dump.errors import DumpNotFoundError

    try:
        return resolve(None, ctx)
    except DumpNotFoundError as error:
        options.say(f"{error.name} is not there yet: it waits for a run, amctl start")
        return error.name
