"""Variables: where they come from, and which one wins.

From the strongest: `-e/--extra-vars`, the loop's `item`, the task's `vars`, those of the includes
around it, what tasks registered, the play's `vars`, and `machine`, the machine's id.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amctl.repl.errors import UsageError
from amctl.repl.playbook.errors import Place, PlaybookError, Problem
from amctl.repl.playbook.reading import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["BUILT_IN", "Scope", "extra_vars"]

BUILT_IN = ("machine", "check")
"""`machine` is the id of the machine that the task runs on, `check` whether it is only tried."""
_NAME = re.compile(r"[A-Za-z_]\w*")


class Scope:
    """Layers of variables. The outermost one, the command line's, wins over all others.

    Args:
        extra: Of the command line.
        layers: The others, the strongest first.
    """

    def __init__(self, extra: Mapping[str, Any], *layers: Mapping[str, Any]) -> None:
        self._extra, self._layers = extra, layers

    def inside(self, layer: Mapping[str, Any]) -> Scope:
        """The scope within it, whose variables hide others of the same name."""
        return Scope(self._extra, layer, *self._layers)

    def get(self, name: str) -> Any:
        """The value of a variable. Raises KeyError."""
        for layer in (self._extra, *self._layers):
            if name in layer:
                return layer[name]
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return any(name in layer for layer in (self._extra, *self._layers))

    def __iter__(self) -> Iterator[str]:
        layers = (self._extra, *self._layers)
        return iter(dict.fromkeys(name for layer in layers for name in layer))


def extra_vars(words: Sequence[str], cwd: Path | None = None) -> dict[str, Any]:
    """The variables of `--extra-vars`; later ones win.

    Args:
        words: `name=text`, `@FILE` (YAML or JSON), or a JSON object.
        cwd: Where file names start from.

    Raises:
        UsageError: None of these.
        PlaybookError: The file isn't a mapping of plain data.
    """
    out: dict[str, Any] = {}
    for word in words:
        if word.startswith("@"):
            out.update(_file(word[1:], cwd))
        elif word.lstrip().startswith("{"):
            out.update(_object(word))
        else:
            name, equals, value = word.partition("=")
            if not equals:
                raise UsageError(
                    f"--extra-vars {word!r:.60} gives no value", "write name=value, @FILE, or JSON"
                )
            out[name.strip()] = value
    for name in out:
        if not _NAME.fullmatch(name):
            raise UsageError(f"{name!r:.60} is no name of a variable", "letters, digits and _")
    return out


def _file(name: str, cwd: Path | None) -> dict[str, Any]:
    data = read((cwd or Path()) / name, name).data
    if not isinstance(data, dict):
        raise PlaybookError([Problem(Place(name, 1, 1), "holds no mapping of variables")])
    return data


def _object(word: str) -> dict[str, Any]:
    try:
        data = json.loads(word)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--extra-vars {word!r:.60} is no JSON: {error}") from None
    assert isinstance(data, dict)
    return data
