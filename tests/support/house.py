"""What the house tests share: the sources, parsed."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("amctl", "nodes")


class Import(NamedTuple):
    """One import: the whole dotted name, and where it stands."""

    name: str
    line: int


@cache
def sources() -> tuple[Path, ...]:
    """Every Python file of the product, relative to the project."""
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return tuple(sorted(path.relative_to(ROOT) for path in found))


@cache
def tree(path: Path) -> ast.Module:
    """The parsed file."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), str(path))


def module_name(path: Path) -> str:
    """`amctl/run/token.py` -> `amctl.run.token`; a package's `__init__` has the package's name."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> frozenset[str]:
    """The names of all modules and packages of the product."""
    return frozenset(map(module_name, sources()))


def imports(path: Path) -> Iterator[Import]:
    """Every import of a file, also those in functions and under TYPE_CHECKING, as full names."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{name}.{alias.name}"
                yield Import(inner if inner in modules() else name, node.lineno)


def exported(path: Path) -> list[str] | None:
    """The names in a module's `__all__`, None if it has none."""
    for node in tree(path).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            assert isinstance(node, ast.Assign)
            names: list[str] = ast.literal_eval(node.value)
            return names
    return None
