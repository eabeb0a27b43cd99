"""Dependencies as text: Markdown for people, plain data for scripts, a chain in words."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from amctl.insight.layers import room_of
from amctl.insight.outside import is_standard

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amctl.insight.deps import Deps, Link, Module, Package
    from amctl.insight.outside import ThirdParty

__all__ = ["chain_json", "chain_text", "markdown", "size_text", "to_json"]


def size_text(count: int) -> str:
    """Bytes for people: `512 B`, `12.3 kB`, `4.6 MB`."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1e3:.1f} kB" if count < 999_950 else f"{count / 1e6:.1f} MB"


def markdown(deps: Deps, *, modules: bool = False) -> str:
    """The listing, a line for each package, or for each module.

    A line is a name, its sizes, and in brackets what it imports directly; what only functions
    import stands in round ones.
    """
    parts = [
        f"# Dependencies of {deps.target}\n\n{_summary(deps)}\n",
        "\n".join(["## Modules\n", *map(_module_line, deps.modules.values()), ""])
        if modules
        else "\n".join(["## Packages\n", *map(_package_line, deps.packages), ""]),
        "\n".join(["## Third-party packages\n", *_table(deps.third_party), ""]),
        f"## Standard library\n\n{len(deps.standard)} modules: `{' '.join(deps.standard)}`\n",
    ]
    if deps.against:
        wrong = (f"- {one} -> {other}" for one, other in sorted(deps.against))
        parts.append("\n".join(["## Against the order of rooms\n", *wrong, ""]))
    return "\n".join(parts)


def _summary(deps: Deps) -> str:
    lines = [f"Begins with {', '.join(deps.roots)}."]
    if len(deps.roots) > 4:
        lines = [f"Begins with {deps.roots[0]} and {len(deps.roots) - 1} modules loaded by name."]
    counts = f"{len(deps.modules)} modules in {len(deps.packages)} packages"
    lines.append(f"{counts}, {size_text(deps.size)} of source.")
    bundle = deps.bundle
    if bundle:
        kind = "prod" if bundle.prod else "plain"
        sizes = f"{size_text(bundle.app)} ours, {size_text(bundle.runtime)} Pyodide's"
        sent = f"; {size_text(bundle.sent)} sent" if bundle.sent else ""
        stale = "" if bundle.fresh else " It is stale: `amctl build` makes it anew."
        lines.append(f"The {kind} bundle in web/dist: {sizes}{sent}.{stale}")
    return "\n".join(lines)


def _module_line(module: Module) -> str:
    ours = [(one.name, one.deferred) for one in module.imports]
    # Python's own have one entry for all.
    others = [(one.name, one.deferred) for one in module.outside if not is_standard(one.name)]
    return f"- `{module.name}` {_sizes(module)} {_bracketed(sorted(ours + others))}"


def _package_line(package: Package) -> str:
    names = [(name, name in package.deferred) for name in package.imports]
    return f"- `{package.name}` {_sizes(package)} {_bracketed(names)}"


def _sizes(one: Module | Package) -> str:
    bundled = "" if one.bundled is None else f" ({size_text(one.bundled)} bundled)"
    return f"{size_text(one.size)}{bundled}"


def _bracketed(names: Sequence[tuple[str, bool]]) -> str:
    words = (f"({name})" if deferred else name for name, deferred in names)
    return f"`[{' '.join(words)}]`"


def _table(parties: Sequence[ThirdParty]) -> Iterator[str]:
    if not parties:
        yield "None."
        return
    yield "| package | version | size | licence | needed by | |"
    yield "| --- | --- | ---: | --- | --- | --- |"
    for party in parties:
        size = size_text(party.size) if party.size else ""
        notes = [party.note, "optional" if party.optional else ""]
        if not (party.version or party.note):
            notes.insert(0, "not installed")
        cells = [party.name, party.version, size, party.licence, ", ".join(party.needed_by)]
        yield f"| {' | '.join([*cells, ', '.join(filter(None, notes))])} |"


def to_json(deps: Deps, *, modules: bool = False) -> dict[str, Any]:
    """All of it as plain data; with each module, and the chain that brings it in, if asked for."""
    data: dict[str, Any] = {
        "target": deps.target,
        "roots": list(deps.roots),
        "size": deps.size,
        "bundle": deps.bundle.to_json() if deps.bundle else None,
        "packages": [_package_json(package) for package in deps.packages],
        "third_party": [asdict(party) for party in deps.third_party],
        "standard": list(deps.standard),
        "against": [list(edge) for edge in sorted(deps.against)],
    }
    if modules:
        data["modules"] = [_module_json(deps, module) for module in deps.modules.values()]
    return data


def _package_json(package: Package) -> dict[str, Any]:
    return {
        **asdict(package),
        "room": room_of(package.name),
        "deferred": sorted(package.deferred),
    }


def _module_json(deps: Deps, module: Module) -> dict[str, Any]:
    found = asdict(module)
    for key in ("imports", "outside"):
        for one in found[key]:
            del one["base"]
    chain = deps.chain(module.name)
    return {**found, "chain": [*(link.importer for link in chain), module.name]}


def chain_json(deps: Deps, name: str) -> dict[str, Any]:
    """Why something is in, as plain data."""
    chain = deps.chain(name)
    return {
        "target": deps.target,
        "name": name,
        "chain": [{**link._asdict(), "parent": link.is_parent} for link in chain],
    }


def chain_text(deps: Deps, name: str) -> str:
    """Why something is in, a line for each step."""
    chain = deps.chain(name)
    if not chain:
        return f"{name}: {deps.target} begins with it\n"
    first = f"{chain[0].importer}: {deps.target} begins with it"
    return "\n".join([first, *(_step(deps, link) for link in chain), ""])


def _step(deps: Deps, link: Link) -> str:
    if link.is_parent:
        return f"  -> {link.name}: the package of {link.importer}"
    later = ", in a function" if link.deferred else ""
    return f"  -> {link.name}: {deps.modules[link.importer].file}:{link.line}{later}"
