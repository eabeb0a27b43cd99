"""What start, test and build need on this machine, and how it gets there.

A need is a row: is it met, what meets it, who may do that. `survey` looks and changes nothing;
`install` does what can be done without asking, need by need, and reports each one's fate. Asking
is the command line's matter.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from amctl.bundle import NodeMissingError, RuntimeMissingError, find_node
from amctl.bundle.node import find_runtime
from amctl.run.browser import find_browser
from amctl.run.programs import Ran, run_quietly, which

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["Fate", "Need", "Step", "install", "survey"]

_APT = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300")
_APT_ENV = {"DEBIAN_FRONTEND": "noninteractive"}


@dataclass(frozen=True, slots=True)
class Step:
    """One command of an installation."""

    command: tuple[str, ...]
    cwd: Path | None = None
    optional: bool = False
    """Going on without it is worth a try: old package lists may do."""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that the project needs."""

    name: str
    purpose: str
    found: str
    """Where it is; empty if it is missing."""
    required: bool
    """False: everything but some extra works without it."""
    system_wide: bool
    """It would change the machine, not just the checkout: a person is asked first."""
    steps: tuple[Step, ...]
    """What installs it; empty if this user can't on this machine."""
    by_hand: str
    """What a person would type."""

    @property
    def can_install(self) -> bool:
        return not self.found and bool(self.steps)


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one need."""

    need: Need
    outcome: Literal["present", "installed", "failed", "missing"]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides how things are installed here."""

    root: bool
    apt: bool
    platform: str

    @classmethod
    def this(cls) -> Machine:
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        return cls(root, which("apt-get") is not None, sys.platform)


def survey(home: Path, machine: Machine | None = None) -> list[Need]:
    """Every need of the project in `home`, met or not. Takes milliseconds, changes nothing."""
    machine = machine or Machine.this()
    chromium = _from_apt(machine, "chromium", "brew install --cask chromium")
    graphviz = _from_apt(machine, "graphviz", "brew install graphviz")
    browser = find_browser()
    return [
        Need(
            "chromium",
            "runs the browser threads, and the tests' browser",
            str(browser.program) if browser else "",
            True,
            True,
            *chromium,
        ),
        Need("graphviz", "draws diagrams", which("dot") or "", False, True, *graphviz),
        _pyodide(home),
    ]


def _from_apt(machine: Machine, package: str, brew: str) -> tuple[tuple[Step, ...], str]:
    if machine.apt and machine.root:
        steps = (
            Step((*_APT, "update"), optional=True),
            Step((*_APT, "install", "-y", "--no-install-recommends", package)),
        )
        return steps, f"apt-get update && apt-get install -y {package}"
    if machine.apt:
        return (), f"sudo apt-get update && sudo apt-get install -y {package}"
    if machine.platform == "darwin":
        return (), brew
    return (), f"install the package {package!r} with this system's package manager"


def _pyodide(home: Path) -> Need:
    """The pinned package, and a Node.js that compiles with it."""
    web = home / "web"
    verb = "ci" if (web / "package-lock.json").is_file() else "install"
    npm = ("npm", verb, "--no-audit", "--no-fund", "--ignore-scripts")
    steps: tuple[Step, ...] = (Step(npm, cwd=web),)
    by_hand = f"cd {web} && npm {verb}"
    try:
        has_npm = bool(find_node().npm)
        found = str(find_runtime(home)[0])
    except NodeMissingError:
        has_npm, found = False, ""
    except RuntimeMissingError:
        found = ""
    if not has_npm:
        pins = home / "requirements-node.txt"
        pip = (sys.executable, "-m", "pip", "install", "-q", "--require-hashes", "-r", str(pins))
        steps = (Step(pip), *steps)
        by_hand = f"{sys.executable} -m pip install -r {pins} && {by_hand}"
    return Need("pyodide", "Python for the browser's threads", found, True, False, steps, by_hand)


def install(
    needs: Iterable[Need],
    say: Callable[[str], None],
    *,
    allow_system: bool = True,
    run: Callable[..., Ran] = run_quietly,
) -> Iterator[Fate]:
    """Install what is missing and can be installed; yields one fate per need, as it is decided.

    Args:
        needs: From `survey`.
        say: Told what is about to happen, before each step that takes time.
        allow_system: Whether steps that change the machine may be taken.
        run: Runs a command to its end.
    """
    done: set[tuple[str, ...]] = set()
    for need in needs:
        if need.found:
            yield Fate(need, "present", need.found)
        elif not need.steps or (need.system_wide and not allow_system):
            yield Fate(need, "missing", need.by_hand)
        else:
            problem = _take(need, [s for s in need.steps if s.command not in done], say, run)
            done.update(step.command for step in need.steps if step.optional)
            yield Fate(need, "failed" if problem else "installed", problem)


def _take(
    need: Need, steps: Sequence[Step], say: Callable[[str], None], run: Callable[..., Ran]
) -> str:
    """Take the steps; returns what went wrong, empty for nothing."""
    environ: Mapping[str, str] = _APT_ENV
    for step in steps:
        say(f"{need.name}: {' '.join(map(str, step.command))}")
        ran = run(step.command, cwd=step.cwd, env=environ)
        if ran.code != 0 and not step.optional:
            return ran.tail or f"{step.command[0]} ended with code {ran.code}"
    return ""
