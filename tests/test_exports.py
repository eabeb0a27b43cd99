"""Public modules say what is public, and packages re-export nothing else."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

from tests.support.house import exported, imports, module_name, sources

if TYPE_CHECKING:
    from pathlib import Path

MODULES = [p for p in sources() if not p.name.startswith("_")]
PACKAGES = [p for p in sources() if p.name == "__init__.py"]
ONLY_IN_A_BROWSER = {"js", "pyodide"}


def runs_here(path: Path) -> bool:
    """Whether the module can be imported outside a browser."""
    return not any(name.partition(".")[0] in ONLY_IN_A_BROWSER for name, _ in imports(path))


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_public_module_has_an_all_that_holds_what_exists(path: Path) -> None:
    names = exported(path)
    assert names is not None, f"{path} has no __all__"
    assert len(names) == len(set(names))
    if runs_here(path):
        module = importlib.import_module(module_name(path))
        assert [name for name in names if not hasattr(module, name)] == []


@pytest.mark.parametrize("path", PACKAGES, ids=str)
def test_a_package_re_exports_only_what_its_modules_export(path: Path) -> None:
    public = {
        name
        for module in MODULES
        if module.is_relative_to(path.parent)
        for name in exported(module) or ()
    }
    submodules = {p.stem for p in sources() if p.parent == path.parent}
    package = importlib.import_module(module_name(path.parent))
    own = {n for n, v in vars(package).items() if getattr(v, "__module__", "") == package.__name__}
    assert set(exported(path) or ()) <= public | submodules | own
