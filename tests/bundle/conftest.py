"""Small projects to bundle, with and without a real Node behind the builder."""

from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from amctl.bundle import builder
from amctl.bundle.node import Node
from amctl.bundle.sparse import unpack

if TYPE_CHECKING:
    from collections.abc import Callable

VERSION = "1.2.3"
ENTRY = "pkg.browser"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a package, and a runtime that is nothing but names."""
    files = {
        "pkg/__init__.py": "",
        "pkg/browser.py": "from pkg import inner\n",
        "pkg/inner.py": "VALUE = 1\n",
        "pkg/server.py": "raise RuntimeError('not for browsers')\n",
        "web/package.json": json.dumps({"dependencies": {"pyodide": VERSION}}),
        "web/node_modules/pyodide/package.json": json.dumps({"version": VERSION}),
        "web/node_modules/pyodide/pyodide.mjs": "loader",
        "web/node_modules/pyodide/pyodide.asm.mjs": "glue",
        "web/node_modules/pyodide/pyodide.asm.wasm": "wasm",
        "web/node_modules/pyodide/python_stdlib.zip": "sources",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


class FakeNode:
    """Does in this process what Node does with an order, but compiles nothing."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.failure: Exception | None = None
        self.image_failure: Exception | None = None

    def run(
        self, _node: Node, _script: Path, order: Path, progress: Callable[[dict[str, Any]], None]
    ) -> None:
        if self.failure:
            raise self.failure
        told = json.loads(order.read_bytes())
        if "target" in told or "image" in told:
            self._image(told)
        for job in told.get("jobs", []):
            self.steps.append(job["step"])
            source = Path(job["source"]).read_bytes()
            Path(job["target"]).write_bytes(b"compiled %d " % job["optimize"] + source)
            progress({"step": job["step"], "done": 1, "total": 1})
        for name in told.get("pack", []):
            self.steps.append(f"pack {Path(name).name}")
            for suffix in (".br", ".gz"):
                Path(name + suffix).write_bytes(b"packed")

    def _image(self, told: dict[str, Any]) -> None:
        """Take an image of nothing much, or wake it up."""
        if self.image_failure:
            raise self.image_failure
        if "image" in told:
            assert unpack(Path(told["image"]).read_bytes()).key == told["key"]
            self.steps.append("wake")
        else:
            self.steps.append("snapshot")
            Path(told["target"]).write_bytes(pyodide_snapshot(told["key"].encode()))


def pyodide_snapshot(heap: bytes, state: str = "{}") -> bytes:
    """What Pyodide would make of a heap."""
    text = state.encode()
    start = -(-(48 + 2 * len(text)) // 16) * 16
    head = struct.pack("<4I", 0x706E7300, start, len(text), 0)
    return (head + bytes(32) + text).ljust(start, b"\0") + heap


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> FakeNode:
    """Builds without Node."""
    fake = FakeNode()
    monkeypatch.setattr(builder, "run_script", fake.run)
    monkeypatch.setattr(builder, "find_node", lambda: Node("node", (), "20"))
    return fake


def names_in(path: Path) -> list[str]:
    """What is in a zip."""
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()
