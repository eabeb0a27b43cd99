"""Which modules of the project the browser gets: what its entry imports, and what that imports.

Imports are read from the syntax tree, not by running anything. Those inside functions count, for
they will run sooner or later; those under TYPE_CHECKING don't, and neither do those in functions
of an `__init__.py`, which is how a package keeps away what only the server has. So no list has to
be kept by hand, and a nodes package of somebody else's is bundled by the same rule.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import amctl
from amctl.bundle.errors import EntryMissingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["closure", "locate", "module_name", "outside"]

_HOLDERS = (ast.stmt, ast.excepthandler, ast.match_case)
"""Nodes that are statements or hold some."""


def closure(root: Path, *entries: str) -> dict[str, Path]:
    """Find the files that the browser needs to import `entries`.

    Args:
        root: The project; its own packages come first, then amctl's.
        entries: Names of modules.

    Returns:
        Path in the bundle, such as `amctl/machine/__init__.py`, to file; in order of names.

    Raises:
        EntryMissingError: If there is no such module.
    """
    homes = _homes(root)
    found: dict[str, Path] = {}
    for entry in entries:
        if _locate(homes, entry) is None:
            raise EntryMissingError(entry)
    waiting = list(entries)
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        located = _locate(homes, name)
        if located is None:
            continue
        inner, path = located
        found[inner] = path
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        parent = name.rpartition(".")[0]
        if parent:
            waiting.append(parent)
        tree = ast.parse(path.read_bytes(), str(path))
        waiting += _imports(tree, package, functions=path.name != "__init__.py")
    return dict(sorted(found.items()))


def outside(files: Mapping[str, Path]) -> list[str]:
    """Names that the files of a closure import from elsewhere, sorted; some may be no modules.

    Args:
        files: From `closure`.
    """
    own = {name.partition("/")[0].removesuffix(".py") for name in files}
    found: set[str] = set()
    for path in files.values():
        for node in _running(ast.parse(path.read_bytes(), str(path)), functions=True):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module)
    return sorted(name for name in found if name.partition(".")[0] not in own | {"__future__"})


def locate(root: Path, inner: str) -> Path | None:
    """Find the file of a path in the bundle."""
    found = _locate(_homes(root), module_name(inner))
    return found[1] if found and found[0] == inner else None


def module_name(inner: str) -> str:
    """Turn a path in the bundle into the name of its module."""
    return inner.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _homes(root: Path) -> tuple[Path, Path]:
    return root, Path(amctl.__file__).parents[1]


def _locate(homes: Sequence[Path], name: str) -> tuple[str, Path] | None:
    """Find a module below one of `homes`; a package stays with the home of its top."""
    stem = name.replace(".", "/")
    for home in homes:
        for inner in (f"{stem}/__init__.py", f"{stem}.py"):
            if (home / inner).is_file():
                return inner, home / inner
        if (home / name.partition(".")[0] / "__init__.py").is_file():
            return None
    return None


def _imports(tree: ast.AST, package: str, *, functions: bool) -> Iterator[str]:
    """Names that a module may import; some of them are no modules."""
    for node in _running(tree, functions):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                above = parts[: len(parts) - node.level + 1]
                base = ".".join((*above, base)) if base else ".".join(above)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _running(tree: ast.AST, functions: bool) -> Iterator[ast.AST]:
    """All statements that run at import, with those of functions if asked for."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        # No import is inside an expression, and most of a tree is expressions.
        children: list[ast.AST] = [
            child for child in ast.iter_child_nodes(node) if isinstance(child, _HOLDERS)
        ]
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            children = list(node.orelse)
        elif not functions and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            children = []
        waiting += children
