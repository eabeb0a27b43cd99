"""From words to values: the one parser of command lines, and the split of lines into words.

Every call fills a fresh mapping, so that a flag of one line can't leak into the next one.
"""

from __future__ import annotations

import re
import shlex
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from amctl.repl.command import Kind, Param
from amctl.repl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amctl.repl.command import Command

__all__ = ["HELP", "JSON", "options_of", "parse", "parse_duration", "split", "usage_line"]

HELP = Param("help", Kind.SWITCH, "Show this command's help.", ("-h", "--help"), default=False)
JSON = Param("json", Kind.SWITCH, "One JSON document.", ("--json",), default=False)
_COMMON = (JSON, HELP)
"""Options that every command has."""

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)?")
_WORD = re.compile(r"""(?:\\.|'[^']*'|"(?:\\.|[^"\\])*"|[^\s\\'"])+|\\$|['"]""", re.S)


def split(text: str) -> list[str]:
    """The words of a line, quoted as in a shell; `#` at the start of a word begins a comment.

    Raises:
        UsageError: A quote isn't closed.
    """
    code = text
    for match in _WORD.finditer(text):
        if match[0].startswith("#"):
            code = text[: match.start()]
            break
    try:
        return shlex.split(code)
    except ValueError as error:
        problem = str(error).lower()
        raise UsageError(f"{problem}: {text.strip()}", 'close it, or quote it: "it\'s"') from None


def parse_duration(text: str) -> float:
    """Seconds of `500ms`, `30s`, `2m`, `1h` or a bare number of seconds; 0 is allowed.

    Raises:
        ValueError: If the text is none of these.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no duration such as 500ms, 30s, 2m")
    return float(match[1]) * _UNITS[match[2] or ""]


def options_of(command: Command) -> tuple[Param, ...]:
    """All options of a command, those that every command has at the end."""
    own = tuple(param for param in command.params if param.flags)
    return (*own, *(param for param in _COMMON if not _clashes(param, own)))


def _clashes(param: Param, own: Sequence[Param]) -> bool:
    return any(flag in other.flags for other in own for flag in param.flags)


def usage_line(command: Command) -> str:
    """`add MACH STATE... [OPTION...]`."""
    words = [command.name]
    for param in command.params:
        if not param.flags:
            word = param.name.upper().replace("_", "-") + ("..." if param.many else "")
            words.append(word if param.required else f"[{word}]")
    return " ".join([*words, "[OPTION...]"])


def parse(command: Command, words: Sequence[str]) -> dict[str, Any]:
    """The value of every param, and of `json` and `help`, from the words behind a command's name.

    Options may stand anywhere: `--name VALUE`, `--name=VALUE`, `-n VALUE`, `-nVALUE`, `-n=VALUE`;
    switches `--x`, `--no-x`, `--x=true`, several short ones in one word. Behind `--` there are only
    positional words. Of an option that is no list the last one counts. If help is asked for,
    nothing may be missing.

    Raises:
        UsageError: With what would have been right.
    """
    return _Parsing(command, words).result()


class _Parsing:
    """One command line."""

    def __init__(self, command: Command, words: Sequence[str]) -> None:
        self.command, self.words = command, list(words)
        self.options = options_of(command)
        self.places = [param for param in command.params if not param.flags]
        self.values: dict[str, Any] = {
            p.name: [] if p.many else p.default for p in (*self.options, *self.places)
        }
        self.given: set[str] = set()

    def result(self) -> dict[str, Any]:
        plain: list[str] = []
        queue = iter(self.words)
        for word in queue:
            if word == "--":
                plain += queue
            elif word.startswith("--"):
                self._long(word, queue)
            elif word.startswith("-") and word != "-":
                self._short(word, queue)
            else:
                plain.append(word)
        self._place(plain)
        for param in self.options:
            if param.many and param.name not in self.given:
                self.values[param.name] = list(param.default or ())
        return self.values

    # -- options

    def _long(self, word: str, queue: Iterator[str]) -> None:
        name, equals, text = word.partition("=")
        param = self._find(name)
        if param is None and name.startswith("--no-"):
            param = self._find(f"--{name.removeprefix('--no-')}")
            if param is not None and param.kind is Kind.SWITCH:
                self._store(param, not self._boolean(name, text) if equals else False)
                return
            param = None
        if param is None:
            raise self._unknown(name)
        self._take(param, name, text if equals else None, queue)

    def _short(self, word: str, queue: Iterator[str]) -> None:
        at = 1
        while at < len(word):
            name, rest = f"-{word[at]}", word[at + 1 :]
            param = self._find(name)
            if param is None:
                raise self._unknown(name if at > 1 else word)
            if param.kind is not Kind.SWITCH or rest.startswith("="):
                self._take(param, name, rest.removeprefix("=") if rest else None, queue)
                return
            self._store(param, True)
            at += 1

    def _take(self, param: Param, name: str, text: str | None, queue: Iterator[str]) -> None:
        if param.kind is Kind.SWITCH:
            self._store(param, True if text is None else self._boolean(name, text))
            return
        if text is None:
            text = next(queue, None)
            if text is None:
                raise self._wrong(f"option {name} needs a value", param.help)
        self._store(param, self._value(param, name, text))

    def _store(self, param: Param, value: Any) -> None:
        if param.many:
            self.values[param.name].append(value)
        else:
            self.values[param.name] = value
        self.given.add(param.name)

    def _find(self, name: str) -> Param | None:
        return next((param for param in self.options if name in param.flags), None)

    # -- words

    def _place(self, plain: Sequence[str]) -> None:
        rest = list(plain)
        for param in self.places:
            label = param.name.upper().replace("_", "-")
            if param.many:
                self.values[param.name] = [self._value(param, label, word) for word in rest]
                rest = []
            elif rest:
                self.values[param.name] = self._value(param, label, rest.pop(0))
            if param.required and self.values[param.name] in (None, []) and not self._wants_help:
                raise self._wrong(f"{self.command.name} needs {label}")
        if rest and not self._wants_help:
            raise self._wrong(f"{self.command.name} takes no further word: {rest[0]!r}")

    @property
    def _wants_help(self) -> bool:
        return bool(self.values.get("help"))

    # -- values

    def _value(self, param: Param, label: str, text: str) -> Any:
        try:
            if param.kind is Kind.NUMBER:
                return _number(text)
            if param.kind is Kind.DURATION:
                return parse_duration(text)
        except ValueError as error:
            raise self._wrong(f"{label}: {error}") from None
        return text

    def _boolean(self, name: str, text: str) -> bool:
        value = _BOOLEANS.get(text.lower())
        if value is None:
            raise self._wrong(f"{name}: {text!r} is neither true nor false")
        return value

    # -- errors

    def _unknown(self, name: str) -> UsageError:
        known = [flag for param in self.options for flag in param.flags]
        close = get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else ""
        hint = hint or f"see: amctl repl -- help {self.command.name}"
        return UsageError(f"{self.command.name} has no option {name}", hint)

    def _wrong(self, problem: str, help: str = "") -> UsageError:
        usage = f"usage: {usage_line(self.command)}"
        return UsageError(problem, help or usage)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"{text!r} is no whole number, 0 or more")
    return int(text)
