"""The same code runs inside Pyodide; here it compiles for the Python that tests it."""

from __future__ import annotations

import importlib
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from amctl.bundle.inside import compile_zip

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = '''"""Says something."""

def checked(value):
    """Tell."""
    assert value, "no value"
    return __file__
'''


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("zipped_pkg/__init__.py", SOURCE)
        archive.writestr("zipped_pkg/data.txt", "as it was")
        archive.writestr("zipped_pkg/sub/", "")
    return path


@pytest.mark.parametrize("optimize", [0, 2])
def test_bytecode_is_imported_from_the_zip(
    source: Path, tmp_path: Path, optimize: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, told = tmp_path / "target.zip", []
    compile_zip(str(source), str(target), "/x/", optimize, lambda *n: told.append(n))
    assert told[-1] == (2, 2)
    with zipfile.ZipFile(target) as archive:
        assert archive.namelist() == ["zipped_pkg/__init__.pyc", "zipped_pkg/data.txt"]
        assert archive.read("zipped_pkg/data.txt") == b"as it was"
        assert archive.read("zipped_pkg/__init__.pyc")[4:8] == b"\1\0\0\0"  # unchecked hash
    monkeypatch.syspath_prepend(str(target))
    module = importlib.import_module("zipped_pkg")
    del sys.modules["zipped_pkg"]
    assert module.checked.__code__.co_filename == "/x/zipped_pkg/__init__.py"
    assert module.__doc__ == (None if optimize else "Says something.")
    if optimize:
        assert module.checked(0).endswith(".pyc")
    else:
        with pytest.raises(AssertionError, match="no value"):
            module.checked(0)
