"""What msgspec says is wrong, in plain words, at its place in the file and with the value seen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from amctl.repl.playbook.errors import Problem, near
from amctl.repl.playbook.models import IN_WORDS, Assert, Pause, Play

if TYPE_CHECKING:
    from amctl.repl.playbook.reading import Document, YamlPath

__all__ = ["explained", "kind"]

_SYNONYMS = {
    "hosts": "machines",
    "host": "machines",
    "machine": "machines",
    "with_items": "loop",
    "block": "include",
    "import_tasks": "include",
    "include_tasks": "include",
    "rescue": "on_failure",
    "always": "on_failure",
    "command": "run",
    "shell": "run",
    "wait": "when",
    "wait_for": "when",
    "state": "add",
    "states": "add",
}
"""What users of other tools may write -> what it is called here."""
_PART = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]|\[(\.\.\.)\]")


def kind(value: Any) -> str:
    """What a value is, for people."""
    kinds = {dict: "a mapping", list: "a list", str: "a text", bool: "true or false"}
    return kinds.get(type(value), "nothing" if value is None else "a number")


def explained(
    document: Document,
    path: YamlPath,
    model: type[Any],
    data: Any,
    error: msgspec.ValidationError,
) -> Problem:
    """msgspec's word for what is wrong, at its place and with the value seen."""
    message = str(error)
    text, _, where = message.partition(" - at `")
    inner: list[str | int] = []
    for name, index, _ in _PART.findall(where.rstrip("`")):
        if name or index:
            inner.append(name or int(index))
        else:
            inner.append(_culprit(data, inner, model, message))
    at = (*path, *inner)
    if (match := re.fullmatch(r"Object contains unknown field `(.*)`", text)) is not None:
        place = document.key_place((*at, match[1]))
        return document.problem(
            place, f"unknown field {match[1]!r}", _known(model, inner, match[1])
        )
    if (match := re.fullmatch(r"Object missing required field `(.*)`", text)) is not None:
        what = "play" if model is Play else "value"
        return document.problem(document.place(at), f"the {what} lacks {match[1]!r}")
    seen = data
    for part in inner:
        seen = seen[part]
    return document.problem(document.place(at), _sentence(inner, text, seen))


def _sentence(inner: list[str | int], text: str, seen: Any) -> str:
    subject = f"{inner[-1]!r} " if inner and isinstance(inner[-1], str) else ""
    if not inner:
        return f"a play or task is a mapping of names to values, not {kind(seen)}"
    if (match := re.fullmatch(r"Expected `str` matching regex '(.*)'", text)) is not None:
        words = IN_WORDS.get(match[1].replace("\\\\", "\\"), "a name of letters, digits and _")
    else:
        words = re.sub(r"^Expected ", "", text).partition(", got")[0].replace("`", "")
        for name, plain in _PLAIN.items():
            words = re.sub(rf"\b{name}\b", plain, words)
        words = words.replace(" | ", " or ")
    if seen in ("", []):
        return f"{subject}has to be {words.partition(' of length')[0]} that isn't empty"
    shown = repr(seen) if isinstance(seen, str | int | float) else kind(seen)
    return f"{subject}has to be {words}, not {shown:.60}"


_PLAIN = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a mapping",
}


def _known(model: type[Any], inner: list[str | int], word: str) -> str:
    classes: dict[str | int, type[Any]] = {"assert": Assert, "pause": Pause}
    cls = classes.get(inner[-1], model) if inner else model
    names = [each.encode_name for each in msgspec.structs.fields(cls)]
    wanted = _SYNONYMS.get(word, "")
    if wanted in names:
        return f"here it is called {wanted!r}"
    return near(word, names, f"known are: {', '.join(names)}")


def _culprit(data: Any, inner: list[str | int], model: type[Any], message: str) -> str:
    """Which entry of a mapping msgspec means by `[...]`: the one that is wrong on its own."""
    (*front, key) = inner
    holder = data
    for part in front:
        holder = holder[part]
    for name, value in holder[key].items():
        one = {**holder, key: {name: value}}
        whole = one if not front else {**data, front[0]: one}
        try:
            msgspec.convert(whole, model)
        except msgspec.ValidationError as error:
            if str(error) == message:
                return str(name)
    return ""
