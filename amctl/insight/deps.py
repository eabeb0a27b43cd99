"""What a program imports, and why: a model of modules, packages and what is not ours.

The modules are those that `amctl.bundle` would ship for the same entry, so this tells of the
bundle what is in it, not what somebody thinks is. Several roots make one program: a command line
imports its commands by name, which no syntax tree shows.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import packages_distributions
from typing import TYPE_CHECKING, NamedTuple

from amctl.bundle.errors import EntryMissingError
from amctl.bundle.sources import closure, module_name
from amctl.insight.bundled import read_bundle, runtime_licence
from amctl.insight.errors import NoEntryError, NotImportedError
from amctl.insight.imports import Import, read_imports
from amctl.insight.layers import against
from amctl.insight.outside import (
    UNKNOWN,
    ThirdParty,
    described,
    distribution_name,
    is_standard,
    with_requirements,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from amctl.insight.bundled import Bundle

__all__ = ["STANDARD", "Deps", "Link", "Module", "Package", "read_deps"]

STANDARD = "standard library"
_OF_PYODIDE = ("js", "pyodide", "pyodide_js", "_pyodide")
"""Modules that a browser's Python brings along."""


@dataclass(frozen=True, slots=True)
class Module:
    """A file of ours."""

    name: str
    package: str
    """The package whose folder it stands in; an `__init__.py` is of the package that it makes."""
    file: str
    """Relative to the project, or to where amctl is installed."""
    size: int
    """Bytes of source."""
    imports: tuple[Import, ...]
    """Modules of the program; each once, a deferred import only if there is no other."""
    outside: tuple[Import, ...]
    """The rest, by full names."""
    bundled: int | None = None
    """Bytes in the browser bundle, if that is built."""


@dataclass(frozen=True, slots=True)
class Package:
    """The modules of a folder."""

    name: str
    modules: tuple[str, ...]
    size: int
    bundled: int | None
    imports: tuple[str, ...]
    """Packages of the program, and those of third parties by their registry names."""
    deferred: frozenset[str] = frozenset()
    """Those of `imports` that only functions ask for."""


class Link(NamedTuple):
    """A step of the chain that brings a module in."""

    importer: str
    name: str
    line: int
    """0 where a package comes along with what is in it."""
    deferred: bool = False

    @property
    def is_parent(self) -> bool:
        """Whether `name` isn't imported by itself, but is the package of `importer`."""
        return self.line == 0


@dataclass(frozen=True)
class Deps:
    """A program: what it consists of, and what it stands on."""

    target: str
    roots: tuple[str, ...]
    """Modules that it begins with."""
    modules: dict[str, Module]
    third_party: tuple[ThirdParty, ...]
    standard: tuple[str, ...]
    """Modules of Python's library that our code names, by their first parts."""
    bundle: Bundle | None = None

    @property
    def size(self) -> int:
        """Bytes of source."""
        return sum(module.size for module in self.modules.values())

    @cached_property
    def packages(self) -> tuple[Package, ...]:
        """By name."""
        folders: dict[str, list[Module]] = defaultdict(list)
        for module in self.modules.values():
            folders[module.package].append(module)
        return tuple(self._package(name, folders[name]) for name in sorted(folders))

    @cached_property
    def owners(self) -> dict[str, str]:
        """First part of a third party's module -> its registry name."""
        return {name: party.name for party in self.third_party for name in party.imports}

    @cached_property
    def against(self) -> frozenset[tuple[str, str]]:
        """Imports, module by module, that run against the order of rooms."""
        return against((m.name, i.name) for m in self.modules.values() for i in m.imports)

    def chain(self, name: str) -> tuple[Link, ...]:
        """The shortest way from a root to a module or a package, ours or not; empty for a root.

        Of ways of the same length, one without deferred imports goes first.

        Raises:
            NotImportedError: Nothing imports it.
        """
        by_registry = {party.name: party.imports for party in self.third_party}
        names = [name, *by_registry.get(name, ())]
        top = name.partition(".")[0]
        if top not in self.modules:  # of others' modules only the first part is known
            names.append(top)
        goal = next((one for one in names if one in self._links or one in self.roots), None)
        if goal is None:
            raise NotImportedError(self.target, name, {*self._links, *by_registry})
        links: list[Link] = []
        while goal not in self.roots:
            links.append(self._links[goal])
            goal = links[-1].importer
        return tuple(reversed(links))

    @cached_property
    def _links(self) -> dict[str, Link]:
        """Name -> the step that came to it first, breadth first."""
        found: dict[str, Link] = {}
        seen = set(self.roots)
        waiting = list(self.roots)
        while waiting:
            later: list[str] = []
            for name in waiting:
                for link in self._steps(name):
                    if link.name not in seen:
                        seen.add(link.name)
                        found[link.name] = link
                        later.append(link.name)
            waiting = later
        return found

    def _steps(self, name: str) -> Iterator[Link]:
        module = self.modules.get(name)
        if module is None:
            return
        for one in sorted(module.imports, key=lambda i: (i.deferred, i.name)):
            yield Link(name, one.name, one.line, one.deferred)
        parent = name.rpartition(".")[0]
        if parent in self.modules:
            yield Link(name, parent, 0)
        for one in module.outside:
            yield Link(name, one.name.partition(".")[0], one.line, one.deferred)

    def _package(self, name: str, modules: Sequence[Module]) -> Package:
        later: dict[str, bool] = {}
        for module in modules:
            targets = [(self.modules[one.name].package, one.deferred) for one in module.imports]
            for one in module.outside:
                owner = self.owners.get(one.name.partition(".")[0])
                targets += [(owner, one.deferred)] if owner else []
            for target, deferred in targets:
                if target != name:
                    later[target] = later.get(target, True) and deferred
        bundled = [module.bundled for module in modules if module.bundled is not None]
        return Package(
            name,
            tuple(module.name for module in modules),
            sum(module.size for module in modules),
            sum(bundled) if bundled else None,
            tuple(sorted(later)),
            frozenset(one for one, deferred in later.items() if deferred),
        )


