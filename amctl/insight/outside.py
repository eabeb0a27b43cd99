"""Packages that are not ours: who distributes them, in which version, how large, on what terms."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "ThirdParty",
    "described",
    "distribution_name",
    "is_standard",
    "licence_of",
    "size_of",
    "with_requirements",
]

UNKNOWN = "unknown"
_LATER = {"compression", "annotationlib"}
"""Of the standard library in Pythons newer than the oldest that we run on."""
_LONGEST = 40
"""A longer licence is its text, not its name."""
_PYTHON = re.compile(r"""python_version\s*(<=|>=|<|>)\s*["']([\d.]+)["']""")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """A distribution, or something that a runtime brings along."""

    name: str
    """As the registry calls it."""
    imports: tuple[str, ...] = ()
    """The names by which our code imports it; none if only others need it."""
    version: str = ""
    """Empty if it isn't installed."""
    size: int = 0
    """Bytes on disk, without bytecode that Python makes by itself."""
    licence: str = UNKNOWN
    needed_by: tuple[str, ...] = ()
    """Our packages that import it, and distributions that require it."""
    optional: bool = False
    """Our code goes on without it."""
    note: str = ""


def is_standard(name: str) -> bool:
    """Whether a module is of Python's own library."""
    top = name.partition(".")[0]
    return top in sys.stdlib_module_names or top in _LATER


def described(name: str, **more: object) -> ThirdParty:
    """A distribution by its registry name; without version if it isn't installed."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return ThirdParty(name, **more)  # type: ignore[arg-type]  # the caller's fields
    return ThirdParty(
        found.metadata["Name"],
        version=found.version,
        size=size_of(found),
        licence=licence_of(found),
        **more,  # type: ignore[arg-type]
    )


def distribution_name(module: str, homes: Mapping[str, Sequence[str]]) -> str:
    """Whose module it is; its own first part if nobody's.

    Args:
        module: Full name, as imported.
        homes: First part of a name -> distributions that have such modules.
    """
    top = module.partition(".")[0]
    names = sorted(set(homes.get(top, ())))
    # A namespace such as `backports` is of many: the one that is called like the module has it.
    exact = [name for name in names if f"{module}.".startswith(f"{name.replace('-', '_')}.")]
    return (exact or names or [top])[0]


def size_of(found: Distribution) -> int:
    """Bytes of the installed files."""
    total = 0
    for file in found.files or ():
        if "__pycache__" not in file.parts:
            try:
                total += file.locate().stat().st_size  # type: ignore[attr-defined]  # a Path
            except OSError:
                continue
    return total


def licence_of(found: Distribution) -> str:
    """The licence as the package itself declares it, by any of the three ways there are."""
    meta = found.metadata
    expression = meta.get_all("License-Expression")
    if expression:
        return str(expression[0])
    named = str((meta.get_all("License") or [""])[0]).strip()
    if named and len(named) <= _LONGEST and "\n" not in named and named.upper() != "UNKNOWN":
        return named
    ways = [str(one) for one in meta.get_all("Classifier") or () if one.startswith("License ::")]
    return ", ".join(way.rpartition(" :: ")[2] for way in ways) or UNKNOWN


def with_requirements(packages: Iterable[ThirdParty]) -> tuple[ThirdParty, ...]:
    """The packages, and those that they require; what is for extras only isn't.

    What isn't installed here isn't required here: a requirement of another system, say.
    """
    found = {_key(package.name): package for package in packages}
    waiting = sorted(found)
    while waiting:
        owner = found[waiting.pop(0)]
        for name in _requirements(owner):
            key = _key(name)
            if key not in found:
                fresh = described(name)
                if not fresh.version:
                    continue
                found[key] = fresh
                waiting.append(key)
            found[key] = _needed(found[key], owner.name)
    return tuple(found[key] for key in sorted(found))


def _needed(package: ThirdParty, by: str) -> ThirdParty:
    if by in package.needed_by:
        return package
    return replace(package, needed_by=(*package.needed_by, by))


def _requirements(package: ThirdParty) -> list[str]:
    if not package.version:
        return []
    try:
        lines = distribution(package.name).requires or []
    except PackageNotFoundError:  # of a runtime, not of this interpreter
        return []
    wanted = (line for line in lines if _holds(line.partition(";")[2]))
    return sorted({match[0] for line in wanted if (match := _NAME.match(line))})


def _holds(marker: str) -> bool:
    """Whether a requirement's condition may hold; one that can't be read does."""
    if "extra" in marker:
        return False
    if " or " in marker:
        return True
    here = sys.version_info[:2]
    return all(
        {"<": here < limit, "<=": here <= limit, ">": here > limit, ">=": here >= limit}[sign]
        for sign, text in _PYTHON.findall(marker)
        for limit in [tuple(int(part) for part in text.split(".")[:2])]
    )


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
