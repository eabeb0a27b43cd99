"""Colours of the shell, and lines as it shows them: prefixed, dedented, free of control codes."""

from __future__ import annotations

import os
import textwrap
from typing import TYPE_CHECKING

from prompt_toolkit.lexers import Lexer
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style
from prompt_toolkit.utils import get_cwidth

from amctl.repl._shell_words import is_flag, split
from amctl.repl.rendering import folded

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator

    from prompt_toolkit.document import Document
    from prompt_toolkit.formatted_text import StyleAndTextTuples

    from amctl.repl.outcome import Outcome

__all__ = ["STYLE", "LineLexer", "clipped", "depth", "plain", "rows_of"]

STYLE = Style.from_dict(
    {
        "prompt.all": "ansiyellow",
        "prompt.some": "ansimagenta",
        "prompt.none": "ansired",
        "result": "ansibrightblack",
        "error": "ansired bold",
        "hint": "ansicyan",
        "notice": "ansibrightblack",
        "wait": "ansibrightblack",
        "command": "ansigreen bold",
        "option": "ansicyan",
        "comment": "ansibrightblack",
        "auto-suggestion": "ansibrightblack",
        "offer.usage": "ansibrightblack",
        "offer.heading": "ansiyellow bold",
        "offer.help": "",
        "offer.selected": "reverse bold",
        "scrollbar.background": "bg:default",
        "scrollbar.button": "bg:ansibrightblack",
        "bottom-toolbar": "noreverse ansibrightblack",
        "bottom-toolbar.all": "ansigreen",
        "bottom-toolbar.some": "ansiyellow",
        "bottom-toolbar.none": "ansired",
    }
)


def depth(color: bool) -> ColorDepth | None:
    """How many colours to use; None leaves it to the terminal, and to NO_COLOR."""
    return None if color and not os.environ.get("NO_COLOR") else ColorDepth.MONOCHROME


def plain(text: str) -> str:
    """Text of others, with nothing in it that moves a cursor."""
    text = text.expandtabs(4)
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def clipped(text: str, width: int) -> str:
    """As much of a text as fits into so many columns."""
    if get_cwidth(text) <= width:
        return text
    out, room = "", max(0, width - 1)
    for char in text:
        room -= get_cwidth(char)
        if room < 0:
            break
        out += char
    return out + "…" if width > 0 else ""


def rows_of(outcome: Outcome, width: int = 0) -> Iterator[StyleAndTextTuples]:
    """The rows of an answer: `=> ` in front of results, `err> ` in front of errors.

    Args:
        outcome: The answer.
        width: Columns that a row may take; 0: any number.
    """
    for line in _flat(outcome.lines, width - 3):
        yield [("class:result", "=> "), ("", line)]
    problems = outcome.problems
    if not outcome.ok and not problems and not outcome.lines:
        problems = (str(outcome.verdict),)
    for line in _flat(problems, width - 5):
        yield [("class:error", "err> "), ("", line)]
    for line in _flat([f"hint: {outcome.hint}"] if outcome.hint else [], width - 5):
        yield [("class:error", "err> ") if problems else ("class:result", "=> "), ("", line)]


def _flat(texts: Iterable[str], width: int) -> Iterator[str]:
    for text in texts:
        # Of one line the indent says something; of several what they share does not.
        for line in (textwrap.dedent(text) if "\n" in text else text).split("\n"):
            yield from folded(plain(line.rstrip("\r")), width)


class LineLexer(Lexer):
    """Colours a line while it is typed: its command, its options, its comment.

    Args:
        commands: What is a command.
    """

    def __init__(self, commands: Container[str]) -> None:
        self.commands = commands

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """Called by the prompt for each text it draws."""
        lines = document.lines
        return lambda number: self.row(lines[number]) if number < len(lines) else []

    def row(self, line: str) -> StyleAndTextTuples:
        """One line in pieces; together they are the line."""
        words, last = split(line)
        fragments: StyleAndTextTuples = []
        at, style = 0, ""
        for number, word in enumerate([*words, last]):
            if style != "class:comment":
                fragments.append((style, line[at : word.start]))
                at, style = word.start, self._style_of(number, word.text)
        return [*fragments, (style, line[at:])]

    def _style_of(self, number: int, word: str) -> str:
        if word.startswith("#"):
            return "class:comment"
        if number == 0:
            return "class:command" if word in self.commands else ""
        return "class:option" if is_flag(word) else ""
