"""The tests mirror the tree, so that whoever changes a module finds its tests."""

from __future__ import annotations

from pathlib import Path

from tests.support.house import ROOT, sources

ELSEWHERE: dict[str, str] = {
    "amctl/cli/began.py": "tests/cli/test_start.py",
    "amctl/run/errors.py": "tests/cli/test_errors.py",
    "amctl/run/values.py": "tests/run/test_settings.py",
}
"""Module -> the test file that covers it although its name says otherwise."""

OWED = frozenset(
    (
        "amctl/machine/args.py",
        "amctl/machine/compiled.py",
        "amctl/machine/errors.py",
        "amctl/machine/handlers.py",
        "amctl/machine/machine.py",
        "amctl/machine/pipes.py",
        "amctl/machine/plan.py",
        "amctl/machine/registry.py",
        "amctl/machine/relations.py",
        "amctl/machine/result.py",
        "amctl/machine/schema.py",
        "amctl/machine/subscriptions.py",
        "amctl/machine/tasks.py",
        "amctl/machine/tracer.py",
        "amctl/machine/transition.py",
        "amctl/machine/view.py",
        "amctl/rpc/client.py",
        "amctl/rpc/endpoints.py",
        "amctl/rpc/errors.py",
        "amctl/rpc/mux.py",
        "amctl/rpc/network_machine.py",
        "amctl/rpc/payload.py",
        "amctl/rpc/repl.py",
        "amctl/rpc/server.py",
        "amctl/rpc/transports/base.py",
        "amctl/rpc/transports/browser_websocket.py",
        "amctl/rpc/transports/memory.py",
        "amctl/rpc/transports/message_port.py",
        "amctl/rpc/transports/tcp.py",
        "amctl/rpc/transports/websocket.py",
        "amctl/telemetry/browser_log.py",
        "nodes/browser.py",
        "nodes/dispatcher.py",
        "nodes/links.py",
        "nodes/node.py",
        "nodes/orchestrator.py",
        "nodes/outcome.py",
        "nodes/readiness.py",
        "nodes/worker.py",
    )
)
"""Modules that are tested only through others so far, by recorded cases, whole runs or Chromium.

They are owed a file of their own; strike out what has got one.
"""


def place(path: Path) -> Path:
    """Where the tests of a module belong."""
    parts = path.parts[1:] if path.parts[0] == "amctl" else path.parts
    return Path("tests", *parts[:-1], f"test_{path.name}")


def test_every_public_module_has_its_test_file() -> None:
    modules = [p for p in sources() if not p.name.startswith("_") and str(p) not in OWED]
    homes = {str(p): Path(ELSEWHERE.get(str(p), place(p))) for p in modules}
    assert {p: str(home) for p, home in homes.items() if not (ROOT / home).is_file()} == {}


def test_no_exception_is_stale() -> None:
    stale = [p for p in ELSEWHERE if not (ROOT / p).is_file() or (ROOT / place(Path(p))).is_file()]
    assert stale == []


def test_no_debt_is_of_a_module_that_is_gone() -> None:
    assert [p for p in OWED if not (ROOT / p).is_file()] == []


def test_test_folders_stand_beside_rooms() -> None:
    free = {"cases", "conformance", "dags", "e2e", "golden", "support", "__pycache__"}
    folders = {p.name for p in (ROOT / "tests").iterdir() if p.is_dir()} - free
    rooms = {p.name for p in (ROOT / "amctl").iterdir() if p.is_dir()} | {"nodes"}
    assert folders <= rooms
