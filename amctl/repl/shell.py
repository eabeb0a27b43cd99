"""The REPL at a terminal: `amctl> `, results behind `=> `, errors behind `err> `.

Lines are run one after another by the registry; machines that come and go are told above the line
that is being typed. Nothing that the prompt does waits for the network.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

from prompt_toolkit.input import create_input
from prompt_toolkit.output import create_output

from amctl.machine import TaskSet
from amctl.repl._shell_about import Abouts
from amctl.repl._shell_line import LineEditor
from amctl.repl._shell_log import told
from amctl.repl._shell_screen import Screen
from amctl.repl._shell_signals import handled
from amctl.repl._shell_style import clipped, depth, plain
from amctl.repl._shell_watch import Watch
from amctl.repl.completing import Completing
from amctl.repl.errors import HOW_TO_START
from amctl.repl.history import JsonHistory, history_file
from amctl.repl.outcome import Outcome, Verdict

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.input import Input
    from prompt_toolkit.output import Output

    from amctl.repl.command import Context
    from amctl.repl.completing import Offer
    from amctl.repl.registry import Registry

__all__ = ["BANNER", "PROMPT", "run_shell"]

BANNER = "Welcome to amctl! Tab to start, help, or Ctrl+D to exit."
PROMPT = "amctl> "
_HOW_TO_LEAVE = "Ctrl+D or `exit` leaves"
_NAMED = 5
"""How many machines that are not connected are named at the beginning."""


async def run_shell(
    context: Context,
    registry: Registry,
    *,
    color: bool = True,
    history: JsonHistory | None = None,
    input: Input | None = None,
    output: Output | None = None,
) -> Outcome:
    """Read lines from a terminal and run them, until Ctrl-D, `exit` or the terminal's end.

    Machines are left as they are; closing the fleet is the caller's matter. Cancelling it is safe:
    a command that runs is cancelled, and the terminal is as it was. From its end on the process
    ignores SIGHUP, so that machines are parted from though the terminal is gone.

    Args:
        context: Where lines run; its `say`, `show` and `extra["exit"]` become the shell's.
        registry: The commands.
        color: False: none, whatever the terminal could do.
        history: What was typed before; None is the person's own.
        input: Where keys come from; None is stdin.
        output: Where all goes; None is stdout, or stderr if that alone is a terminal.

    Returns:
        DONE; INTERRUPTED if a signal ended it.
    """
    keys = input or create_input()
    shell = _Shell(
        context,
        registry,
        color=color,
        history=history or JsonHistory(history_file()),
        input=keys,
        output=output or create_output(always_prefer_tty=True),
    )
    try:
        return await shell.run()
    finally:
        if input is None:
            keys.close()


class _Shell:
    """One person at one terminal."""

    def __init__(
        self,
        context: Context,
        registry: Registry,
        *,
        color: bool,
        history: JsonHistory,
        input: Input,
        output: Output,
    ) -> None:
        self.tasks = TaskSet("shell")
        self.fleet, self.registry = context.fleet, registry
        self.screen = Screen(output, self.tasks, lambda: self.editor.is_reading, depth(color))
        self.abouts = Abouts(self.tasks)
        self.watch = Watch(
            self.fleet, notice=self._notice, arrived=self.abouts.ask, redraw=self._redraw
        )
        self.editor = LineEditor(
            Completing(registry, self.fleet, self.abouts.known, context.cwd),
            history,
            prompt=self._prompt,
            toolbar=self._toolbar,
            refused=self._refused,
            input=input,
            output=output,
            depth=depth(color),
        )
        self.context = replace(
            context,
            say=self.screen.doing,
            show=self.screen.show,
            extra={**context.extra, "exit": self.leave},
        )
        self._command: asyncio.Task[Outcome] | None = None
        self._given_up = asyncio.Event()
        self._transient = ""
        self._ended: Verdict | None = None

    async def run(self) -> Outcome:
        """From the banner to the end."""
        own = self.fleet.machine
        has_mode = own.has("ReplMode")
        if has_mode:
            own.add("ReplMode")
        try:
            with handled(self._signal), told(self._notice):
                self.watch.start()
                self._welcome()
                while self._ended is None:
                    await self._one()
        finally:
            self.watch.stop()
            if has_mode and not own.is_disposed:
                own.remove("ReplMode")
            await self.screen.settle()
            await self.tasks.close(timeout=2)
        return Outcome(self._ended or Verdict.DONE)

    def leave(self, verdict: Verdict = Verdict.DONE) -> None:
        """End the shell after what is under way."""
        self._ended = self._ended or verdict

    def _welcome(self) -> None:
        self.screen.row([("", BANNER)])
        counts = self.fleet.counts
        if not counts.connected:
            self._notice(f"nothing is connected yet; {HOW_TO_START}")
        lost = [peer for peer in self.fleet.peers if not peer.is_ready]
        for peer in lost[:_NAMED]:
            why = f": {peer.problem}" if peer.problem else " yet"
            self._notice(f"{peer.id or peer.key} is not connected{why}")
        if len(lost) > _NAMED:
            self._notice(f"and {len(lost) - _NAMED} more are not; see: status")

    # -- lines

    async def _one(self) -> None:
        """Read a line, and run it."""
        try:
            line = await self.editor.read()
        except EOFError:
            self.leave()
            return
        except KeyboardInterrupt:
            if not self.editor.buffer.text:
                self._notice(_HOW_TO_LEAVE)
            return
        await self.screen.settle()
        await self._all([part.strip() for part in line.splitlines() if part.strip()])
        if self.screen.is_gone:
            self.leave(Verdict.INTERRUPTED)

    async def _all(self, lines: list[str]) -> None:
        """Run a line, or the lines that were pasted; as a script they end at the first error."""
        for number, line in enumerate(lines, 1):
            outcome = await self._run(line)
            self.screen.show(outcome)
            left = len(lines) - number
            if left and not (outcome.ok and self._ended is None):
                self._notice(f"{left} pasted line{'s' * (left > 1)} did not run")
                return

    async def _run(self, line: str) -> Outcome:
        """What a line answers. Ctrl-C cancels it; once more leaves it behind."""
        self._given_up.clear()
        command = self._command = self.tasks.spawn(self._guarded(line), name=line[:40])
        given_up = self.tasks.spawn(self._given_up.wait(), name="given up")
        try:
            with self.screen.working(line):
                await asyncio.wait({command, given_up}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            command.cancel()
            raise
        finally:
            self._command = None
            given_up.cancel()
        if not command.done():
            return Outcome(Verdict.INTERRUPTED, problems=("left behind: it may still be running",))
        if command.cancelled():
            return Outcome(Verdict.INTERRUPTED, problems=("canceled by Ctrl+C",))
        return command.result()

    async def _guarded(self, line: str) -> Outcome:
        """A bug in one command isn't the end of the others."""
        try:
            return await self.registry.run_line(self.context, line)
        except Exception as error:
            text = f"this is a bug of ours: {type(error).__name__}: {error}"
            return Outcome(Verdict.FAILED, problems=(text,))

    def _signal(self, number: int) -> None:
        if number != signal.SIGINT:
            self.leave(Verdict.INTERRUPTED)
            self._given_up.set()
            self.editor.end(EOFError)
        if self._command is None:
            self.editor.end(KeyboardInterrupt)
        elif self._command.cancelling():
            self._given_up.set()
        else:
            self._command.cancel()

    # -- what is shown

    def _status(self) -> str:
        counts = self.fleet.counts
        if not counts.connected:
            return "none"
        return "all" if counts.connected == counts.total else "some"

    def _prompt(self) -> StyleAndTextTuples:
        return [(f"class:prompt.{self._status()}", PROMPT)]

    def _toolbar(self) -> StyleAndTextTuples:
        counts, width = self.fleet.counts, self.screen.size[0]
        text = clipped(f"{counts.connected} of {counts.total} connected", width)
        room = width - len(text) - 3
        last = f" · {clipped(plain(self.watch.last), room)}" if self.watch.last and room > 8 else ""
        return [(f"class:bottom-toolbar.{self._status()}", text), ("", last)]

    def _redraw(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closing: nothing to draw any more
            self.editor.redraw()

    def _notice(self, text: str) -> None:
        self._transient = text
        self.screen.notice(text)

    def _refused(self, offer: Offer) -> None:
        """Tab found nothing: say why, but not twice in a row; ask who must be asked."""
        if offer.note and offer.note != self._transient:
            self._notice(offer.note)
        for peer in offer.unknown:
            self.abouts.ask(peer, self.editor.again())
