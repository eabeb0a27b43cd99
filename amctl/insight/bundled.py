"""What the browser bundle makes of our modules, if it is built."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from amctl.bundle import BundleError, check
from amctl.bundle.manifest import read_manifest

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Bundle", "read_bundle", "runtime_licence"]


@dataclass(frozen=True, slots=True)
class Bundle:
    """web/dist, in figures. Sizes are bytes."""

    prod: bool
    pyodide: str
    """Version of the runtime."""
    app: int
    """Our bytecode."""
    runtime: int
    """Python itself and its library."""
    sent: int
    """All of it as it goes over a network, compressed; 0 if the build didn't."""
    fresh: bool
    """Whether a build would make the same now."""
    sizes: dict[str, int] = field(default_factory=dict)
    """Path of a source, as `amctl/machine/core.py` -> size of its bytecode."""

    def to_json(self) -> dict[str, Any]:
        """The figures as plain JSON, without those of single modules."""
        names = ("prod", "fresh", "pyodide", "app", "runtime", "sent")
        return {name: getattr(self, name) for name in names}


def read_bundle(root: Path, entry: str) -> Bundle | None:
    """Read web/dist of a project; None if there is none, or it is another entry's or unreadable."""
    try:
        manifest = read_manifest(root)
        if manifest.entry != entry:
            return None
        with zipfile.ZipFile(root / "web" / "dist" / manifest.app) as archive:
            sizes = {_source(one.filename): one.compress_size for one in archive.infolist()}
        fresh = not check(root, entry=entry)
    except (OSError, ValueError, zipfile.BadZipFile, BundleError):
        return None
    runtime = manifest.runtime + "/"
    return Bundle(
        prod=manifest.prod,
        pyodide=manifest.pyodide,
        app=sum(file.size for file in manifest.files if file.path == manifest.app),
        runtime=sum(file.size for file in manifest.files if file.path.startswith(runtime)),
        sent=sum(file.brotli for file in manifest.files),
        fresh=fresh,
        sizes=sizes,
    )


def _source(compiled: str) -> str:
    return compiled.removesuffix(".pyc") + ".py"


def runtime_licence(root: Path) -> tuple[str, str]:
    """Version and licence of the installed Pyodide package; empty texts if there is none."""
    try:
        text = (root / "web" / "node_modules" / "pyodide" / "package.json").read_bytes()
        package = json.loads(text)
        return str(package.get("version", "")), str(package.get("license", ""))
    except (OSError, ValueError, AttributeError):
        return "", ""
