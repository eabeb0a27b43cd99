"""The text of a new state set, to start from: `amctl gen states`."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amctl.machine import EXCEPTION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["MIXINS", "skeleton"]

MIXINS = {
    "basic": ("amctl.states.basic", "BasicStates"),
    "connected": ("amctl.states.connected", "ConnectedStates"),
    "disposed": ("amctl.states.disposed", "DisposedStates"),
}
"""What can be inherited: word -> module and class."""

_NAME = re.compile(r"[A-Z][A-Za-z0-9]*")
_ENDINGS = ("Enter", "Exit", "State", "End")
_FLAGS = ("auto", "multi")
_RELATIONS = ("require", "add", "remove", "after")
_WORD = re.compile(r"(\w+)(?:\(([^()]*)\))?")


@dataclass(frozen=True)
class _Parsed:
    name: str
    words: tuple[tuple[str, tuple[str, ...]], ...]

    def line(self) -> str:
        given = [f"{word}=True" if word in _FLAGS else f"{word}={_listed(names)}"
                 for word, names in self.words]  # fmt: skip
        return f"    {self.name} = State({', '.join(given)})\n"


def skeleton(
    name: str,
    states: Iterable[str] = (),
    inherit: Iterable[str] = (),
    *,
    handlers: bool = False,
) -> str:
    """A module with a `States` class, in the project's own form.

    Args:
        name: Of the machine, in PascalCase; the class is called so, and ends in `States`.
        states: Each `Name`, or `Name:auto:multi:require(A B):add(C):remove(D):after(E)`.
        inherit: Words of `MIXINS`.
        handlers: Also a class with a handler for each new state.

    Raises:
        ValueError: A name can't be a state's, a word is unknown, or a relation names no state.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"name {name!r} is not in PascalCase")
    bases = _bases(inherit)
    parsed = [_parsed(text) for text in states] or [_Parsed("Working", ())]
    names = [one.name for one in parsed]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise ValueError(f"state {twice[0]!r} stands there twice")
    _check_relations(parsed, bases)
    kind = name if name.endswith("States") else f"{name}States"
    plain = kind.removesuffix("States")
    return _text(plain, kind, parsed, bases, handlers)


def _text(
    plain: str, kind: str, parsed: Sequence[_Parsed], bases: Sequence[str], handlers: bool
) -> str:
    public = [f"{plain}Handlers"] * handlers + [kind]
    engine = ["Event"] * handlers + ["State"] + ["States"] * (not bases)
    imports = [f"from amctl.machine import {', '.join(engine)}\n"]
    imports += [f"from {MIXINS[word][0]} import {MIXINS[word][1]}\n" for word in sorted(bases)]
    parents = ", ".join(MIXINS[word][1] for word in bases) or "States"
    body = "\n".join(
        f'{one.line()}    """What it means that this is active."""\n' for one in parsed
    )
    text = (
        f'"""The states of {plain}."""\n\n'
        "from __future__ import annotations\n\n"
        f"{''.join(imports)}\n"
        f"__all__ = {_listed(public)}\n\n\n"
        f"class {kind}({parents}):\n"
        f'    """What {plain} is for."""\n\n'
        f"{body}"
    )
    return text + _handlers(plain, parsed) if handlers else text


def _handlers(plain: str, parsed: Sequence[_Parsed]) -> str:
    text = f'\n\nclass {plain}Handlers:\n    """What {plain} does as its states come and go."""\n'
    for one in parsed:
        text += (
            f"\n    def {one.name}State(self, event: Event) -> None:\n"
            f'        """{one.name} has begun."""\n'
        )
    return text


def _bases(inherit: Iterable[str]) -> list[str]:
    bases = list(dict.fromkeys(inherit))
    for word in bases:
        if word not in MIXINS:
            raise ValueError(f"no set {word!r} to inherit: there are {', '.join(MIXINS)}")
    # connected and disposed speak of states of basic
    return bases if not bases or "basic" in bases else [*bases, "basic"]


def _parsed(text: str) -> _Parsed:
    name, *rest = [part.strip() for part in text.split(":")]
    if not _NAME.fullmatch(name) or name == "Any" or keyword.iskeyword(name):
        raise ValueError(f"state {name!r} is no name for a state: they are in PascalCase")
    for ending in _ENDINGS:
        if name.endswith(ending):
            raise ValueError(f"state {name!r} ends in {ending}, as handlers do")
    words = []
    for part in rest:
        found = _WORD.fullmatch(part)
        word, inner = (found[1], found[2]) if found else (part, None)
        names = tuple((inner or "").split())
        if (word in _FLAGS and inner is None) or (word in _RELATIONS and names):
            words.append((word, names))
        else:
            what = f"{', '.join(_FLAGS)}, {', '.join(f'{one}(A B)' for one in _RELATIONS)}"
            raise ValueError(f"state {name!r} can't be {part!r}: there are {what}")
    return _Parsed(name, tuple(words))


def _check_relations(parsed: Sequence[_Parsed], bases: Sequence[str]) -> None:
    from importlib import import_module

    known = {EXCEPTION, *(one.name for one in parsed)}
    for word in bases:
        module, kind = MIXINS[word]
        known.update(getattr(import_module(module), kind).names())
    for one in parsed:
        for word, names in one.words:
            for other in names:
                if other not in known:
                    raise ValueError(f"state {one.name!r} has {word}({other}), which is no state")


def _listed(names: Sequence[str]) -> str:
    inner = ", ".join(f'"{name}"' for name in names)
    return f"[{inner}]"
