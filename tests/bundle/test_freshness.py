from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from amctl.bundle import build, check, freshness, is_stale
from amctl.bundle.freshness import snapshot_key
from tests.bundle.conftest import ENTRY, FakeNode

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_nothing_built_is_stale(project: Path) -> None:
    assert check(project, entry=ENTRY) == ["it was never built"]
    assert is_stale(project, entry=ENTRY)


def test_a_build_is_fresh(project: Path, node: FakeNode) -> None:
    build(project, entry=ENTRY)
    assert check(project, entry=ENTRY) == []


def test_every_reason_is_named(project: Path, node: FakeNode) -> None:
    build(project, entry=ENTRY)
    (project / "pkg/browser.py").write_text("from pkg import other\n", encoding="utf-8")
    (project / "pkg/other.py").write_text("", encoding="utf-8")
    assert check(project, entry=ENTRY, prod=True) == [
        "a prod build is wanted",
        "pkg/other.py is new",
        "pkg/inner.py is gone",
        "pkg/browser.py changed",
    ]


def test_another_entry_is_a_reason(project: Path, node: FakeNode) -> None:
    build(project, entry="pkg.inner")
    reasons = check(project, entry=ENTRY)
    assert reasons == ["the entry pkg.inner became pkg.browser", "pkg/browser.py is new"]


def test_another_runtime_is_a_reason(project: Path, node: FakeNode) -> None:
    build(project, entry=ENTRY)
    package = {"dependencies": {"pyodide": "2.0.0"}}
    (project / "web/package.json").write_text(json.dumps(package), encoding="utf-8")
    installed = project / "web/node_modules/pyodide/package.json"
    installed.write_text(json.dumps({"version": "2.0.0"}), encoding="utf-8")
    assert check(project, entry=ENTRY) == ["pyodide 1.2.3 became 2.0.0"]


def test_a_built_bundle_needs_no_runtime_package(project: Path, node: FakeNode) -> None:
    build(project, entry=ENTRY)
    shutil.rmtree(project / "web/node_modules")
    assert check(project, entry=ENTRY) == []


def test_another_builder_is_a_reason(
    project: Path, node: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(project, entry=ENTRY)
    monkeypatch.setattr(freshness, "builder_hash", lambda: "another")
    assert check(project, entry=ENTRY) == ["the builder changed"]


def test_the_key_of_an_image_knows_all_that_it_is_made_from() -> None:
    made = {"pkg/a.py": "1", "pkg/b.py": "2"}
    key = snapshot_key("runtime", "pkg.a", made)
    assert key == snapshot_key("runtime", "pkg.a", dict(reversed(made.items())))
    others = [
        snapshot_key("another", "pkg.a", made),
        snapshot_key("runtime", "pkg.b", made),
        snapshot_key("runtime", "pkg.a", {**made, "pkg/b.py": "3"}),
        snapshot_key("runtime", "pkg.a", {"pkg/a.py": "1"}),
    ]
    assert len({key, *others}) == 5


def test_the_key_of_an_image_knows_how_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    key = snapshot_key("runtime", "pkg.a", {})
    monkeypatch.setattr(freshness, "_IMAGE", ("imaged.py", "sparse.py"))
    assert snapshot_key("runtime", "pkg.a", {}) != key


def test_a_damaged_manifest_is_a_reason(project: Path, node: FakeNode) -> None:
    build(project, entry=ENTRY)
    (project / "web/dist/manifest.json").write_text('{"format": 2, "files": []}', encoding="utf-8")
    assert "damaged" in check(project, entry=ENTRY)[0]
