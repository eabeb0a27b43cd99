"""What keys and tools do that opens dialogs, writes files, or has to do with the clipboard."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from textual.widgets import Input

from amctl.debugger.errors import DebuggerError
from amctl.debugger.exporting import Export
from amctl.debugger.face.actions import Actions
from amctl.debugger.face.dialogs import Choice, ExportAsk, ExportWish, Prompt, Reply, TextDialog
from amctl.debugger.face.files import (
    DETAIL,
    DIAG_GROUP,
    DIAG_TX,
    Files,
    Outputs,
    next_of,
    tx_text,
)
from amctl.debugger.face.help import help_page
from amctl.debugger.face.web import Web
from amctl.debugger.filters import ALL, groups_of
from amctl.debugger.predicates import parse_predicate
from amctl.dump.errors import DumpError
from amctl.graph.errors import MachUrlError
from amctl.graph.machurl import SCHEME, parse_machurl

if TYPE_CHECKING:
    from textual import events

    from amctl.debugger.face.files import Artist

__all__ = ["FILES_EVERY", "Doings"]

FILES_EVERY = 1.0
"""Seconds in which files are written once at most."""


class Doings(Actions):
    """Actions of dialogs, files and the clipboard."""

    outputs: Outputs
    artist: Artist | None = None
    clipboard_on: bool = True
    """Whether texts may go to the terminal's clipboard."""
    about: tuple[tuple[str, str], ...] = ()
    """What the help says of this run: name and value."""
    web_port: int = 0
    """Where browsers may look on, once that is switched on; 0 is any that is free."""
    _files: Files | None = None
    _web: Web | None = None
    _are_files_due = False
    _last_found = ""

    def say(self, text: str) -> None:
        """Tell a person something, in the status bar."""
        raise NotImplementedError

    # -- texts

    async def show_text(self, title: str, text: str) -> None:
        """See `Host`."""
        lines = [[(line.replace("\t", "    "), "")] for line in text.split("\n")]
        await self.push_screen_wait(TextDialog(title, lines))

    def action_help(self) -> None:
        """Keys and legends."""
        store = self.session.store
        about = (("recording", store.name), *self.about)
        width = self.size.width - 8
        self.push_screen(TextDialog("Help", help_page(about, width)))

    # -- going

    def action_go_to(self, text: str = "") -> None:
        """Ask for an address, and go there."""
        prompt = Prompt(
            "Go to",
            "mach://ID[/TX[/STEP]][?t=TIME&q=TICK&ht=TIME&state=NAME&group=NAME], or a machine's "
            "id, or the beginning of a transition's",
            text or str(self.session.address),
        )

        def check(reply: Reply) -> str:
            wanted = reply.text.strip()
            if not wanted:
                return "nothing is typed"
            try:
                url = parse_machurl(wanted, lenient=True) if _is_address(wanted) else None
            except MachUrlError as error:
                return f"{error}; {error.hint}" if error.hint else str(error)
            if url is not None:
                moved = self.session.go_to(url)
            elif wanted in self.session.store.machines:
                moved = self.session.select_machine(wanted)
            else:
                moved = self.session.go_to_tx(wanted)
            self.changed()
            if moved.ok or moved.text == "that is here":
                return ""
            return f"{moved.text}; {moved.hint}" if moved.hint else moved.text

        prompt.check = check  # type: ignore[method-assign]
        self.push_screen(prompt)

    def action_copy_address(self) -> None:
        """The address into the clipboard."""
        self.copy(str(self.session.address))

    def copy(self, text: str) -> None:
        """A text into the clipboard."""
        if not self.clipboard_on:
            self.say("the clipboard is switched off: --enable-clipboard")
        else:
            self.copy_to_clipboard(text)
            rows = text.count("\n") + 1
            self.say(f"copied {text}" if rows == 1 else f"copied {rows} lines")
        self.changed()

    def copy_to_clipboard(self, text: str) -> None:
        """Not if it is switched off: that holds for text that is selected by mouse, too."""
        if self.clipboard_on:
            super().copy_to_clipboard(text)

    def action_paste_address(self) -> None:
        """Go to the address that was copied here; or ask for one, which a terminal can paste."""
        text = self.clipboard.strip()
        if _is_address(text):
            self.act(self.session.go_to(text))
        else:
            self.action_go_to()

    def on_paste(self, event: events.Paste) -> None:
        """A terminal pastes: go there, if it is an address."""
        text = event.text.strip()
        if not isinstance(self.focused, Input) and _is_address(text):
            event.stop()
            self.act(self.session.go_to(text.splitlines()[0]))

    def action_find(self) -> None:
        """Ask for an expression over states, and go to where it became true."""
        prompt = Prompt(
            "Find where it became true",
            "Working & !Failed, Ready:>3, (A | B) & worker1.Ready; enter searches backwards",
            self._last_found or self.session.state,
            ("Back", "Forward"),
        )

        def check(reply: Reply) -> str:
            if not reply.text.strip():
                return "nothing is typed"
            try:
                parse_predicate(reply.text)
            except DebuggerError as error:
                return str(error)
            moved = self.session.find(reply.text, back=reply.button == "Back")
            self.changed()
            if moved.ok:
                self._last_found = reply.text
            return f"{moved.text}; {moved.hint}" if moved.hint else moved.text

        prompt.check = check  # type: ignore[method-assign]
        self.push_screen(prompt)

    def action_find_again(self, back: bool = True) -> None:
        """The same expression further on."""
        if self._last_found:
            self.act(self.session.find(self._last_found, back=back))
        else:
            self.action_find()

    def action_group(self) -> None:
        """Choose a group of states."""
        session = self.session
        schema = session.store.schema(session.machine, session.cursor)
        if schema is None:
            return
        rows = [(label, str(len(states))) for label, states in groups_of(schema).items()]

        def chosen(label: str | None) -> None:
            if label is not None:
                self.act(session.select_group("" if label == ALL else label))

        self.push_screen(Choice("Group", rows, session.group or ALL), chosen)

    # -- export

    def action_export(self) -> None:
        """Ask where to, and write."""
        ask = ExportAsk()
        found: list[Export] = []

        def check(wish: ExportWish) -> str:
            path = Path(wish.name).expanduser()
            if self.outputs.folder and not path.is_absolute():
                path = Path(self.outputs.folder) / path
            machine = self.session.machine if wish.alone else ""
            try:
                found.append(
                    Export(self.session, path, single=wish.single, machine=machine,
                           force=wish.force)
                )  # fmt: skip
            except (DumpError, OSError) as error:
                hint = getattr(error, "hint", "")
                return f"{error}; {hint}" if hint else str(error)
            return ""

        def taken(wish: ExportWish | None) -> None:
            if wish is not None and found:
                self.run_worker(self._write_out(found[-1]), group="export")

        ask.check = check  # type: ignore[method-assign]
        self.push_screen(ask, taken)

    async def _write_out(self, export: Export) -> None:
        """Slice by slice, with its progress in the status bar."""
        try:
            rounds = 0
            while not export.step():
                rounds += 1
                if rounds % 16 == 0:
                    self.say(f"exporting {export.count} of {export.total}")
                    self.changed()
                await asyncio.sleep(0)
            self.say(f"wrote {export.count} transitions to {export.path}")
        except (DumpError, OSError) as error:
            self.say(f"not exported: {error}")
        finally:
            export.abandon()
        self.changed()

    # -- files

    @property
    def files(self) -> Files:
        """Those of the folder."""
        if self._files is None:
            self._files = Files(self.session, self.view, self.outputs, self.artist)
        self._files.view = self.view
        return self._files

    def write_files(self) -> None:
        """Bring the folder up to date, soon: called after any change."""
        if self.outputs.folder and not self._are_files_due:
            self._are_files_due = True
            self.set_timer(FILES_EVERY, self._start_files)

    def _start_files(self) -> None:
        self._are_files_due = False
        self.run_worker(self._write_files(), group="files")

    async def _write_files(self) -> None:
        files = self.files
        was = files.trouble
        await files.write()
        if files.trouble and files.trouble != was:
            self.say(files.trouble)
            self.changed()

    def _set(self, name: str, value: object, text: str) -> None:
        setattr(self.outputs, name, value)
        where = self.outputs.folder
        self.say(f"{text} into {where}" if where else f"{text}; there is no folder: --dir")
        self.write_files()
        self.changed()

    def action_diagrams(self) -> None:
        """The next level of detail."""
        level = (self.outputs.diagrams + 1) % (DETAIL + 1)
        self._set("diagrams", level, f"pictures of level {level}" if level else "no pictures")

    def action_diag_tx(self) -> None:
        """What of a transition is drawn."""
        kind = next_of(DIAG_TX, self.outputs.diag_tx)
        self._set("diag_tx", kind, f"steps in pictures: {kind}")

    def action_diag_group(self) -> None:
        """What becomes of states outside of the group."""
        kind = next_of(DIAG_GROUP, self.outputs.diag_group)
        self._set("diag_group", kind, f"other groups in pictures: {kind}")

    def action_out_tx(self) -> None:
        """The current transition."""
        self._switch("tx", "tx.md")

    def action_out_log(self) -> None:
        """The log."""
        self._switch("log", "log.md")

    def action_call_log(self) -> None:
        """Calls of handlers."""
        self._switch("call_log", "calls")

    def _switch(self, name: str, what: str) -> None:
        is_on = not getattr(self.outputs, name)
        self._set(name, is_on, what if is_on else f"no {what}")

    # -- for browsers

    @property
    def is_served(self) -> bool:
        """Whether browsers can look on."""
        return bool(self._web and self._web.url)

    async def action_web(self) -> None:
        """Let browsers of this computer look on, or stop that."""
        if self._web is not None and self._web.url:
            await self._web.stop()
            self.say("not served any more")
        else:
            self._web = Web(
                {
                    "screen.svg": ("image/svg+xml", self.export_screenshot),
                    "screen.txt": ("text/plain", self.screen_text),
                    "reader.txt": ("text/plain", lambda: tx_text(self.session)),
                },
                self.outputs.folder,
                self.web_port,
            )
            try:
                await self._web.start()
                self.say(f"served at {self._web.url}")
            except OSError as error:
                self.say(f"not served: {error.strerror or error}")
        self.changed()

    def screen_text(self) -> str:
        """What is on the screen, as text."""
        strips = self.screen._compositor.render_strips(self.size)
        return "\n".join(strip.text.rstrip() for strip in strips) + "\n"


def _is_address(text: str) -> bool:
    return text.lower().startswith(SCHEME)
