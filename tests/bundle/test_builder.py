from __future__ import annotations

import json
import os
import subprocess
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from amctl.bundle import BuildFailedError, build, check, clean, find_node, page_manifest
from amctl.bundle.manifest import Manifest, Snapshot, read_manifest
from amctl.bundle.node import run_script
from amctl.bundle.snapshot import Recipe, take_snapshot
from amctl.bundle.sources import closure
from tests.bundle.conftest import ENTRY, FakeNode, names_in
from tests.support.browser_threads import WEB, needs_runtime

if TYPE_CHECKING:
    from pathlib import Path


def dist_names(root: Path) -> set[str]:
    dist = root / "web" / "dist"
    return {p.relative_to(dist).as_posix() for p in dist.rglob("*") if p.is_file()}


def test_a_build_lays_out_versioned_files(project: Path, node: FakeNode) -> None:
    report = build(project, entry=ENTRY)
    assert report.built
    assert report.reasons == ("it was never built",)
    assert report.modules == ("pkg/__init__.py", "pkg/browser.py", "pkg/inner.py")
    folders = {file.path.partition("/")[0].partition("-")[0] for file in report.files}
    assert folders == {"app", "runtime", "snapshot"}
    assert report.snapshot_problem == ""
    assert dist_names(project) == {file.path for file in report.files} | {"manifest.json"}
    sizes = {file.path: file.size for file in report.files}
    assert report.size == sum(sizes.values())
    assert all((project / "web/dist" / name).stat().st_size == n for name, n in sizes.items())
    assert json.dumps(report.to_json())


def test_a_fresh_bundle_is_not_built_again(project: Path, node: FakeNode) -> None:
    first = build(project, entry=ENTRY)
    node.steps.clear()
    second = build(project, entry=ENTRY)
    assert not second.built
    assert node.steps == []
    assert (second.hash, second.files) == (first.hash, first.files)


def test_a_change_of_our_code_keeps_the_runtime(project: Path, node: FakeNode) -> None:
    first = build(project, entry=ENTRY)
    (project / "pkg/inner.py").write_text("VALUE = 2\n", encoding="utf-8")
    node.steps.clear()
    second = build(project, entry=ENTRY)
    assert second.reasons == ("pkg/inner.py changed",)
    assert node.steps == ["app", "snapshot", "wake"]
    assert first.hash != second.hash
    kept = {f.path for f in first.files} & {f.path for f in second.files}
    assert len(kept) == 4
    assert dist_names(project) == {f.path for f in second.files} | {"manifest.json"}


def test_prod_is_packed_and_optimised(project: Path, node: FakeNode) -> None:
    report = build(project, prod=True, entry=ENTRY)
    assert report.prod
    assert all(file.brotli and file.gzip for file in report.files)
    app = next(file.path for file in report.files if file.path.startswith("app-"))
    assert (project / "web/dist" / app).read_bytes().startswith(b"compiled 2 ")
    assert (project / "web/dist" / f"{app}.br").read_bytes() == b"packed"


def test_prod_stays_until_the_plain_kind_is_asked_for(project: Path, node: FakeNode) -> None:
    build(project, prod=True, entry=ENTRY)
    assert not build(project, entry=ENTRY).built
    (project / "pkg/inner.py").write_text("VALUE = 2\n", encoding="utf-8")
    assert build(project, entry=ENTRY).prod
    plain = build(project, prod=False, entry=ENTRY)
    assert (plain.built, plain.prod) == (True, False)
    assert not any(name.endswith((".br", ".gz")) for name in dist_names(project))


def test_a_build_that_fails_leaves_the_old_one(project: Path, node: FakeNode) -> None:
    first = build(project, entry=ENTRY)
    (project / "pkg/inner.py").write_text("VALUE = 2\n", encoding="utf-8")
    node.failure = BuildFailedError("compile.mjs ended with code 1", "out of memory")
    with pytest.raises(BuildFailedError, match="out of memory"):
        build(project, entry=ENTRY)
    assert dist_names(project) == {f.path for f in first.files} | {"manifest.json"}
    assert [p.name for p in (project / "web").iterdir() if p.name.startswith(".")] == []


def test_what_a_killed_build_left_is_swept_away(project: Path, node: FakeNode) -> None:
    (project / "web/.dist-dead/dist").mkdir(parents=True)
    build(project, entry=ENTRY)
    assert not (project / "web/.dist-dead").exists()


def test_a_damaged_bundle_is_built_anew(project: Path, node: FakeNode) -> None:
    report = build(project, entry=ENTRY)
    stdlib = next(f.path for f in report.files if f.path.endswith("stdlib.zip"))
    (project / "web/dist" / stdlib).write_bytes(b"cut")
    node.steps.clear()
    assert build(project, entry=ENTRY).reasons == (f"{stdlib} is missing",)
    assert node.steps == ["stdlib", "app", "snapshot", "wake"]


def test_progress_tells_step_done_and_total(project: Path, node: FakeNode) -> None:
    told: list[tuple[str, int, int]] = []
    build(project, entry=ENTRY, progress=lambda *args: told.append(args))
    assert told == [
        ("begin", 0, 1),
        ("stdlib", 1, 1),
        ("app", 1, 1),
        ("snapshot", 0, 1),
        ("snapshot", 1, 1),
    ]


