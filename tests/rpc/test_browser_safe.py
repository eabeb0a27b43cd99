"""What runs in a browser must not load what browsers lack."""

from __future__ import annotations

import subprocess
import sys

import pytest

CORE = (
    "amctl.states.pipes",
    "amctl.states.disposed",
    "amctl.rpc.client",
    "amctl.rpc.server",
    "amctl.rpc.mux",
    "amctl.rpc.repl",
    "amctl.rpc.transports.memory",
)


@pytest.mark.realtime
@pytest.mark.slow
def test_the_core_loads_no_sockets_and_no_native_library() -> None:
    code = f"""
import sys
for name in ("msgspec", "websockets", "multiprocessing", "concurrent.futures.process"):
    sys.modules[name] = None  # importing one of them fails
import importlib
for name in {CORE!r}:
    importlib.import_module(name)
print(sorted(n for n in sys.modules if n.startswith("amctl.rpc.transports")))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "tcp" not in done.stdout
    assert "websocket" not in done.stdout
