"""The project that starts are measured in."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from amctl.bench.errors import BenchError
from amctl.bench.start_home import STOCK_FILES, lay_home, manifest_for
from amctl.bundle.manifest import FORMAT, BuiltFile, Manifest, Snapshot

if TYPE_CHECKING:
    from pathlib import Path

FILES = ("runtime-00/pyodide.asm.wasm", "runtime-00/python_stdlib.zip", "app-00.zip", "image.bin")


@pytest.fixture
def homes(tmp_path: Path) -> tuple[Path, Path]:
    """A project that looks built, and a folder for its likeness."""
    project, home = tmp_path / "project", tmp_path / "home"
    manifest = Manifest(
        pyodide="1.2.3",
        prod=False,
        entry="pkg.entry",
        runtime="runtime-00",
        app="app-00.zip",
        files=tuple(BuiltFile(name, 5) for name in FILES),
        runtime_inputs="",
        snapshot=Snapshot("image.bin", "key", "sha256-AA=="),
    )
    texts = {
        "pkg/__init__.py": "",
        "pkg/entry.py": "VALUE = 1\n",
        "config.env": "",
        "web/index.html": "page",
        "web/package.json": json.dumps({"dependencies": {"pyodide": "1.2.3"}}),
        "web/node_modules/pyodide/package.json": json.dumps({"version": "1.2.3"}),
        "web/dist/manifest.json": json.dumps(manifest.to_json()),
        **{f"web/node_modules/pyodide/{name}": f"stock {name}" for name in STOCK_FILES},
        **{f"web/dist/{name}": "built" for name in FILES},
    }
    for name, text in texts.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text, encoding="utf-8")
    home.mkdir()
    return project, home


def test_the_likeness_has_all_that_the_page_fetches(homes: tuple[Path, Path]) -> None:
    project, home = homes
    lay_home(project, home, "pkg.entry")
    assert (home / "pkg").resolve() == project / "pkg"
    assert not (home / "web" / "node_modules").exists()
    for mode in ("stock", "pyc", "snapshot"):
        page = manifest_for(home, mode)
        for key in ("wasm", "stdlib", "app"):
            file = home / "web" / page[key]["url"]
            assert file.stat().st_size == page[key]["size"]
            assert not file.is_symlink()
        assert page.get("stock", False) == (mode == "stock")
        assert (page["snapshot"] is not None) == (mode == "snapshot")
        assert (home / "web" / page["runtime"]).is_dir()


def test_the_stock_start_gets_sources(homes: tuple[Path, Path]) -> None:
    project, home = homes
    lay_home(project, home, "pkg.entry")
    page = manifest_for(home, "stock")
    with zipfile.ZipFile(home / "web" / page["app"]["url"]) as archive:
        assert archive.namelist() == ["pkg/__init__.py", "pkg/entry.py"]
    stdlib = home / "web" / page["stdlib"]["url"]
    assert stdlib.read_text(encoding="utf-8") == "stock python_stdlib.zip"


def test_without_an_image_there_is_nothing_to_measure(homes: tuple[Path, Path]) -> None:
    project, _ = homes
    path = project / "web" / "dist" / "manifest.json"
    raw = json.loads(path.read_bytes())
    assert raw["format"] == FORMAT
    path.write_text(json.dumps({**raw, "snapshot": None}), encoding="utf-8")
    with pytest.raises(BenchError, match="no memory image"):
        manifest_for(project, "snapshot")
