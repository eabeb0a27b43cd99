from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from amctl.bundle import BuiltFile, page_manifest
from amctl.bundle.manifest import Manifest, Snapshot, read_manifest

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = Manifest(
    pyodide="1.2.3",
    prod=False,
    entry="pkg.browser",
    runtime="runtime-0011223344556677",
    app="app-8899aabbccddeeff.zip",
    files=(
        BuiltFile("app-8899aabbccddeeff.zip", 30),
        BuiltFile("runtime-0011223344556677/pyodide.asm.wasm", 10, 2, 3),
        BuiltFile("runtime-0011223344556677/python_stdlib.zip", 20),
        BuiltFile("snapshot-0123456789abcdef.bin", 40),
    ),
    runtime_inputs="ab",
    sources={"pkg/__init__.py": "cd"},
    snapshot=Snapshot("snapshot-0123456789abcdef.bin", "ef", "sha256-AA=="),
)


def write(root: Path, text: str) -> None:
    (root / "web" / "dist").mkdir(parents=True)
    (root / "web" / "dist" / "manifest.json").write_text(text, encoding="utf-8")


def test_a_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write(tmp_path, json.dumps(MANIFEST.to_json()))
    assert read_manifest(tmp_path) == MANIFEST


def test_the_page_gets_urls_and_sizes_and_no_names_of_sources(tmp_path: Path) -> None:
    write(tmp_path, json.dumps(MANIFEST.to_json()))
    page = page_manifest(tmp_path)
    assert page["app"] == {"url": "dist/app-8899aabbccddeeff.zip", "size": 30}
    assert page["wasm"]["url"] == "dist/runtime-0011223344556677/pyodide.asm.wasm"
    assert page["stdlib"]["size"] == 20
    assert page["snapshot"] == {
        "url": "dist/snapshot-0123456789abcdef.bin",
        "size": 40,
        "key": "ef",
        "integrity": "sha256-AA==",
    }
    assert "pkg" not in json.dumps(page)


def test_a_bundle_may_have_no_memory_image(tmp_path: Path) -> None:
    write(tmp_path, json.dumps(replace(MANIFEST, snapshot=None, snapshot_problem="no").to_json()))
    assert read_manifest(tmp_path).snapshot_problem == "no"
    assert page_manifest(tmp_path)["snapshot"] is None


@pytest.mark.parametrize("text", ["", "[]", '{"format": 0}', '{"format": 2, "files": [{"a": 1}]}'])
def test_a_damaged_manifest_is_a_value_error(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)
    with pytest.raises(ValueError):  # noqa: PT011 - of several kinds
        read_manifest(tmp_path)


def test_no_manifest_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):  # noqa: PT011 - whatever the system calls it
        page_manifest(tmp_path)
