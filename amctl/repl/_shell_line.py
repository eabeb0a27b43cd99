"""The line that is typed: prompt, menu, search and toolbar as one application of the line editor.

It is made once and run for each line; what it shows is asked for whenever it is drawn.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from prompt_toolkit.application import Application
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.enums import DEFAULT_BUFFER, SEARCH_BUFFER
from prompt_toolkit.filters import Condition, has_focus, is_done, renderer_height_is_known
from prompt_toolkit.key_binding import merge_key_bindings
from prompt_toolkit.key_binding.bindings.auto_suggest import load_auto_suggest_bindings
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    FormattedTextControl,
    HSplit,
    Layout,
    SearchBufferControl,
    Window,
)
from prompt_toolkit.layout.processors import (
    AppendAutoSuggestion,
    ConditionalProcessor,
    HighlightIncrementalSearchProcessor,
    HighlightSelectionProcessor,
    ReverseSearchProcessor,
)
from prompt_toolkit.shortcuts import PromptSession
from prompt_toolkit.utils import is_dumb_terminal

from amctl.repl._shell_keys import bindings, editing_mode
from amctl.repl._shell_menu import Menu, apply
from amctl.repl._shell_style import STYLE, LineLexer

if TYPE_CHECKING:
    from collections.abc import Callable

    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.input import Input
    from prompt_toolkit.layout import Container
    from prompt_toolkit.output import ColorDepth, Output

    from amctl.repl.completing import Completing, Offer
    from amctl.repl.history import JsonHistory

__all__ = ["LineEditor"]


class LineEditor:
    """Reads lines from a terminal.

    Args:
        completing: What Tab offers.
        history: Lines of before; each new one is added.
        prompt: What stands in front of the line.
        toolbar: What stands at the bottom.
        refused: Told what Tab found if it was nothing.
        input, output: The terminal.
        depth: How many colours; None is what the terminal has.
    """

    def __init__(
        self,
        completing: Completing,
        history: JsonHistory,
        *,
        prompt: Callable[[], StyleAndTextTuples],
        toolbar: Callable[[], StyleAndTextTuples],
        refused: Callable[[Offer], None],
        input: Input,
        output: Output,
        depth: ColorDepth | None = None,
    ) -> None:
        self._completing, self._history, self._refused = completing, history, refused
        self._prompt = prompt
        self.buffer = Buffer(
            name=DEFAULT_BUFFER,
            history=history,
            auto_suggest=AutoSuggestFromHistory(),
            multiline=False,
        )
        self.menu = Menu(self.buffer, lambda: (output.get_size().columns, output.get_size().rows))
        self._search = SearchBufferControl(
            buffer=Buffer(name=SEARCH_BUFFER),
            input_processors=[ReverseSearchProcessor()],
            ignore_case=True,
        )
        own = bindings(self.complete, history.append_string)
        self.app: Application[str] = Application(
            layout=self._layout(toolbar),
            style=STYLE,
            include_default_pygments_style=False,
            key_bindings=merge_key_bindings([load_auto_suggest_bindings(), own]),
            editing_mode=editing_mode(),
            reverse_vi_search_direction=True,
            color_depth=depth,
            # Machines may change hundreds of times a second: that many toolbars help nobody.
            min_redraw_interval=0.05,
            input=input,
            output=output,
        )

    def _layout(self, toolbar: Callable[[], StyleAndTextTuples]) -> Layout:
        control = BufferControl(
            buffer=self.buffer,
            search_buffer_control=self._search,
            input_processors=[
                HighlightIncrementalSearchProcessor(),
                HighlightSelectionProcessor(),
                ConditionalProcessor(AppendAutoSuggestion(), has_focus(self.buffer) & ~is_done),
            ],
            include_default_input_processors=False,
            lexer=LineLexer(self._completing.commands),
            preview_search=True,
        )
        line = Window(
            control,
            get_line_prefix=self._prefix,
            wrap_lines=True,
            dont_extend_height=True,
        )
        search = Window(self._search, dont_extend_height=True, height=1)
        is_searching = has_focus(self._search)
        rows: list[Container] = [
            ConditionalContainer(line, ~is_searching),
            ConditionalContainer(search, is_searching),
            self.menu.container(),
            ConditionalContainer(Window(), ~is_done),
            ConditionalContainer(
                Window(FormattedTextControl(toolbar), height=1, style="class:bottom-toolbar"),
                ~is_done & renderer_height_is_known & Condition(self._has_room),
            ),
        ]
        return Layout(HSplit(rows), line)

    def _prefix(self, number: int, wraps: int) -> StyleAndTextTuples:
        return self._prompt() if number == 0 and wraps == 0 else []

    def _has_room(self) -> bool:
        """A toolbar on a screen of two rows would leave none for anything else."""
        return self.app.output.get_size().rows > 3

    @property
    def is_reading(self) -> bool:
        """Whether a line is being typed."""
        return self.app.is_running

    async def read(self) -> str:
        """One line.

        Raises:
            EOFError: Ctrl-D, or the terminal is gone.
            KeyboardInterrupt: Ctrl-C.
        """
        if is_dumb_terminal():
            return await self._read_dumb()
        self.buffer.reset()
        try:
            return await self.app.run_async(set_exception_handler=False, handle_sigint=False)
        except OSError as error:
            raise EOFError from error

    async def _read_dumb(self) -> str:
        """Without a cursor that can be moved there is a prompt, and no more."""
        text = "".join(part[1] for part in self._prompt())
        session: PromptSession[str] = PromptSession(text, input=self.app.input)
        line = await session.prompt_async(handle_sigint=False)
        self._history.append_string(line)
        return line

    def end(self, error: type[BaseException]) -> None:
        """Have `read` raise, if it runs."""
        if self.app.is_running and self.app.future is not None and not self.app.future.done():
            self.app.exit(exception=error())

    def redraw(self) -> None:
        """Show what has changed."""
        self.app.invalidate()

    def complete(self) -> None:
        """Complete the word at the cursor, or say why not."""
        offer = self._completing.offer(self.buffer.document.text_before_cursor)
        apply(self.buffer, offer, menu=self.menu)
        if not offer.candidates:
            self._refused(offer)

    def again(self) -> Callable[[], None]:
        """Completes once more, if the line is still as it is now."""
        return partial(self._complete_if, self.buffer.document.text, asyncio.get_running_loop())

    def _complete_if(self, text: str, loop: asyncio.AbstractEventLoop) -> None:
        if self.is_reading and self.buffer.text == text and not self.buffer.complete_state:
            loop.call_soon(self.complete)
