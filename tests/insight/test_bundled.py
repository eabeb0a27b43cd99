"""Figures of web/dist."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from amctl.bundle.manifest import BuiltFile, Manifest
from amctl.insight import bundled as room
from amctl.insight.bundled import read_bundle, runtime_licence

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    dist = tmp_path / "web" / "dist"
    dist.mkdir(parents=True)
    with zipfile.ZipFile(dist / "app-0.zip", "w") as archive:
        archive.writestr("shop/__init__.pyc", "12")
        archive.writestr("shop/browser.pyc", "12345")
    files = (BuiltFile("app-0.zip", 300, 100, 150), BuiltFile("runtime-0/a.wasm", 5000, 1000))
    manifest = Manifest("314.0.7", True, "shop.browser", "runtime-0", "app-0.zip", files, "")
    (dist / "manifest.json").write_text(json.dumps(manifest.to_json()), encoding="utf-8")
    monkeypatch.setattr(room, "check", lambda root, entry: ["it changed"])
    return tmp_path


def test_sizes_of_bytecode_and_runtime(built: Path) -> None:
    bundle = read_bundle(built, "shop.browser")
    assert bundle is not None
    assert bundle.sizes == {"shop/__init__.py": 2, "shop/browser.py": 5}
    assert bundle.to_json() == {
        "prod": True,
        "fresh": False,
        "pyodide": "314.0.7",
        "app": 300,
        "runtime": 5000,
        "sent": 1100,
    }


def test_another_entry_s_bundle_is_none(built: Path) -> None:
    assert read_bundle(built, "other.browser") is None


def test_no_bundle_or_a_damaged_one_is_none(tmp_path: Path, built: Path) -> None:
    assert read_bundle(tmp_path / "nowhere", "shop.browser") is None
    (built / "web" / "dist" / "app-0.zip").write_bytes(b"no zip")
    assert read_bundle(built, "shop.browser") is None


def test_the_licence_of_the_runtime(tmp_path: Path) -> None:
    assert runtime_licence(tmp_path) == ("", "")
    folder = tmp_path / "web" / "node_modules" / "pyodide"
    folder.mkdir(parents=True)
    (folder / "package.json").write_text('{"version": "1.2", "license": "MPL-2.0"}', "utf-8")
    assert runtime_licence(tmp_path) == ("1.2", "MPL-2.0")
