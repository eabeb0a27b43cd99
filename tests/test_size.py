"""No file over 500 lines, no function over 50: what is longer is more than one thing."""

from __future__ import annotations

import ast

from tests.support.house import ROOT, sources, tree

LONGEST_FILE = 500
LONGEST_FUNCTION = 50

FILES: dict[str, str] = {}
"""Path -> why it may be longer. Empty is how it should be."""

FUNCTIONS: dict[str, str] = {}
"""`path:name` -> why it may be longer."""


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function's body, its docstring aside."""
    body = function.body
    if ast.get_docstring(function) and len(body) > 1:
        body = body[1:]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def test_files_stay_under_the_limit() -> None:
    lengths = {str(p): len((ROOT / p).read_text(encoding="utf-8").splitlines()) for p in sources()}
    assert {p: n for p, n in lengths.items() if n > LONGEST_FILE and p not in FILES} == {}


def test_functions_stay_under_the_limit() -> None:
    lengths = {
        f"{path}:{node.name}": length(node)
        for path in sources()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {n: k for n, k in lengths.items() if k > LONGEST_FUNCTION and n not in FUNCTIONS} == {}


def test_no_exception_to_the_limits_is_stale() -> None:
    known = {str(path) for path in sources()}
    assert {name.partition(":")[0] for name in (*FILES, *FUNCTIONS)} <= known
