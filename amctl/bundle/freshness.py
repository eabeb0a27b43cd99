"""Tells whether web/dist is what a build would make now, and if not, why. Takes milliseconds."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from amctl.bundle.errors import RuntimeMissingError
from amctl.bundle.manifest import FORMAT, Manifest, read_manifest
from amctl.bundle.node import find_runtime
from amctl.bundle.sources import closure, locate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "builder_hash",
    "check",
    "is_stale",
    "missing_files",
    "runtime_hash",
    "snapshot_key",
    "source_hashes",
]

_COMPILER = ("compile.mjs", "inside.py")
_BUILDER = ("builder.py", "manifest.py", "sources.py")
_IMAGE = ("imaged.py", "snapshot.mjs", "snapshot.py", "sparse.py")
_HERE = Path(__file__).parent


def builder_hash() -> str:
    """Hash of what picks and lays out the files: a change there asks for a build."""
    return _hash_of(_BUILDER + _IMAGE)


def snapshot_key(runtime: str, entry: str, sources: Mapping[str, str]) -> str:
    """Hash of everything that a memory image is made from.

    Args:
        runtime: From `runtime_hash`.
        entry: Module that each thread imports.
        sources: From `source_hashes`.
    """
    inputs = [runtime, _hash_of(_IMAGE), entry, sorted(sources.items())]
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:16]


def _hash_of(names: Sequence[str]) -> str:
    digest = hashlib.sha256(str(FORMAT).encode())
    for name in names:
        digest.update((_HERE / name).read_bytes())
    return digest.hexdigest()[:16]


def runtime_hash(version: str, prod: bool) -> str:
    """Hash of what the runtime's files are made from, and of what compiles them."""
    inputs = f"{version} {prod} {_hash_of(_COMPILER)}"
    return hashlib.sha256(inputs.encode()).hexdigest()[:16]


def source_hashes(files: Mapping[str, Path]) -> dict[str, str]:
    """Path in the bundle -> hash of the file."""
    return {name: hashlib.sha256(p.read_bytes()).hexdigest()[:16] for name, p in files.items()}


def missing_files(root: Path, manifest: Manifest) -> list[str]:
    """Files of the manifest that are gone, or of another size."""
    dist = root / "web" / "dist"
    wanted: list[tuple[str, int]] = []
    for file in manifest.files:
        wanted.append((file.path, file.size))
        wanted += [(file.path + ".br", file.brotli)] if file.brotli else []
        wanted += [(file.path + ".gz", file.gzip)] if file.gzip else []
    return [name for name, size in wanted if _size(dist / name) != size]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def check(root: Path, *, prod: bool | None = None, entry: str = "nodes.browser") -> list[str]:
    """Why web/dist is stale, one line for each reason; empty if it is fresh.

    Args:
        root: The project.
        prod: The kind that is wanted; None takes the kind that is there.
        entry: Module that each thread imports.

    Raises:
        EntryMissingError: If there is no such module.
    """
    try:
        manifest = read_manifest(root)
    except FileNotFoundError:
        return ["it was never built"]
    except (OSError, ValueError) as err:
        return [str(err)]
    reasons = []
    try:
        version = find_runtime(root)[1]
    except RuntimeMissingError:
        # What is built still runs, and this machine may well have no Node.
        version = manifest.pyodide
    if version != manifest.pyodide:
        reasons.append(f"pyodide {manifest.pyodide} became {version}")
    elif (manifest.builder, manifest.runtime_inputs) != (
        builder_hash(),
        runtime_hash(version, manifest.prod),
    ):
        reasons.append("the builder changed")
    if prod is not None and prod != manifest.prod:
        reasons.append("a prod build is wanted" if prod else "a plain build is wanted")
    if entry != manifest.entry:
        reasons.append(f"the entry {manifest.entry} became {entry}")
    reasons += [f"{name} is missing" for name in missing_files(root, manifest)]
    old = manifest.sources
    sources = _same_sources(root, manifest, entry) or source_hashes(closure(root, entry))
    reasons += [f"{name} is new" for name in sources.keys() - old.keys()]
    reasons += [f"{name} is gone" for name in old.keys() - sources.keys()]
    changed = (name for name in sources.keys() & old.keys() if sources[name] != old[name])
    reasons += sorted(f"{name} changed" for name in changed)
    return reasons


def _same_sources(root: Path, manifest: Manifest, entry: str) -> dict[str, str] | None:
    """The hashes, without reading any import: the same files import the same files."""
    files = {name: path for name in manifest.sources if (path := locate(root, name))}
    hashes = source_hashes(files)
    same = (hashes, entry, builder_hash()) == (manifest.sources, manifest.entry, manifest.builder)
    return hashes if same else None


def is_stale(root: Path, *, prod: bool | None = None, entry: str = "nodes.browser") -> bool:
    """Whether `build` would build; see `check`."""
    return bool(check(root, prod=prod, entry=entry))
