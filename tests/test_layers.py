"""Imports run one way: the contract of the rooms."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.house import ROOT, Import, imports, module_name, sources

if TYPE_CHECKING:
    from pathlib import Path

MAY_IMPORT = {
    "amctl": {"amctl.machine"},
    "amctl.machine": set(),
    "amctl.states": {"amctl.machine"},
    "amctl.rpc": {"amctl.machine", "amctl.states"},
    "amctl.telemetry": {"amctl.machine", "amctl.states", "amctl.rpc"},
    "amctl.relay": {"amctl.machine", "amctl.states", "amctl.rpc"},
    "amctl.dump": {"amctl.machine", "amctl.states", "amctl.rpc", "amctl.telemetry"},
    "amctl.graph": {"amctl.machine", "amctl.telemetry", "amctl.dump"},
    "amctl.repl": {
        "amctl.machine",
        "amctl.states",
        "amctl.rpc",
        "amctl.telemetry",
        "amctl.dump",
        "amctl.graph",
    },
    "amctl.debugger": {"amctl.machine", "amctl.telemetry", "amctl.dump", "amctl.graph"},
    "amctl.traces": {"amctl.telemetry"},
    "amctl.vis": {"amctl.machine", "amctl.telemetry", "amctl.dump", "amctl.graph"},
    "amctl.bench": {
        "amctl.machine",
        "amctl.states",
        "amctl.rpc",
        "amctl.telemetry",
        "amctl.dump",
        "amctl.relay",
        "amctl.bundle",
        "amctl.run",
    },
    "amctl.bundle": set(),
    "amctl.insight": {"amctl.bundle"},
    "amctl.run": {
        "amctl.machine",
        "amctl.states",
        "amctl.rpc",
        "amctl.relay",
        "amctl.telemetry",
        "amctl.dump",
        "amctl.bundle",
    },
    "amctl.cli": {
        "amctl.machine",
        "amctl.states",
        "amctl.rpc",
        "amctl.relay",
        "amctl.telemetry",
        "amctl.dump",
        "amctl.graph",
        "amctl.vis",
        "amctl.bench",
        "amctl.bundle",
        "amctl.insight",
        "amctl.repl",
        "amctl.debugger",
        "amctl.traces",
        "amctl.run",
    },
    "nodes": {"amctl.machine", "amctl.states", "amctl.rpc", "amctl.telemetry"},
}
"""Room -> rooms it may import, itself aside."""

ALSO = {
    "nodes.orchestrator": {"amctl.relay"},
    "nodes.run": {"amctl.relay"},
}
"""Modules (and what lies under them) that may import more than their room."""

THIRD_PARTY = {
    "typer": ("amctl.cli",),
    "rich": ("amctl.cli", "amctl.repl", "amctl.debugger.face"),
    "textual": ("amctl.debugger.face",),
    "prompt_toolkit": ("amctl.repl",),
    "yaml": ("amctl.repl",),
    "watchfiles": ("amctl.repl",),
    "opentelemetry": ("amctl.telemetry.otelsdk", "amctl.telemetry.otelenv", "amctl.run.spans"),
    "grpc": ("amctl.bench",),
    "google": ("amctl.run.spans",),  # protobuf messages of the intake
    "starlette": ("amctl.relay", "amctl.run"),
    "uvicorn": ("amctl.relay",),
    "anyio": ("amctl.relay", "amctl.run"),
    "websockets": ("amctl.rpc.transports", "amctl.relay", "amctl.run.devtools"),
    "msgspec": ("amctl.rpc.wire", "amctl.dump", "amctl.repl", "amctl.run.spans"),
    "brotli": ("amctl.dump",),
    "backports": ("amctl.dump",),
    "compression": ("amctl.dump",),  # of the standard library from Python 3.14 on
    "graphviz": ("amctl.vis", "amctl.insight"),
    "js": ("amctl.rpc.transports", "nodes"),
    "pyodide": ("amctl.rpc.transports", "nodes"),
}
"""Package from outside -> where it may be imported. No other package may be at all."""

NOT_IN_THE_ENGINE = {"os", "pathlib", "socket", "subprocess", "tempfile", "threading", "time"}
"""The engine has no socket, thread, file or clock of its own."""


def room_of(module: str) -> str:
    """The room that a module stands in."""
    return max((r for r in MAY_IMPORT if is_within(module, r)), key=len, default="")


def is_within(module: str, parent: str) -> bool:
    """Whether `module` is `parent` or lies under it."""
    return module == parent or module.startswith(parent + ".")


def verdict(module: str, imported: Import) -> str:
    """What is wrong with an import; empty if nothing is."""
    top = imported.name.partition(".")[0]
    room = room_of(module)
    if imported.name == "amctl" and room != "amctl.machine":
        return ""  # the package itself holds but the engine's names
    if top in ("amctl", "nodes"):
        target = room_of(imported.name)
        allowed = MAY_IMPORT[room] | {room}
        for name, more in ALSO.items():
            allowed |= more if is_within(module, name) else set()
        return "" if target in allowed else f"{room} may not import {target}"
    if top in THIRD_PARTY:
        welcome = any(is_within(module, place) for place in THIRD_PARTY[top])
        return "" if welcome else f"{top} has no business in {room}"
    if top not in sys.stdlib_module_names:
        return f"{top} is no dependency of this project"
    if room == "amctl.machine" and top in NOT_IN_THE_ENGINE:
        return f"the engine may not use {top}"
    return ""


@pytest.mark.parametrize("path", sources(), ids=str)
def test_imports_run_one_way(path: Path) -> None:
    module = module_name(path)
    wrong = [f"{path}:{i.line}: {text}" for i in imports(path) if (text := verdict(module, i))]
    assert not wrong


@pytest.mark.parametrize(
    ("module", "imported", "ok"),
    [
        ("amctl.machine.machine", "amctl.states", False),
        ("amctl.machine.machine", "time", False),
        ("amctl.states.basic", "amctl.machine.state", True),
        ("amctl.rpc.wire.hub", "amctl.relay", False),
        ("amctl.run.supervisor", "rich.console", False),
        ("amctl.run.supervisor", "nodes", False),
        ("amctl.relay.server", "amctl.cli.main", False),
        ("nodes.worker", "amctl.relay", False),
        ("nodes.orchestrator", "amctl.relay", True),
        ("nodes.orchestrator", "amctl.run", False),
        ("nodes.run", "amctl.relay.matcher", True),
        ("amctl.cli.main", "typer", True),
        ("amctl.bundle.sources", "amctl", True),
        ("amctl.machine.machine", "amctl", False),
        ("amctl.rpc.client", "requests", False),
    ],
)
def test_the_contract_itself_tells_right_from_wrong(module: str, imported: str, ok: bool) -> None:
    assert (verdict(module, Import(imported, 1)) == "") is ok


BROWSER_LOADS = ("amctl.machine", "amctl.states", "amctl.rpc", "amctl.telemetry", "nodes")
NOT_IN_A_BROWSER = {
    "msgspec",
    "multiprocessing",
    "sqlite3",
    "starlette",
    "uvicorn",
    "websockets",
    "rich",
    "typer",
    "amctl.rpc.transports.tcp",
    "amctl.rpc.transports.websocket",
}


@pytest.mark.slow
@pytest.mark.realtime
def test_the_browser_entry_loads_only_what_a_browser_has() -> None:
    """In a bare interpreter: no site-packages, so a missing dependency would be an ImportError."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import nodes.browser; "
        "print('\\n'.join(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.split()
    ours = [name for name in loaded if is_within(name, "amctl") and name != "amctl"]
    strangers = [name for name in ours if room_of(name) not in BROWSER_LOADS]
    assert not strangers
    assert not NOT_IN_A_BROWSER & set(loaded)
