"""The terminal: what is printed above the prompt, and the line of a command that takes its time."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING

from prompt_toolkit.application import get_app_or_none, in_terminal
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.renderer import print_formatted_text

from amctl.repl._shell_style import STYLE, clipped, plain, rows_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.output import ColorDepth, Output

    from amctl.machine import TaskSet
    from amctl.repl.outcome import Outcome

__all__ = ["Screen"]

PATIENCE = 0.4
"""Seconds after which a command shows that it works."""
_FRAME = 0.12
_WHEEL = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_PLAIN_WHEEL = "|/-\\"


class Screen:
    """Prints rows, in order, wherever the prompt stands.

    Args:
        output: The terminal.
        tasks: Where printing above a prompt runs.
        is_prompting: Whether a line is being typed now.
        depth: How many colours; None is what the terminal has.
    """

    def __init__(
        self,
        output: Output,
        tasks: TaskSet,
        is_prompting: Callable[[], bool],
        depth: ColorDepth | None = None,
    ) -> None:
        self.output = output
        self._tasks, self._is_prompting, self._depth = tasks, is_prompting, depth
        self._waiting: list[StyleAndTextTuples] = []
        self._printing: asyncio.Task[None] | None = None
        self._doing = ""
        self._is_drawn = False
        self.is_gone = False
        """Whether the terminal is no longer there."""

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        size = self.output.get_size()
        return size.columns, size.rows

    @property
    def _moves(self) -> bool:
        """Whether the cursor can be moved, as on a terminal."""
        stdout = self.output.stdout
        return stdout is None or stdout.isatty()

    # -- rows

    def show(self, outcome: Outcome) -> None:
        """An answer."""
        self._rows(list(rows_of(outcome, self.size[0] if self._moves else 0)))

    def notice(self, text: str) -> None:
        """Something that nobody asked for: it says so."""
        self.row([("class:notice", f"-- {plain(text)}")])

    def row(self, fragments: StyleAndTextTuples) -> None:
        """One row. Above the prompt it comes as soon as the prompt can be put aside."""
        self._rows([fragments])

    def _rows(self, rows: list[StyleAndTextTuples]) -> None:
        if self._is_prompting() or self._printing is not None:
            self._waiting += rows
            if self._printing is None:
                self._printing = self._tasks.spawn(self._print_above(), name="notices")
            return
        self.erase_wait()
        self._print(rows)

    async def _print_above(self) -> None:
        try:
            while self._waiting:
                async with _put_aside():
                    rows, self._waiting = self._waiting, []
                    self._print(rows)
        finally:
            self._printing = None

    async def settle(self) -> None:
        """Wait until all rows are printed."""
        if self._printing is not None:
            await asyncio.wait([self._printing])
        rows, self._waiting = self._waiting, []
        self._print(rows)

    def _print(self, rows: list[StyleAndTextTuples]) -> None:
        text: StyleAndTextTuples = []
        for row in rows:
            text += [*row, ("", "\n")]
        self._write(text)

    def _write(self, text: StyleAndTextTuples) -> None:
        """All at once: long answers come as fast as the terminal takes them."""
        try:
            # The one of `shortcuts` would put the prompt aside once more, in its own way and later.
            print_formatted_text(self.output, FormattedText(text), STYLE, color_depth=self._depth)
        except OSError:
            self.is_gone = True

    # -- a command at work

    def doing(self, text: str) -> None:
        """What the command is doing, for the line that shows that it works."""
        self._doing = plain(text)

    @contextlib.contextmanager
    def working(self, what: str) -> Iterator[None]:
        """While this lasts, a command runs: after a moment a line shows it, and how long."""
        self.doing(what)
        if not self._moves:
            yield
            return
        task = self._tasks.spawn(self._turn(), name="wheel")
        try:
            with _silent(self.output):
                yield
        finally:
            task.cancel()
            self.erase_wait()

    async def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.sleep(PATIENCE)
        wheel = _WHEEL if "utf" in self.output.encoding().lower() else _PLAIN_WHEEL
        number = 0
        while not self.is_gone:
            seconds = int(loop.time() - began)
            self._draw(f"{wheel[number % len(wheel)]} {self._doing}", f"{seconds} s")
            number += 1
            await asyncio.sleep(_FRAME)

    def _draw(self, text: str, seconds: str) -> None:
        width = self.size[0] - 1
        tail = f"  {seconds}  Ctrl-C cancels"
        if width < len(tail) + 12:
            tail = f" {seconds}"
        line = clipped(text, max(0, width - len(tail))) + tail
        with contextlib.suppress(OSError):
            self.output.write_raw("\r")
            self._write([("class:wait", clipped(line, width))])
            self.output.erase_end_of_line()
            self.output.flush()
        self._is_drawn = True

    def erase_wait(self) -> None:
        """Take the line of a command at work away; it comes back with its next frame."""
        if self._is_drawn:
            self._is_drawn = False
            with contextlib.suppress(OSError):
                self.output.write_raw("\r")
                self.output.erase_end_of_line()
                self.output.flush()


@contextlib.asynccontextmanager
async def _put_aside() -> AsyncIterator[None]:
    """Make room above the prompt, and draw it again afterwards.

    The library's own way makes the terminal a plain one for that time, which then writes the keys
    that are pressed into the rows. This one leaves it as it is, but for somebody else who has it.
    """
    app = get_app_or_none()
    if app is None or not app.is_running or getattr(app, "_running_in_terminal", False):
        async with in_terminal():
            yield
        return
    if app.output.responds_to_cpr:
        await app.renderer.wait_for_cpr_responses()
    if not app.is_running:  # the line was entered meanwhile
        yield
        return
    app.renderer.erase()
    try:
        yield
    finally:
        app.renderer.reset()
        app.renderer.request_absolute_cursor_position()
        app.invalidate()


@contextlib.contextmanager
def _silent(output: Output) -> Iterator[None]:
    """Keep the terminal from writing keys into a command's output; they wait for the prompt."""
    stdout = output.stdout
    try:
        import termios

        number = sys.stdin.fileno()
        before = termios.tcgetattr(number)
    except (ImportError, OSError, ValueError, termios.error):
        yield
        return
    if stdout is None:
        yield
        return
    quiet = list(before)
    quiet[3] &= ~(termios.ECHO | termios.ECHONL)
    try:
        termios.tcsetattr(number, termios.TCSANOW, quiet)
        yield
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(number, termios.TCSANOW, before)
