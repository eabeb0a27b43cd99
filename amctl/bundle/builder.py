"""Builds web/dist: the Python runtime, its standard library and our code as bytecode.

The layout serves caches that never ask again: each URL has a hash of what it names in it.

    web/dist/manifest.json
    web/dist/runtime-HASH/      pyodide.mjs, pyodide.asm.mjs, pyodide.asm.wasm, python_stdlib.zip
    web/dist/app-HASH.zip       our bytecode
    web/dist/snapshot-HASH.bin  memory of a Python that has imported all of it, to wake up from

The runtime's files keep their own names below a hashed folder, so that a plain `loadPyodide` can
start from it too. A build is made in a folder beside web/dist and renamed into place: whoever
reads it meanwhile sees the old one or the new one.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
import zipfile
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amctl.bundle.freshness import (
    builder_hash,
    check,
    missing_files,
    runtime_hash,
    snapshot_key,
    source_hashes,
)
from amctl.bundle.manifest import BuiltFile, Manifest, read_manifest
from amctl.bundle.node import find_node, find_runtime, run_script
from amctl.bundle.snapshot import Recipe, take_snapshot
from amctl.bundle.sources import closure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["BuildReport", "build", "clean"]

_HERE = Path(__file__).parent
_RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm")
_STDLIB = "python_stdlib.zip"


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What `build` did."""

    built: bool
    """False if everything was fresh already."""
    prod: bool
    hash: str
    """Names this build: it differs when any file does."""
    seconds: float
    files: tuple[BuiltFile, ...]
    modules: tuple[str, ...]
    """Files of ours in the bundle, as they are called in it."""
    reasons: tuple[str, ...] = ()
    """Why it was built."""
    snapshot_problem: str = ""
    """Why there is no memory image, so that threads start slower; empty if there is one."""

    @property
    def size(self) -> int:
        """Bytes of all files, uncompressed."""
        return sum(file.size for file in self.files)

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON, for scripts."""
        return {**asdict(self), "seconds": round(self.seconds, 3), "size": self.size}


def build(
    root: Path,
    *,
    prod: bool | None = None,
    entry: str = "nodes.browser",
    progress: Callable[[str, int, int], None] | None = None,
) -> BuildReport:
    """Build web/dist, or do nothing if it is fresh. Blocks for seconds; builds take turns.

    What hasn't changed is taken over from the build before: after a change of our own code the
    standard library isn't compiled again.

    Args:
        root: The project.
        prod: True: without asserts and docstrings, packed with brotli and gzip, for a real
            network. None: the kind that is there, plain if there is none.
        entry: Module that each thread imports.
        progress: Called with a step (begin, stdlib, app, snapshot, compress), what of it is done,
            its total.

    Raises:
        BundleError: If something that it takes is missing, or compiling failed.
    """
    began = time.perf_counter()
    if not (reasons := check(root, prod=prod, entry=entry)):
        return _report(read_manifest(root), began, ())
    with _turn(root):
        # another process may have built it while this one waited
        if not (reasons := check(root, prod=prod, entry=entry)):
            return _report(read_manifest(root), began, ())
        old = _old_manifest(root)
        kind = prod if prod is not None else bool(old and old.prod)
        manifest = _build(root, kind, entry, old, progress or (lambda step, done, total: None))
    return _report(manifest, began, tuple(reasons))


def clean(root: Path) -> bool:
    """Remove web/dist and what broken builds left; tell whether there was anything."""
    with _turn(root):
        left = [path for path in (root / "web").glob(".dist-*") if path.is_dir()]
        left += [root / "web" / "dist"] if (root / "web" / "dist").is_dir() else []
        for path in left:
            shutil.rmtree(path)
    return bool(left)


def _report(manifest: Manifest, began: float, reasons: tuple[str, ...]) -> BuildReport:
    names = "\n".join(file.path for file in manifest.files)
    return BuildReport(
        built=bool(reasons),
        prod=manifest.prod,
        hash=hashlib.sha256(names.encode()).hexdigest()[:16],
        seconds=time.perf_counter() - began,
        files=manifest.files,
        modules=tuple(manifest.sources),
        reasons=reasons,
        snapshot_problem=manifest.snapshot_problem,
    )


@contextlib.contextmanager
def _turn(root: Path) -> Iterator[None]:
    """Hold the project's build lock; the system lets go of it if this process dies."""
    web = os.open(root / "web", os.O_RDONLY)
    try:
        fcntl.flock(web, fcntl.LOCK_EX)
        yield
    finally:
        os.close(web)


def _old_manifest(root: Path) -> Manifest | None:
    try:
        return read_manifest(root)
    except (OSError, ValueError):
        return None