def read_deps(root: Path, target: str, roots: Sequence[str], *, browser: bool = False) -> Deps:
    """Read what a program imports, from its sources; nothing is run.

    Args:
        root: The project; its own packages come first, then amctl's.
        target: What to call the program.
        roots: Modules that it begins with.
        browser: It runs in browsers: the runtime brings the third parties along, and none else
            are there.

    Raises:
        NoEntryError: A root isn't there.
    """
    try:
        files = closure(root, *roots)
    except EntryMissingError as error:
        raise NoEntryError(target, error.module) from error
    bundle = read_bundle(root, roots[0]) if browser else None
    modules = dict(sorted(_modules(files, bundle.sizes if bundle else {})))
    outside = [(module, one) for module in modules.values() for one in module.outside]
    standard = {one.name.partition(".")[0] for _, one in outside if is_standard(one.name)}
    strange = [(module, one) for module, one in outside if not is_standard(one.name)]
    parties = _third_parties(root, strange, bundle, browser=browser)
    return Deps(target, tuple(roots), modules, parties, tuple(sorted(standard)), bundle)


_Use = tuple[Module, Import]
"""Who imports, and what."""


def _modules(files: Mapping[str, Path], sizes: Mapping[str, int]) -> Iterator[tuple[str, Module]]:
    names = {module_name(inner) for inner in files}
    for inner, path in files.items():
        name = module_name(inner)
        ours: dict[str, Import] = {}
        others: dict[str, Import] = {}
        for one in read_imports(path, name):
            where = next((x for x in (one.name, one.base) if x in names), None)
            if where is None:
                # `from os import path` is an import of os.
                _keep(others, replace(one, name=one.base or one.name))
            elif where != name:
                _keep(ours, replace(one, name=where))
        yield (
            name,
            Module(
                name,
                name if path.name == "__init__.py" else name.rpartition(".")[0],
                inner,
                path.stat().st_size,
                tuple(sorted(ours.values())),
                tuple(sorted(others.values())),
                sizes.get(inner),
            ),
        )


def _keep(kept: dict[str, Import], one: Import) -> None:
    """Of several imports of a name, the one that certainly runs."""
    old = kept.get(one.name)
    certain = (one.deferred, one.optional, one.line)
    if old is None or certain < (old.deferred, old.optional, old.line):
        kept[one.name] = one


def _named(strange: Iterable[_Use]) -> list[ThirdParty]:
    """Third parties, one for each distribution, with those of ours that import them."""
    homes = packages_distributions()
    users: dict[str, list[_Use]] = defaultdict(list)
    for module, one in strange:
        users[distribution_name(one.name, homes)].append((module, one))
    return [
        described(
            name,
            imports=tuple(sorted({one.name.partition(".")[0] for _, one in found})),
            needed_by=tuple(sorted({module.package for module, _ in found})),
            optional=all(one.optional for _, one in found),
        )
        for name, found in sorted(users.items())
    ]


def _third_parties(
    root: Path, strange: Sequence[_Use], bundle: Bundle | None, *, browser: bool
) -> tuple[ThirdParty, ...]:
    brought = [use for use in strange if use[1].name.partition(".")[0] in _OF_PYODIDE]
    found = _named([use for use in strange if use not in brought])
    if browser:
        found = [replace(one, version="", size=0, note="not in the bundle") for one in found]
    if browser or brought:
        version, licence = runtime_licence(root)
        pyodide = ThirdParty(
            "pyodide",
            tuple(sorted({one.name.partition(".")[0] for _, one in brought})),
            licence=licence or UNKNOWN,
            needed_by=tuple(sorted({module.package for module, _ in brought})),
            optional=not browser,
            note="the runtime" if browser else "only in browsers",
        )
        if browser:
            size = bundle.runtime if bundle else 0
            pyodide = replace(pyodide, version=bundle.pyodide if bundle else version, size=size)
        found.append(pyodide)
    return with_requirements(found)
