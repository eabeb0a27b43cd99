"""Makes the memory image of a bundle: a Python that has imported the nodes' code, to wake up from.

The image is a shortcut and nothing depends on it. It rests on private parts of Pyodide, and on an
entry that can be imported outside a browser; where either fails, the bundle is built without one,
and says why.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amctl.bundle.errors import BuildFailedError
from amctl.bundle.manifest import EMPTY_LOCK, Snapshot
from amctl.bundle.sources import module_name, outside
from amctl.bundle.sparse import Image, pack, read_pyodide_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Recipe", "take_snapshot"]

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an image is made of."""

    key: str
    pyodide: str
    """Version of the runtime."""
    entry: str
    modules: Mapping[str, Path]
    """From `closure`."""
    runtime: Path
    """Folder of the built runtime."""
    app: Path
    """The zip of our bytecode."""
    web: Path
    """Folder of the page, whose snapshot.js wakes images up."""


def take_snapshot(
    recipe: Recipe, work: Path, dist: Path, run: Callable[[Path, dict[str, Any]], None]
) -> tuple[Snapshot | None, str]:
    """Make an image, wake it up once in Node, and put it into `dist`.

    Args:
        recipe: What it is made of.
        work: Folder for files in between.
        dist: Where the image goes.
        run: Runs a script for Node with an order, or raises BuildFailedError.

    Returns:
        The image, or None and why there is none.
    """
    raw, image = work / "heap.bin", work / "snapshot.bin"
    script = _HERE / "snapshot.mjs"
    try:
        run(script, {**_common(recipe), **_taking(recipe), "target": str(raw)})
        state, heap = read_pyodide_snapshot(raw.read_bytes())
        data = pack(Image(recipe.pyodide, recipe.key, state, heap))
        image.write_bytes(data)
        trial = {"image": str(image), "web": str(recipe.web), "version": recipe.pyodide}
        run(script, {**_common(recipe), **trial})
    except (BuildFailedError, OSError, ValueError) as err:
        return None, _gist(err)
    digest = hashlib.sha256(data).digest()
    path = f"snapshot-{digest.hex()[:16]}.bin"
    image.replace(dist / path)
    return Snapshot(path, recipe.key, f"sha256-{base64.b64encode(digest).decode()}"), ""


def _common(recipe: Recipe) -> dict[str, Any]:
    return {
        "pyodide": str(recipe.runtime),
        "stdlib": str(recipe.runtime / "python_stdlib.zip"),
        "app": str(recipe.app),
        "lock": EMPTY_LOCK,
        "key": recipe.key,
        "entry": recipe.entry,
    }


def _taking(recipe: Recipe) -> dict[str, Any]:
    """All that any of our modules imports, now or later, so that little is imported in a thread."""
    own = [module_name(inner) for inner in recipe.modules]
    return {"inside": str(_HERE / "imaged.py"), "names": [*own, *outside(recipe.modules)]}


def _gist(error: Exception) -> str:
    """The last line: a traceback's says what happened. No more than fits a line."""
    said = error.said if isinstance(error, BuildFailedError) else ""
    lines = [line.strip() for line in (said or str(error)).splitlines() if line.strip()]
    python = [line for line in lines if line.split(":")[0].endswith(("Error", "Exception"))]
    return (python or lines or [str(error)])[-1][:300]
