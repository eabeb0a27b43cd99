"""Making an image: what Node is told, and that no failure is worse than no image."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest

from amctl.bundle import BuildFailedError
from amctl.bundle.snapshot import Recipe, take_snapshot
from amctl.bundle.sources import closure
from amctl.bundle.sparse import PAGE, unpack
from tests.bundle.conftest import ENTRY, pyodide_snapshot

HEAP = bytes(3 * PAGE) + b"Python" + bytes(PAGE)


@pytest.fixture
def recipe(project: Path) -> Recipe:
    (project / "dist").mkdir()
    (project / "work").mkdir()
    return Recipe(
        key="the-key",
        pyodide="1.2.3",
        entry=ENTRY,
        modules=closure(project, ENTRY),
        runtime=project / "runtime",
        app=project / "app.zip",
        web=project / "web",
    )


class FakeRun:
    """Notes the orders; makes the heap that it was given, then fails if it is to."""

    def __init__(self, raw: bytes, failures: tuple[Exception | None, ...] = (None, None)) -> None:
        self.raw, self.failures = raw, failures
        self.orders: list[dict[str, Any]] = []

    def __call__(self, script: Path, order: dict[str, Any]) -> None:
        assert script.name == "snapshot.mjs"
        assert script.is_file()
        self.orders.append(order)
        failure = self.failures[len(self.orders) - 1]
        if failure is not None:
            raise failure
        if "target" in order:
            Path(order["target"]).write_bytes(self.raw)


def test_an_image_is_taken_woken_up_once_and_named_by_its_bytes(
    recipe: Recipe, project: Path
) -> None:
    run = FakeRun(pyodide_snapshot(HEAP, '{"hiwireKeys":[]}'))
    snapshot, problem = take_snapshot(recipe, project / "work", project / "dist", run)
    assert problem == ""
    assert snapshot is not None
    data = (project / "dist" / snapshot.path).read_bytes()
    digest = hashlib.sha256(data).digest()
    assert snapshot.path == f"snapshot-{digest.hex()[:16]}.bin"
    assert snapshot.integrity == "sha256-" + base64.b64encode(digest).decode()
    image = unpack(data)
    assert (image.pyodide, image.key, image.state) == ("1.2.3", "the-key", {"hiwireKeys": []})
    assert image.heap == HEAP
    taken, woken = run.orders
    assert taken["entry"] == ENTRY
    assert taken["names"] == ["pkg", "pkg.browser", "pkg.inner"]
    assert taken["key"] == woken["key"] == "the-key"
    assert woken["version"] == "1.2.3"


@pytest.mark.parametrize(
    ("raw", "failures", "why"),
    [
        (
            b"",
            (BuildFailedError("snapshot.mjs", "noise\nImportError: no js\n at"), None),
            "no js",
        ),
        (b"", (BuildFailedError("snapshot.mjs ended with code 9", ""), None), "ended with code 9"),
        (b"of another layout", (None, None), "too short"),
        (bytes(99), (None, None), "not a snapshot of Pyodide"),
        (pyodide_snapshot(HEAP), (None, BuildFailedError("x", "RuntimeError: trap")), "trap"),
        (pyodide_snapshot(HEAP), (None, OSError(28, "No space left")), "No space left"),
    ],
)
def test_no_image_is_no_error(
    recipe: Recipe, project: Path, raw: bytes, failures: tuple[Exception | None, ...], why: str
) -> None:
    run = FakeRun(raw, failures)
    snapshot, problem = take_snapshot(recipe, project / "work", project / "dist", run)
    assert snapshot is None
    assert why in problem
    assert "\n" not in problem
    assert list((project / "dist").iterdir()) == []
