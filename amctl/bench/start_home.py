"""A project to measure starts in: the same page, built three ways.

- stock: Pyodide as its package has it, our code as sources; each thread loads and compiles all of
  it for itself.
- pyc: the bundle without its memory image: bytecode, one compiled runtime for all threads.
- snapshot: the bundle as it is.
"""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from typing import TYPE_CHECKING, Any, Final

from amctl.bench.errors import BenchError
from amctl.bundle.manifest import EMPTY_LOCK, page_manifest
from amctl.bundle.node import find_runtime
from amctl.bundle.sources import closure

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MODES", "STOCK_FILES", "lay_home", "lay_stock", "manifest_for", "stock_page"]

MODES: Final = ("stock", "pyc", "snapshot")
STOCK_FILES: Final = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
_APP = "app.zip"
_NOT_SERVED = ("node_modules",)


def lay_home(project: Path, home: Path, entry: str) -> None:
    """Make `home` look like a project that is built, with what the stock start needs beside.

    Args:
        project: The project; its bundle is fresh.
        home: An empty folder.
        entry: Module that each thread imports.

    Raises:
        RuntimeMissingError: Pyodide's package isn't installed.
    """
    for path in project.iterdir():
        if path.name != "web":
            (home / path.name).symlink_to(path)
    ignored = shutil.ignore_patterns(*_NOT_SERVED)
    shutil.copytree(project / "web", home / "web", ignore=ignored)
    lay_stock(project, home, entry)


def lay_stock(project: Path, home: Path, entry: str) -> None:
    """Lay only what the stock start needs beside the page's scripts; nothing has to be built.

    Args:
        project: The project.
        home: Where to lay it: below `web/dist`.
        entry: Module that each thread imports.

    Raises:
        RuntimeMissingError: Pyodide's package isn't installed.
    """
    package, version = find_runtime(project)
    files = closure(project, entry)
    digest = hashlib.sha256(version.encode())
    for path in files.values():
        digest.update(path.read_bytes())
    # a hash in its name lets browsers keep it, as they keep the others
    folder = home / "web" / "dist" / f"stock-{digest.hexdigest()[:16]}"
    folder.mkdir(parents=True)
    for name in STOCK_FILES:
        shutil.copyfile(package / name, folder / name)
    with zipfile.ZipFile(folder / _APP, "w") as archive:
        for name, path in files.items():
            archive.write(path, name)


def manifest_for(home: Path, mode: str) -> dict[str, Any]:
    """What the page is told to start from.

    Args:
        home: From `lay_home`.
        mode: One of MODES.

    Raises:
        BenchError: The bundle has no memory image.
    """
    page = page_manifest(home)
    if mode == "snapshot":
        if page["snapshot"] is None:
            raise BenchError("web/dist", "it has no memory image; amctl build says why")
        return page
    page["snapshot"] = None
    return {**page, **stock_page(home)} if mode == "stock" else page


def stock_page(home: Path) -> dict[str, Any]:
    """What the page is told to start stock from: see `lay_stock`."""
    (folder,) = (home / "web" / "dist").glob("stock-*")
    base = f"dist/{folder.name}/"
    files = (("wasm", STOCK_FILES[2]), ("stdlib", STOCK_FILES[3]), ("app", _APP))
    return {
        "stock": True,
        "runtime": base,
        "snapshot": None,
        "lock": EMPTY_LOCK,
        **{
            key: {"url": base + name, "size": (folder / name).stat().st_size} for key, name in files
        },
    }
