"""What stands on this machine: Python, packages, programs, and the leave to use them."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from amctl.bundle import NodeMissingError, find_node
from amctl.run.doctor.finding import Finding, bad, fine, note, warn
from amctl.run.programs import which
from amctl.run.setup import survey

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from amctl.run.doctor.finding import Patient

__all__ = ["clock", "packages", "programs", "python", "resources"]

OLDEST = (3, 11)
_PIN = re.compile(r"([A-Za-z0-9._-]+)==([^\s;\\]+)\s*(;[^\\]*)?")
_FUTURE = 120.0
"""Seconds that a file may come from the future: clocks of file servers differ."""
_FEW_FILES = 512
_SMALL_SHM = 60 << 20
_SMALL_DISK = 500 << 20
_SETUP = "amctl setup --yes"


def python(patient: Patient) -> Iterator[Finding]:
    """The interpreter itself."""
    found = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        yield bad("python", "version", found, f"install Python {oldest} or newer")
    else:
        yield fine("python", "version", found)
    yield note("python", "platform", platform.platform())


def packages(patient: Patient) -> Iterator[Finding]:
    """Whether the installed packages are those that requirements.txt pins."""
    path = patient.home / "requirements.txt"
    try:
        pins = _pins(path.read_text(encoding="utf-8"))
    except OSError:
        yield note("python", "packages", "no requirements.txt here: nothing to compare with")
        return
    missing, other = _compare(pins)
    if missing:
        yield bad("python", "packages", f"missing: {', '.join(missing)}", "./amctlw --version")
    if other:
        yield warn("python", "packages", f"not as pinned: {', '.join(other)}", "./amctlw --version")
    if not missing and not other:
        yield fine("python", "packages", f"{len(pins)} as requirements.txt pins them")


def _pins(text: str) -> dict[str, tuple[str, bool]]:
    """Name -> version, and whether it is for some systems only."""
    found = (_PIN.match(line) for line in text.splitlines() if line[:1].isalnum())
    return {match[1]: (match[2], bool(match[3])) for match in found if match}


def _compare(pins: Mapping[str, tuple[str, bool]]) -> tuple[list[str], list[str]]:
    missing, other = [], []
    for name, (wanted, only_somewhere) in pins.items():
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            if not only_somewhere:
                missing.append(f"{name} {wanted}")
            continue
        if version != wanted:
            other.append(f"{name} {version}, pinned {wanted}")
    return missing, other


def programs(patient: Patient) -> Iterator[Finding]:
    """Node.js and npm, and what `amctl setup` installs."""
    try:
        node = find_node()
    except NodeMissingError as error:
        yield bad("programs", "node", str(error), _SETUP)
    else:
        yield fine("programs", "node", f"{node.version} at {node.node}")
        if not node.npm:
            yield warn("programs", "npm", "missing: Pyodide can't be installed", _SETUP)
    for need in survey(patient.home):
        if need.found:
            yield fine("programs", need.name, f"{need.found}{_version_of(need.name, need.found)}")
        else:
            say = bad if need.required else warn
            mend = _SETUP if need.can_install else need.by_hand
            yield say("programs", need.name, f"missing, {need.purpose}", mend)
    yield _sampler()


def _version_of(name: str, program: str) -> str:
    """` (1.2.3)`, or nothing where it isn't told at once."""
    flags = {"chromium": "--version", "graphviz": "-V"}
    if name not in flags:
        return ""
    try:
        ran = subprocess.run(
            [program, flags[name]], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"\d+(?:\.\d+)+", ran.stdout + ran.stderr)
    return f" ({found[0]})" if found else ""


def _sampler() -> Finding:
    """Whether `amctl profile` may look into another process."""
    if which("py-spy") is None:
        return warn("programs", "py-spy", "missing: profile samples in the process itself")
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    try:
        strict = int(scope.read_text()) > 0
    except (OSError, ValueError):
        strict = False
    if strict and hasattr(os, "geteuid") and os.geteuid() != 0:
        text = "may not look into other processes here: profile samples in the process itself"
        return note("programs", "py-spy", text)
    return fine("programs", "py-spy", "found")


def resources(patient: Patient) -> Iterator[Finding]:
    """Room on the disk, shared memory for Chromium, open files."""
    free = shutil.disk_usage(patient.home).free
    text = f"{free >> 20} MiB free"
    if free < _SMALL_DISK:
        yield warn("resources", "disk", text, "make room: dumps and traces need some")
    else:
        yield fine("resources", "disk", text)
    shm = Path("/dev/shm")
    if shm.is_dir() and (size := shutil.disk_usage(shm).total) < _SMALL_SHM:
        mend = "give the container more: --shm-size=256m"
        yield warn("resources", "/dev/shm", f"{size >> 20} MiB: Chromium may crash", mend)
    if sys.platform != "win32":
        import resource

        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if 0 <= soft < _FEW_FILES:
            yield warn("resources", "open files", f"at most {soft}", "ulimit -n 4096")


def clock(patient: Patient) -> Iterator[Finding]:
    """A wrong clock makes builds look fresh, traces and recordings fall apart."""
    now = time.time()
    newest = max(_changed(patient.home), default=(0.0, Path()))
    if newest[0] > now + _FUTURE:
        what = f"{newest[1].name} was changed {newest[0] - now:.0f} s from now"
        yield bad("clock", "time", what, "set this machine's clock, then touch that file")
        return
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    yield fine("clock", "time", stamp)


def _changed(home: Path) -> Iterator[tuple[float, Path]]:
    for path in (home / "config.env", home / "pyproject.toml", Path(__file__)):
        if path.is_file():
            yield path.stat().st_mtime, path
