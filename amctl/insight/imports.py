"""The imports of one file, read from its syntax tree by the rules of `amctl.bundle.sources`.

Those under TYPE_CHECKING never run and are left out, as is `__future__`, which is no module. Those
in functions run later: they are deferred. Those in functions of an `__init__.py` are left out too,
for the bundle leaves them out.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Import", "read_imports"]

_MISSING = {"ImportError", "ModuleNotFoundError", "Exception"}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True, slots=True, order=True)
class Import:
    """One name that a file may import."""

    name: str
    """Full dotted name: a module, or a name within the module `base`."""
    base: str
    """What stands behind `from`; empty for a plain import."""
    line: int
    deferred: bool = False
    """It runs when a function is called, not when the file is imported."""
    optional: bool = False
    """The file knows how to go on without it."""


class _Place(NamedTuple):
    node: ast.AST
    deferred: bool
    optional: bool


def read_imports(path: Path, module: str) -> tuple[Import, ...]:
    """What a file imports, in the order of names.

    Args:
        path: The file.
        module: The name that it is imported by, which relative imports start from.
    """
    is_package = path.name == "__init__.py"
    package = module if is_package else module.rpartition(".")[0]
    text = path.read_bytes()
    tree = ast.parse(text, str(path))
    # Most of a tree is expressions, and only a call by name imports inside one.
    running = _running(tree, functions=not is_package, expressions=b"import_module" in text)
    found = [
        Import(name, base, getattr(place.node, "lineno", 0), place.deferred, place.optional)
        for place in running
        for name, base in _names(place.node, package)
        if base != "__future__"
    ]
    return tuple(sorted(set(found)))


def _names(node: ast.AST, package: str) -> Iterator[tuple[str, str]]:
    """Pairs of full name and base."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, "") for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parts = package.split(".")
            above = parts[: len(parts) - node.level + 1]
            base = ".".join((*above, base)) if base else ".".join(above)
        yield from ((f"{base}.{alias.name}", base) for alias in node.names)
    elif isinstance(node, ast.Call):
        # By name, as for what type checkers know nothing of.
        function = getattr(node.func, "id", getattr(node.func, "attr", ""))
        match node.args:
            case [ast.Constant(value=str(name))] if function == "import_module":
                yield name, ""


def _running(tree: ast.AST, *, functions: bool, expressions: bool) -> Iterator[_Place]:
    """All statements that run, with how; all other nodes too if asked for."""
    waiting = [_Place(tree, False, False)]
    while waiting:
        place = waiting.pop()
        node, deferred, optional = place
        yield place
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += [_Place(child, deferred, optional) for child in node.orelse]
            continue
        if isinstance(node, _FUNCTIONS):
            if not functions and not isinstance(node, ast.Lambda):
                continue
            deferred = True
        guarded = set(map(id, node.body)) if isinstance(node, ast.Try) and _forgives(node) else ()
        waiting += [
            _Place(child, deferred, optional or id(child) in guarded)
            for child in ast.iter_child_nodes(node)
            if expressions or not isinstance(child, ast.expr)
        ]


def _forgives(node: ast.Try) -> bool:
    """Whether a missing module is no error here."""
    caught = [ast.unparse(h.type) if h.type else "Exception" for h in node.handlers]
    return any(name.strip("() ") in _MISSING for text in caught for name in text.split(","))
