"""YAML files as plain data that knows where each value stands.

Only the nodes of PyYAML are used, and a reader of our own makes values of them: so every error has
a place, and no tag can ask for a Python object. Words mean what YAML 1.2 says: `on` and `no` are
text, so a state may be called so. Anchors may be used; what they expand to is counted, so that a
small file can't become a large one.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from amctl.repl.playbook.errors import Place, PlaybookError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["LARGEST_FILE", "MOST_VALUES", "Document", "YamlPath", "parse", "read", "walk"]

LARGEST_FILE = 512 * 1024
"""Bytes."""
MOST_VALUES = 50_000
"""Values of one file, anchors expanded."""
DEEPEST = 40
LONGEST_LINE = 200
"""Of a line that is shown."""

YamlPath = tuple[str | int, ...]
"""Keys and indexes that lead to a value."""

_NULL = re.compile(r"null|Null|NULL|~|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_TAG = "tag:yaml.org,2002:"
_TAGS = {f"{_TAG}{name}": name for name in ("str", "int", "float", "bool", "null", "map", "seq")}


class _Loader(yaml.SafeLoader):
    """Makes nodes, whose tags say what plain words are in YAML 1.2."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # PyYAML declares it so


for _kind, _pattern in (("null", _NULL), ("bool", _BOOL), ("int", _INT), ("float", _FLOAT)):
    _Loader.add_implicit_resolver(f"{_TAG}{_kind}", re.compile(f"(?:{_pattern.pattern})$"), None)


@dataclass(frozen=True, slots=True)
class _Mark:
    line: int
    column: int
    lead: int
    """Characters before the text itself: a quote; -1 if it isn't written in one line as it is."""


@dataclass(slots=True)
class Document:
    """A file's data, and the places of its values and keys."""

    file: str
    data: Any = None
    lines: list[str] = field(default_factory=list)
    _values: dict[YamlPath, _Mark] = field(default_factory=dict)
    _keys: dict[YamlPath, _Mark] = field(default_factory=dict)

    def place(self, path: YamlPath, offset: int | None = None) -> Place:
        """Where a value stands, or what is nearest around it.

        Args:
            path: Of the value.
            offset: Characters into its text, behind a quote; None is the value's beginning.
        """
        mark = self._nearest(path, self._values)
        shift = 0 if offset is None or mark.lead < 0 else offset + mark.lead
        return Place(self.file, mark.line, mark.column + shift)

    def key_place(self, path: YamlPath) -> Place:
        """Where the key of a value stands."""
        mark = self._keys.get(path) or self._nearest(path, self._values)
        return Place(self.file, mark.line, mark.column)

    def problem(self, place: Place, text: str, hint: str = "") -> Problem:
        """Something that is wrong there, with the line it stands in."""
        line = self.lines[place.line - 1] if 0 < place.line <= len(self.lines) else ""
        return Problem(place, text, hint, line[:LONGEST_LINE])

    def at(self, path: YamlPath) -> Any:
        """The value at a path; None if there is none."""
        value = self.data
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    @staticmethod
    def _nearest(path: YamlPath, marks: dict[YamlPath, _Mark]) -> _Mark:
        while path not in marks and path:
            path = path[:-1]
        return marks.get(path, _Mark(1, 1, -1))


