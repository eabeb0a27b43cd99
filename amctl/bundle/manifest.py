"""`web/dist/manifest.json`: what was built, from what, and what the page must fetch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "EMPTY_LOCK",
    "FORMAT",
    "BuiltFile",
    "Manifest",
    "Snapshot",
    "page_manifest",
    "read_manifest",
]

FORMAT = 2
"""Of the manifest and of how the bundle is laid out; raise it when either changes."""


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """A file of the bundle. Sizes are bytes; 0 means that there is no such variant."""

    path: str
    """Below web/dist; its hash is part of it, so what it names never changes."""
    size: int
    brotli: int = 0
    gzip: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A memory image of a Python that has imported our code: see `amctl.bundle.sparse`."""

    path: str
    """Below web/dist."""
    key: str
    """Hash of what it was made from: the runtime, our sources, and how it is made."""
    integrity: str
    """SHA-256 as `fetch` takes it; the page uses no image that differs."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What web/dist holds."""

    pyodide: str
    """Version of the runtime."""
    prod: bool
    entry: str
    runtime: str
    """Folder of the runtime below web/dist."""
    app: str
    """Zip of our bytecode below web/dist."""
    files: tuple[BuiltFile, ...]
    runtime_inputs: str
    """Hash of what the runtime's files were made from."""
    builder: str = ""
    """Hash of the code that laid it out."""
    sources: dict[str, str] = field(default_factory=dict)
    """Path in the zip -> hash of the source."""
    snapshot: Snapshot | None = None
    """The memory image; None if there is none, and then threads start without."""
    snapshot_problem: str = ""
    """Why there is none."""
    format: int = FORMAT

    def to_json(self) -> dict[str, Any]:
        """All of it, as plain JSON."""
        return asdict(self)

    def for_page(self) -> dict[str, Any]:
        """What the loader needs: paths relative to the page, sizes in bytes."""
        runtime = f"dist/{self.runtime}/"
        sizes = {f"dist/{file.path}": file.size for file in self.files}
        stdlib, wasm = runtime + "python_stdlib.zip", runtime + "pyodide.asm.wasm"
        return {
            "version": self.pyodide,
            "prod": self.prod,
            "runtime": runtime,
            "wasm": {"url": wasm, "size": sizes[wasm]},
            "stdlib": {"url": stdlib, "size": sizes[stdlib]},
            "app": {"url": f"dist/{self.app}", "size": sizes[f"dist/{self.app}"]},
            "snapshot": self._snapshot_for_page(sizes),
            "lock": EMPTY_LOCK,
        }

    def _snapshot_for_page(self, sizes: dict[str, int]) -> dict[str, Any] | None:
        if self.snapshot is None:
            return None
        url = f"dist/{self.snapshot.path}"
        told = {"key": self.snapshot.key, "integrity": self.snapshot.integrity}
        return {"url": url, "size": sizes[url], **told}


EMPTY_LOCK = {
    "info": {
        "abi_version": "2026_0",
        "arch": "wasm32",
        "platform": "emscripten_5_0_3",
        "python": "3.14.2",
    },
    "packages": {},
}
"""Pyodide wants a list of its packages; ours has none, which saves fetching 119 KB."""


def read_manifest(root: Path) -> Manifest:
    """Read what stands in web/dist of a project.

    Raises:
        OSError: If nothing was built.
        ValueError: If the manifest is another version's, or damaged.
    """
    raw = json.loads((root / "web" / "dist" / "manifest.json").read_bytes())
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise ValueError("web/dist/manifest.json is of another format")
    try:
        files = tuple(BuiltFile(**file) for file in raw.pop("files"))
        snapshot = raw.pop("snapshot", None)
        return Manifest(files=files, snapshot=snapshot and Snapshot(**snapshot), **raw)
    except (KeyError, TypeError) as err:
        raise ValueError(f"web/dist/manifest.json is damaged: {err}") from err


def page_manifest(root: Path) -> dict[str, Any]:
    """The part of the manifest that the page gets, in /boot.json.

    Raises:
        OSError: If nothing was built.
        ValueError: If the manifest is another version's, or damaged.
    """
    return read_manifest(root).for_page()
