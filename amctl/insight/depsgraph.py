"""Dependencies as a graph: boxes and arrows, whatever will draw them.

The standard library is left out, as in the original's deps-graph. Of modules, an arrow that others
imply (a -> c beside a -> b -> c) is left out too unless all are asked for: a hundred modules with
all their arrows are a black cloud.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from amctl.insight.layers import against
from amctl.insight.listing import size_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amctl.insight.deps import Deps, Module, Package
    from amctl.insight.outside import ThirdParty

__all__ = ["Arrow", "Box", "DepsGraph", "deps_graph", "reduced"]

Kind = Literal["root", "ours", "outside"]


@dataclass(frozen=True, slots=True)
class Box:
    """A package or a module."""

    name: str
    lines: tuple[str, ...]
    """What stands in it, the name first."""
    kind: Kind
    group: str = ""
    """The package whose frame it stands in; empty for none."""


@dataclass(frozen=True, slots=True, order=True)
class Arrow:
    """One imports the other."""

    source: str
    target: str
    deferred: bool = False
    """Only a function does."""
    against: bool = False
    """Against the order of rooms."""


@dataclass(frozen=True, slots=True)
class DepsGraph:
    """Boxes by name, arrows by ends: equal programs give equal graphs."""

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    is_reduced: bool = False
    """Arrows that others imply are left out."""

    def to_json(self) -> dict[str, Any]:
        """All of it, as plain data."""
        return asdict(self)


def deps_graph(deps: Deps, *, modules: bool = False, reduce: bool | None = None) -> DepsGraph:
    """What is to be drawn of a program.

    Args:
        deps: The program.
        modules: A box for each module, in frames of packages; else for each package.
        reduce: Leave out arrows that others imply; None does so for modules.
    """
    if modules:
        boxes = [_module_box(deps, module) for module in deps.modules.values()]
        ends = {
            (module.name, one.name): one.deferred
            for module in deps.modules.values()
            for one in module.imports
        }
        for module in deps.modules.values():
            for one in module.outside:
                owner = deps.owners.get(one.name.partition(".")[0])
                if owner:
                    edge = (module.name, owner)
                    ends[edge] = ends.get(edge, True) and one.deferred
    else:
        boxes = [_package_box(deps, package) for package in deps.packages]
        ends = {
            (package.name, name): name in package.deferred
            for package in deps.packages
            for name in package.imports
        }
    boxes += [_outside_box(party) for party in deps.third_party if party.imports]
    wrong = against(edge for edge in ends if edge[1] not in deps.owners.values())
    arrows = sorted(Arrow(*edge, later, edge in wrong) for edge, later in ends.items())
    fewer = modules if reduce is None else reduce
    if fewer:
        arrows = reduced(arrows)
    what = "modules" if modules else "packages"
    title = f"{deps.target}: {what} and their imports, {size_text(deps.size)} of source"
    return DepsGraph(title, tuple(boxes), tuple(arrows), fewer)


def _module_box(deps: Deps, module: Module) -> Box:
    short = module.name.removeprefix(module.package + ".") if module.package else module.name
    if module.name == module.package:
        short = f"{module.name.rpartition('.')[2]}/"
    kind: Kind = "root" if module.name in deps.roots else "ours"
    return Box(module.name, (short, size_text(module.size)), kind, module.package)


def _package_box(deps: Deps, package: Package) -> Box:
    count = len(package.modules)
    lines = [package.name, f"{count} module{'s' * (count != 1)}, {size_text(package.size)}"]
    if package.bundled is not None:
        lines.append(f"{size_text(package.bundled)} bundled")
    is_root = any(name in deps.roots[:1] for name in package.modules)
    return Box(package.name, tuple(lines), "root" if is_root else "ours")


def _outside_box(party: ThirdParty) -> Box:
    details = ", ".join(filter(None, (party.version, size_text(party.size) if party.size else "")))
    lines = (party.name, details, party.note)
    return Box(party.name, tuple(filter(None, lines)), "outside")


def reduced(arrows: Iterable[Arrow]) -> list[Arrow]:
    """Arrows without those that a longer way implies.

    Those in circles, those against the order and those of functions alone stay: they are what one
    looks for.
    """
    kept = sorted(arrows)
    below: dict[str, set[str]] = {}
    for arrow in kept:
        below.setdefault(arrow.source, set()).add(arrow.target)
    reach = {name: _reach(name, below) for name in below}
    return [
        arrow
        for arrow in kept
        if arrow.deferred
        or arrow.against
        or arrow.source in reach.get(arrow.target, ())
        or not any(
            arrow.target in reach.get(other, ()) and arrow.source not in reach.get(other, ())
            for other in below[arrow.source] - {arrow.target}
        )
    ]


def _reach(start: str, below: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        fresh = below.get(waiting.pop(), set()) - found
        found |= fresh
        waiting += fresh
    return found