def _build(
    root: Path,
    prod: bool,
    entry: str,
    old: Manifest | None,
    progress: Callable[[str, int, int], None],
) -> Manifest:
    package, version = find_runtime(root)
    modules = closure(root, entry)
    sources = source_hashes(modules)
    inputs = runtime_hash(version, prod)
    keep = old is not None and old.runtime_inputs == inputs and not missing_files(root, old)
    for left in (root / "web").glob(".dist-*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=".dist-", dir=root / "web") as temporary:
        work, fresh = Path(temporary), Path(temporary) / "dist"
        fresh.mkdir(mode=0o755)
        runtime = old.runtime if keep and old is not None else ""
        jobs = [_app_job(work, modules, prod)]
        if not runtime:
            jobs.insert(0, _stdlib_job(work, package, prod))
        progress("begin", 0, 1)
        _run(work, {"pyodide": str(package), "jobs": jobs}, progress)
        if runtime:
            shutil.copytree(root / "web" / "dist" / runtime, fresh / runtime, copy_function=os.link)
        else:
            runtime = _lay_runtime(package, work / _STDLIB, fresh)
        app = f"app-{_hash_files([work / 'app.zip'])}.zip"
        shutil.move(work / "app.zip", fresh / app)
        progress("snapshot", 0, 1)
        recipe = Recipe(
            key=snapshot_key(inputs, entry, sources),
            pyodide=version,
            entry=entry,
            modules=modules,
            runtime=fresh / runtime,
            app=fresh / app,
            web=root / "web",
        )
        snapshot, problem = take_snapshot(recipe, work, fresh, partial(_run_node, work))
        progress("snapshot", 1, 1)
        if prod:
            _pack(work, fresh, progress)
        return _publish(
            root,
            work,
            pyodide=version,
            prod=prod,
            entry=entry,
            runtime=runtime,
            app=app,
            runtime_inputs=inputs,
            builder=builder_hash(),
            sources=sources,
            snapshot=snapshot,
            snapshot_problem=problem,
        )


def _publish(root: Path, work: Path, **made: Any) -> Manifest:
    """Write the manifest of what was laid out, and put all of it into place."""
    fresh = work / "dist"
    manifest = Manifest(files=tuple(_list_files(fresh)), **made)
    text = json.dumps(manifest.to_json(), indent=1)
    (fresh / "manifest.json").write_text(text + "\n", encoding="utf-8")
    _swap(fresh, root / "web" / "dist", work / "old")
    return manifest


def _stdlib_job(work: Path, package: Path, prod: bool) -> dict[str, Any]:
    return {
        "step": "stdlib",
        "source": str(package / _STDLIB),
        "target": str(work / _STDLIB),
        "prefix": "/lib/python314.zip/",
        "optimize": 2 if prod else 0,
    }


def _app_job(work: Path, modules: Mapping[str, Path], prod: bool) -> dict[str, Any]:
    source = work / "sources.zip"
    with zipfile.ZipFile(source, "w") as archive:
        for name, path in modules.items():
            archive.writestr(zipfile.ZipInfo(name), path.read_bytes())
    return {
        "step": "app",
        "source": str(source),
        "target": str(work / "app.zip"),
        "prefix": "",
        "optimize": 2 if prod else 0,
    }


def _run(work: Path, order: dict[str, Any], progress: Callable[[str, int, int], None]) -> None:
    told = {"inside": str(_HERE / "inside.py"), **order}
    script = _HERE / "compile.mjs"
    _run_node(work, script, told, lambda say: progress(say["step"], say["done"], say["total"]))


def _run_node(
    work: Path,
    script: Path,
    order: dict[str, Any],
    say: Callable[[dict[str, Any]], None] = lambda said: None,
) -> None:
    path = work / "order.json"
    path.write_text(json.dumps(order), encoding="utf-8")
    run_script(find_node(), script, path, say)


def _lay_runtime(package: Path, stdlib: Path, fresh: Path) -> str:
    files = [package / name for name in _RUNTIME] + [stdlib]
    folder = fresh / f"runtime-{_hash_files(files)}"
    folder.mkdir()
    for file in files:
        shutil.copyfile(file, folder / file.name)
    return folder.name


def _pack(work: Path, fresh: Path, progress: Callable[[str, int, int], None]) -> None:
    plain = [path for path in fresh.rglob("*") if path.is_file()]
    todo = [
        str(path)
        for path in plain
        if path.suffix not in (".br", ".gz") and not path.with_name(path.name + ".br").exists()
    ]
    _run(work, {"pack": todo}, progress)


def _hash_files(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _list_files(fresh: Path) -> Iterator[BuiltFile]:
    sizes = {p.relative_to(fresh).as_posix(): p.stat().st_size for p in fresh.rglob("*.*")}
    for path, size in sorted(sizes.items()):
        if (fresh / path).is_file() and not path.endswith((".br", ".gz")):
            yield BuiltFile(path, size, sizes.get(path + ".br", 0), sizes.get(path + ".gz", 0))


def _swap(fresh: Path, dist: Path, aside: Path) -> None:
    """Put `fresh` where `dist` is. Between the two renames nothing is there, for microseconds."""
    if dist.exists():
        dist.rename(aside)
    try:
        fresh.rename(dist)
    except OSError:
        if aside.exists():
            aside.rename(dist)
        raise
