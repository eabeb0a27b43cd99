"""From `MODULE:CLASS` to what is odd about its states."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amctl.machine import Schema, States
from amctl.machine.lint import Finding, lint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

__all__ = ["Linted", "Loaded", "ModuleError", "NoSuchSetError", "linted", "loaded", "told"]


class ModuleError(Exception):
    """A module that can't be imported."""

    def __init__(self, name: str, error: BaseException) -> None:
        super().__init__(name, error)
        self.name, self.error = name, error

    def __str__(self) -> str:
        return f"module {self.name!r} can't be imported: {type(self.error).__name__}: {self.error}"

    @property
    def hint(self) -> str:
        """What to do about it."""
        return "name it as Python does, from the folder that holds it, or give a path to its file"


class NoSuchSetError(LookupError):
    """A module has no such set of states, or none at all."""

    def __init__(self, module: str, name: str, known: Sequence[str]) -> None:
        super().__init__(module, name, known)
        self.module, self.name, self.known = module, name, known

    def __str__(self) -> str:
        if not self.name:
            return f"module {self.module!r} defines no set of states"
        return f"module {self.module!r} has no set of states {self.name!r}"

    @property
    def hint(self) -> str:
        """Something near, or what there is."""
        near = get_close_matches(self.name, self.known, n=1)
        if near:
            return f"did you mean {self.module}:{near[0]}?"
        there = ", ".join(self.known)
        return f"it knows {there}" if there else "a set is a class that inherits from States"


@dataclass(frozen=True)
class Loaded:
    """A set of states, by the name it was asked for."""

    name: str
    schema: Schema


@dataclass(frozen=True)
class Linted:
    """A set, and what is odd about it."""

    name: str
    states: int
    findings: tuple[Finding, ...]

    @property
    def is_odd(self) -> bool:
        """Whether something ought to be mended."""
        return any(one.severity != "note" for one in self.findings)

    @property
    def data(self) -> dict[str, Any]:
        """As plain data."""
        found = [asdict(one) for one in self.findings]
        return {"target": self.name, "states": self.states, "ok": not self.is_odd,
                "findings": found}  # fmt: skip


def loaded(target: str) -> list[Loaded]:
    """The sets that a target names.

    Raises:
        ModuleError: The module can't be imported, or fails.
        NoSuchSetError: It has no such set, or none at all.
    """
    where, _, name = target.partition(":")
    module = _module(where)
    if name:
        found = getattr(module, name, None)
        if not _is_set(found):
            raise NoSuchSetError(
                where, name, [n for n, one in vars(module).items() if _is_set(one)]
            )
        return [Loaded(target, _schema(found))]
    own = [(n, one) for n, one in vars(module).items() if _is_set(one) and _is_own(module, one)]
    if not own:
        raise NoSuchSetError(where, "", ())
    return [Loaded(f"{where}:{n}", _schema(one)) for n, one in own]


def _module(where: str) -> ModuleType:
    try:
        if not where.endswith(".py"):
            if "" not in sys.path:
                sys.path.insert(0, "")  # as `python -m` does
            return importlib.import_module(where)
        spec = importlib.util.spec_from_file_location(Path(where).stem, where)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    except Exception as error:  # whatever a module does while it is imported
        raise ModuleError(where, error) from error


def _is_set(found: object) -> bool:
    if isinstance(found, type):
        return issubclass(found, States) and found is not States
    return isinstance(found, Schema)


def _is_own(module: ModuleType, found: object) -> bool:
    """Whether a set was written in this module; of schemas that can't be known."""
    return not isinstance(found, type) or found.__module__ == module.__name__


def _schema(found: Any) -> Schema:
    schema: Schema = found if isinstance(found, Schema) else found.schema()
    return schema


def linted(one: Loaded, tries: int) -> Linted:
    """Look at a set."""
    return Linted(one.name, len(one.schema.names), tuple(lint(one.schema, tries)))


def told(looked: Sequence[Linted]) -> Iterator[str]:
    """Lines for people."""
    for one in looked:
        count = len(one.findings)
        what = "nothing odd" if not count else f"{count} finding{'s' if count > 1 else ''}"
        yield f"{one.name}: {one.states} states, {what}"
        for finding in one.findings:
            yield f"  {finding}"
            if finding.hint:
                yield f"    {finding.hint}"