def read(path: Path, name: str = "") -> Document:
    """Read a file; `name` is what it is called in errors.

    Raises:
        PlaybookError: It isn't there, isn't text, is too large, or isn't YAML of plain data.
    """
    name = name or str(path)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise _whole(name, f"can't be read: {error.strerror or error}") from None
    if len(data) > LARGEST_FILE:
        raise _whole(name, f"is larger than {LARGEST_FILE // 1024} KiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _whole(name, f"is no UTF-8: byte 0x{data[error.start]:02x}", line) from None
    return parse(text, name)


def parse(text: str, name: str) -> Document:
    """The data of a YAML text. Raises PlaybookError."""
    document = Document(name, lines=text.splitlines())
    try:
        node = _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        raise PlaybookError([_syntax(document, error)]) from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise _whole(
            name, f"holds a character that YAML takes none of: {error.character:#x}", line
        ) from None
    except RecursionError:
        raise _whole(name, "is nested too deeply") from None
    if node is None:
        raise _whole(name, "is empty", hint="a playbook is a list of plays")
    reader = _Reader(document)
    document.data = reader.value(node, ())
    if reader.problems:
        raise PlaybookError(reader.problems)
    return document


def _whole(name: str, text: str, line: int = 0, hint: str = "") -> PlaybookError:
    return PlaybookError([Problem(Place(name, line, 1 if line else 0), text, hint)])


def _syntax(document: Document, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = Place(document.file, mark.line + 1, mark.column + 1) if mark else Place(document.file)
    text = error.problem or error.context or "is no YAML"
    hint = ""
    if "'\\t'" in text:
        text, hint = "a tab stands here, and YAML takes none", "indent with spaces"
    elif "found undefined alias" in text:
        hint = "an anchor (&name) has to stand before its alias (*name)"
    elif "expected a single document" in text or "but found another document" in text:
        text, hint = "a second document begins here", "one file is one list: leave the `---` out"
    elif error.context:
        text = f"{text}, {error.context}"
    return document.problem(place, text, hint)


class _TooMuchError(Exception):
    """The count of values is used up."""


class _Reader:
    """Makes values of nodes, and notes where they stand."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._left = MOST_VALUES
        self._open: list[yaml.Node] = []
        self.problems: list[Problem] = []

    def value(self, node: yaml.Node, path: YamlPath) -> Any:
        """The value of a node; problems are noted, and None stands for what can't be read."""
        try:
            return self._value(node, path)
        except _TooMuchError:
            text = f"holds more than {MOST_VALUES} values, with its anchors expanded"
            self.problems = [Problem(Place(self._document.file), text)]
            return None

    def _value(self, node: yaml.Node, path: YamlPath) -> Any:
        self._left -= 1
        if self._left < 0:
            raise _TooMuchError
        self._document._values.setdefault(path, _mark(node))
        if node in self._open:
            return self._wrong(node, "an anchor holds itself")
        if len(self._open) > DEEPEST:
            return self._wrong(node, f"is nested more than {DEEPEST} levels deep")
        self._open.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode):
                if not node.tag.endswith(":seq"):
                    return self._tagged(node)
                return [self._value(item, (*path, i)) for i, item in enumerate(node.value)]
            return self._scalar(node)
        finally:
            self._open.pop()

    def _mapping(self, node: yaml.MappingNode, path: YamlPath) -> Any:
        if not node.tag.endswith(":map"):
            return self._tagged(node)
        out: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == "<<" and key.style is None:
                self._merge(value, path, merged)
                continue
            name = self._key(key)
            if name is None:
                continue
            line = key.start_mark.line + 1
            if name in first:
                text = f"{name!r} stands here for the second time, after line {first[name]}"
                self._wrong(key, text, "one of them would be lost")
                continue
            first[name] = line
            self._document._keys[(*path, name)] = _mark(key)
            self._document._values.pop((*path, name), None)  # a merged one's
            out[name] = self._value(value, (*path, name))
        return {**merged, **out}

    def _merge(self, node: yaml.Node, path: YamlPath, into: dict[str, Any]) -> None:
        """`<<: *other`: what `other` has, unless it stands here too; the first of several wins."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for each in nodes:
            if not isinstance(each, yaml.MappingNode):
                self._wrong(each, "only a mapping can be merged by `<<`")
                continue
            for name, value in (self._value(each, path) or {}).items():
                into.setdefault(name, value)

    def _key(self, node: yaml.Node) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            hint = "quote a variable: '{{ name }}'" if isinstance(node, yaml.MappingNode) else ""
            self._wrong(node, "a key has to be a text", hint)
            return None
        value = self._scalar(node)
        if isinstance(value, str):
            return value
        self._wrong(node, f"a key has to be a text, not {value!r}", f'quote it: "{node.value}"')
        return None

    def _scalar(self, node: yaml.Node) -> Any:
        kind = _TAGS.get(node.tag)
        if kind is None:
            return self._tagged(node)
        return node.value if kind == "str" else self._cast(node, kind)

    def _cast(self, node: yaml.Node, kind: str) -> Any:
        """The value of `3`, or of `!!int "3"`."""
        text: str = node.value
        try:
            if kind == "int":
                return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
            if kind == "float":
                return _finite(text)
        except ValueError:
            return self._wrong(node, f"{_clip(text)} is no {kind} that can be used")
        if kind == "bool" and _BOOL.fullmatch(text):
            return text.lower() == "true"
        if kind == "null" and _NULL.fullmatch(text):
            return None
        return self._wrong(node, f"{_clip(text)} is no {kind}")

    def _tagged(self, node: yaml.Node) -> Any:
        tag = node.tag.replace(_TAG, "!!")
        return self._wrong(node, f"the tag {tag!r} isn't taken", "write the plain value")

    def _wrong(self, node: yaml.Node, text: str, hint: str = "") -> None:
        mark = _mark(node)
        place = Place(self._document.file, mark.line, mark.column)
        self.problems.append(self._document.problem(place, text, hint))


def _clip(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}...")


def _finite(text: str) -> float:
    value = float(text.replace(".inf", "inf").replace(".nan", "nan").lower())
    if not math.isfinite(value):
        raise ValueError("it has to be finite")
    return value


def _mark(node: yaml.Node) -> _Mark:
    start, end = node.start_mark, node.end_mark
    lead = -1
    if isinstance(node, yaml.ScalarNode) and start.line == end.line and node.style in _LEADS:
        lead = _LEADS[node.style]
    return _Mark(start.line + 1, start.column + 1, lead)


_LEADS: dict[str | None, int] = {None: 0, "'": 1, '"': 1}


def walk(value: Any, path: YamlPath = ()) -> Iterator[tuple[YamlPath, str]]:
    """Every text within a value, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from walk(inner, (*path, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from walk(inner, (*path, i))
