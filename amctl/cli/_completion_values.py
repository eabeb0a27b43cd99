"""What may stand at the cursor: commands, options, and values by what their metavar calls them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amctl.cli._completion_tree import Candidate, Place, choices, commands, locate, options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["DIRS", "DUMPS", "FILES", "Reply", "complete"]

FILES, DIRS, DUMPS = "files", "dirs", "files *.sqlite *.gob.br *.jsonl *.jsonl.zst"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a shell is told."""

    candidates: tuple[Candidate, ...] = ()
    kind: str = "words"
    """`words`, or what the shell itself lists: `files`, `files GLOB...`, `dirs`."""


def complete(root: Any, words: Sequence[str], current: str) -> Reply:
    """Propose words for the cursor.

    Args:
        root: The program's command.
        words: All words before the cursor, without the program's name.
        current: The one at the cursor, maybe empty.
    """
    place = locate(root, words, current)
    if place.tail is not None:
        return Reply(_fitting(place, _live(place) if place.path == ("repl",) else []))
    if place.pending is not None:
        return _value(place, place.pending)
    if current.startswith("-"):
        return Reply(_fitting(place, _option_names(place)))
    inner = commands(place.command)
    if inner:
        rows = (Candidate(name, one.get_short_help_str(80)) for name, one in inner.items())
        return Reply(_fitting(place, rows))
    wanted = _positional(place)
    if wanted is None:
        return Reply(_fitting(place, _option_names(place)))
    return _value(place, wanted)


def _fitting(place: Place, candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Those that begin with what stands there, with what stands before it."""
    small = place.current.lower()
    exact = [one for one in candidates if one.value.lower().startswith(small)]
    return tuple(Candidate(place.prefix + one.value, one.help) for one in exact)


def _option_names(place: Place) -> list[Candidate]:
    """Options not given yet, by their long names; the negative ones once `--no` is typed."""
    negative = place.current.startswith("--no")
    out = []
    for param in options(place.params):
        if param.hidden or (param.name in place.given and not (param.multiple or param.count)):
            continue
        names = [name for name in param.opts if name.startswith("--")] or param.opts[:1]
        out += [Candidate(name, param.help or "") for name in names]
        if negative:
            out += [Candidate(name, "") for name in param.secondary_opts if name.startswith("--")]
    return [*out, Candidate("--help", "Show what it does, with an example.")]


def _positional(place: Place) -> Any:
    """The argument that the next word would be, or None if no more are taken."""
    taken = 0
    for param in place.params:
        if any(name.startswith("-") for name in param.opts):
            continue
        if param.nargs < 0 or taken >= len(place.words):
            return param
        taken += 1
    return None


def _value(place: Place, param: Any) -> Reply:
    limited = choices(param) or _listed(param.metavar or "")
    if limited:
        return Reply(_fitting(place, [Candidate(one) for one in limited]))
    words = re.findall(r"[A-Z_]+(?:=[A-Z_]+)?", param.metavar or "")
    for word in words:
        if word in _KINDS:
            return Reply(kind=_KINDS[word])
        if word in _SOURCES:
            return Reply(_fitting(place, _SOURCES[word](place)))
    return Reply()


def _listed(metavar: str) -> list[str]:
    """The words of `add|remove`."""
    words = metavar.strip("[]").split("|")
    return words if len(words) > 1 and all(word.islower() for word in words) else []


_KINDS = {"FILE": FILES, "DIR": DIRS, "DUMP": DUMPS, "A": DUMPS, "B": DUMPS}
"""Metavar -> what the shell lists itself."""


def _settings(place: Place) -> list[Candidate]:
    from amctl.cli._completion_settings import settings

    return settings(place.current)


def _live(place: Place) -> list[Candidate]:
    from amctl.cli._completion_live import live

    runs = place.path[0] in _RUNNING or place.path == ("vis", "live")
    return live(place) if runs and "dump" not in place.given else []


_RUNNING = ("mach", "why", "play", "repl")
"""Commands whose machines are those that run, not a recording's."""

_SOURCES: dict[str, Callable[[Place], list[Candidate]]] = {
    "KEY=VALUE": _settings,
    **dict.fromkeys(("PAT", "MACH", "MACHINE", "STATE", "ARG", "VALUE"), _live),
}
"""Metavar -> where its values come from; imported only when they are wanted."""
