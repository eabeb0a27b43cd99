"""Reading the imports of one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.insight.imports import Import, read_imports

if TYPE_CHECKING:
    from pathlib import Path


def read(folder: Path, text: str, name: str = "mod.py") -> list[Import]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return list(read_imports(path, "pack.mod" if name == "mod.py" else "pack"))


@pytest.mark.parametrize(
    ("text", "name", "base"),
    [
        ("import a.b", "a.b", ""),
        ("from a import b", "a.b", "a"),
        ("from . import b", "pack.b", "pack"),
        ("from .c import d", "pack.c.d", "pack.c"),
        ("from .. import e", ".e", ""),
        ("import_module('js')", "js", ""),
        ("importlib.import_module('pyodide.ffi')", "pyodide.ffi", ""),
    ],
)
def test_names_are_whole(tmp_path: Path, text: str, name: str, base: str) -> None:
    assert read(tmp_path, text) == [Import(name, base, 1)]


def test_an_import_in_a_function_is_deferred(tmp_path: Path) -> None:
    assert read(tmp_path, "def f():\n    import a\n") == [Import("a", "", 2, deferred=True)]
    assert read(tmp_path, "class A:\n    import a\n") == [Import("a", "", 2)]


def test_functions_of_a_package_are_left_out(tmp_path: Path) -> None:
    text = "import a\ndef f():\n    import b\nasync def g():\n    import c\n"
    assert read(tmp_path, text, "__init__.py") == [Import("a", "", 1)]


def test_what_only_type_checkers_see_is_left_out(tmp_path: Path) -> None:
    text = (
        "if TYPE_CHECKING:\n    import a\nelse:\n    import b\nfrom __future__ import annotations"
    )
    assert read(tmp_path, text) == [Import("b", "", 4)]


@pytest.mark.parametrize(
    ("handler", "optional"),
    [
        ("except ImportError", True),
        ("except (OSError, ModuleNotFoundError)", True),
        ("except", True),
        ("except ValueError", False),
    ],
)
def test_a_guarded_import_is_optional(tmp_path: Path, handler: str, optional: bool) -> None:
    text = f"try:\n    import a\n{handler}:\n    import b\n"
    assert read(tmp_path, text) == [
        Import("a", "", 2, optional=optional),
        Import("b", "", 4),
    ]


def test_a_name_that_is_computed_is_no_import(tmp_path: Path) -> None:
    assert read(tmp_path, "import_module(name)\nother('x')\n") == []
