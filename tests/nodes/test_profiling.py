"""Profiles are offered, and cost nothing until somebody asks."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_what_it_takes_is_loaded_when_somebody_asks() -> None:
    code = """
import json, sys
from amctl.machine import Machine
from amctl.rpc.asking import answer
from nodes.profiling import offer_profile
offer_profile()
before = [m for m in sys.modules if "profiling" in m]
machine = Machine("m", {"A": {}})
code, text = answer(machine, {"q": "profile"}, lambda op, states: None)
print(json.dumps([before, int(code), json.loads(text)["machine"]]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [["nodes.profiling"], 0, "m"]
