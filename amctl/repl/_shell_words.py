"""Where the cursor stands in a line that is still being typed: which word, of which parameter."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from amctl.repl.command import Kind
from amctl.repl.parsing import options_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.repl.command import Command, Param

__all__ = ["Place", "Word", "find_option", "is_flag", "place_of", "quoted", "split"]

_NEEDS_QUOTES = re.compile(r"[\s'\"\\#]")
_NUMBER = re.compile(r"-\d")


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it was meant, and where it begins in the line."""

    text: str
    start: int


def split(line: str) -> tuple[list[Word], Word]:
    """The words that are complete, and the one at the line's end; it may be empty, or half quoted.

    Quotes and backslashes work as in a shell; a quote that is still open is no error.
    """
    words: list[Word] = []
    text, start, quote, is_word = "", 0, "", False
    at = 0
    while at < len(line):
        char = line[at]
        if not is_word and not char.isspace():
            start, is_word = at, True
        if char == "\\" and quote != "'" and at + 1 < len(line):
            at += 1
            text += line[at]
        elif quote:
            quote, text = ("", text) if char == quote else (quote, text + char)
        elif char in "'\"":
            quote = char
        elif not char.isspace():
            text += char
        elif is_word:
            words.append(Word(text, start))
            text, is_word = "", False
        at += 1
    return words, Word(text, start if is_word else len(line))


def quoted(text: str) -> str:
    """A word as it must be typed."""
    if not _NEEDS_QUOTES.search(text):
        return text
    return "'" + text.replace("'", "'\"'\"'") + "'"


@dataclass(slots=True)
class Place:
    """What was typed of a command, and what comes now."""

    values: dict[str, list[str]] = field(default_factory=dict)
    """By parameter: what it was given so far."""
    words: list[str] = field(default_factory=list)
    """The positional words so far."""
    used: set[str] = field(default_factory=set)
    """Names of the options so far."""
    param: Param | None = None
    """What the word at the cursor belongs to; None if no word is expected."""
    is_value: bool = False
    """Whether it is the value of an option."""
    head: str = ""
    """The part of the word in front of the value: `--flag=`."""

    is_behind_dashes: bool = False
    """Whether `--` has ended the options."""

    def of(self, param: Param) -> list[str]:
        """What a parameter was given."""
        return self.values.get(param.name, [])

    def note(self, param: Param, value: str) -> None:
        """A parameter was given a value."""
        self.values.setdefault(param.name, []).append(value)


def is_flag(word: str) -> bool:
    """Whether a word names an option; `-1` is a number."""
    return word.startswith("-") and not _NUMBER.match(word)


def place_of(command: Command, words: Sequence[str], last: str) -> Place:
    """Where the word `last` stands, behind the complete `words` of a command.

    Unknown options count as switches. Behind `--` there are only positional words.
    """
    place = Place()
    positional = [p for p in command.params if not p.flags]
    pending: Param | None = None
    for word in words:
        if pending is not None:
            place.note(pending, word)
            pending = None
        elif word == "--" and not place.is_behind_dashes:
            place.is_behind_dashes = True
        elif is_flag(word) and not place.is_behind_dashes:
            pending = _option(command, place, word)
        else:
            owner = _owner(positional, len(place.words))
            place.words.append(word)
            if owner is not None:
                place.note(owner, word)
    if pending is not None:
        place.param, place.is_value = pending, True
        return place
    name, equals, _ = last.partition("=")
    option = find_option(command, name) if is_flag(last) and equals else None
    if option is not None and option.kind is not Kind.SWITCH and not place.is_behind_dashes:
        place.param, place.is_value, place.head = option, True, name + "="
    else:
        place.param = _owner(positional, len(place.words))
    return place


def _option(command: Command, place: Place, word: str) -> Param | None:
    """Note an option; the parameter if its value is the next word."""
    name, equals, value = word.partition("=")
    if not word.startswith("--"):
        name, value = word[:2], word[2:].removeprefix("=")
        equals = value
    param = find_option(command, name)
    if param is None:
        return None
    place.used.add(param.name)
    if param.kind is Kind.SWITCH:
        return None
    if equals:
        place.note(param, value)
        return None
    return param


def find_option(command: Command, name: str) -> Param | None:
    """The option of that name; a switch also by `--no-name`."""
    for param in options_of(command):
        if name in param.flags:
            return param
        positive = "--" + name.removeprefix("--no-")
        if param.kind is Kind.SWITCH and name.startswith("--no-") and positive in param.flags:
            return param
    return None


def _owner(positional: Sequence[Param], index: int) -> Param | None:
    if index < len(positional):
        return positional[index]
    last = positional[-1] if positional else None
    return last if last is not None and last.many else None