def test_an_image_belongs_to_one_state_of_the_sources(project: Path, node: FakeNode) -> None:
    build(project, entry=ENTRY)
    first = read_manifest(project).snapshot
    (project / "pkg/inner.py").write_text("VALUE = 2\n", encoding="utf-8")
    build(project, entry=ENTRY)
    second = read_manifest(project).snapshot
    assert first is not None
    assert second is not None
    assert first.key != second.key
    assert first.path not in dist_names(project)
    build(project, entry=ENTRY, prod=True)
    third = read_manifest(project).snapshot
    assert third is not None
    assert third.key != second.key
    assert (project / "web/dist" / f"{third.path}.br").exists()


def test_without_an_image_the_bundle_is_built_all_the_same(project: Path, node: FakeNode) -> None:
    text = "Traceback\nImportError: no name 'document' in 'js'\n    at wasm-function[1]"
    node.image_failure = BuildFailedError("snapshot.mjs ended with code 1", text)
    report = build(project, entry=ENTRY)
    assert report.snapshot_problem == "ImportError: no name 'document' in 'js'"
    assert page_manifest(project)["snapshot"] is None
    assert not any("snapshot" in name for name in dist_names(project))
    again = build(project, entry=ENTRY)
    assert (again.built, again.snapshot_problem) == (False, report.snapshot_problem)


def test_an_image_that_is_gone_is_made_again(project: Path, node: FakeNode) -> None:
    build(project, entry=ENTRY)
    snapshot = read_manifest(project).snapshot
    assert snapshot is not None
    (project / "web/dist" / snapshot.path).unlink()
    assert check(project, entry=ENTRY) == [f"{snapshot.path} is missing"]
    assert build(project, entry=ENTRY).built
    assert check(project, entry=ENTRY) == []


def test_clean_removes_the_bundle_and_tells(project: Path, node: FakeNode) -> None:
    assert clean(project) is False
    build(project, entry=ENTRY)
    assert clean(project) is True
    assert not (project / "web/dist").exists()


SMOKE = """
import fs from "node:fs";
const [dist, page] = [process.argv[2], JSON.parse(process.argv[3])];
const { loadPyodide } = await import(`${dist}/../${page.runtime}pyodide.mjs`);
const python = await loadPyodide({ indexURL: `${dist}/../${page.runtime}`,
  lockFileContents: JSON.stringify(page.lock) });
python.FS.writeFile("/lib/app.zip", fs.readFileSync(`${dist}/../${page.app.url}`));
console.log(python.runPython(`
import sys
sys.path.insert(0, "/lib/app.zip")
import nodes.browser
from amctl.machine import Machine, State, States
class Lamp(States):
    On = State()
lamp = Machine("lamp", Lamp)
lamp.add("On")
import asyncio, json
json.dumps([str(lamp), asyncio.__cached__ or asyncio.__file__, nodes.browser.__file__])
`));
process.exit(0);
"""


def _image_again(root: Path, manifest: Manifest) -> Snapshot | None:
    """Take the image of a built bundle once more: the same sources make the same bytes."""
    dist = root / "web" / "dist"
    modules = closure(root, manifest.entry)
    assert manifest.snapshot is not None
    recipe = Recipe(
        key=manifest.snapshot.key,
        pyodide=manifest.pyodide,
        entry=manifest.entry,
        modules=modules,
        runtime=dist / manifest.runtime,
        app=dist / manifest.app,
        web=root / "web",
    )
    order = root / "order.json"

    def run(script: Path, told: dict[str, Any]) -> None:
        order.write_text(json.dumps(told), encoding="utf-8")
        run_script(find_node(), script, order, lambda said: None)

    found, problem = take_snapshot(recipe, root, dist, run)
    assert problem == ""
    return found


@pytest.mark.slow
@needs_runtime
def test_the_built_zips_run_a_machine_in_pyodide(tmp_path: Path) -> None:
    """Under Node, with the bundle of the real entry."""
    web = tmp_path / "web"
    web.mkdir()
    (web / "package.json").write_bytes((WEB / "package.json").read_bytes())
    (web / "node_modules").symlink_to(WEB / "node_modules")
    (web / "snapshot.js").write_bytes((WEB / "snapshot.js").read_bytes())
    report = build(tmp_path)
    assert report.snapshot_problem == ""
    manifest = read_manifest(tmp_path)
    assert _image_again(tmp_path, manifest) == manifest.snapshot
    inside = names_in(web / "dist" / manifest.app)
    assert inside == [name + "c" for name in report.modules]
    stdlib = web / "dist" / manifest.runtime / "python_stdlib.zip"
    assert "asyncio/__init__.pyc" in names_in(stdlib)
    assert not any(name.endswith(".py") for name in names_in(stdlib))
    with zipfile.ZipFile(stdlib) as archive:
        assert {item.compress_type for item in archive.infolist()} == {zipfile.ZIP_STORED}
    script = tmp_path / "smoke.mjs"
    script.write_text(SMOKE, encoding="utf-8")
    command = [
        find_node().node,
        str(script),
        str(web / "dist"),
        json.dumps(page_manifest(tmp_path)),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    assert ran.returncode == 0, ran.stderr
    lamp, stdlib_file, app_file = json.loads(ran.stdout.splitlines()[-1])
    assert "On" in lamp
    assert stdlib_file == "/lib/python314.zip/asyncio/__init__.pyc"
    assert app_file == "/lib/app.zip/nodes/browser.pyc"
