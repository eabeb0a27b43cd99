"""A machine that has Jaeger's binary, on free ports."""

from __future__ import annotations

import contextlib
import socket
import sys
from typing import TYPE_CHECKING

import pytest

from amctl.run.jaeger.place import Place
from amctl.run.jaeger.service import Jaeger
from tests.support.house import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def free_place() -> Place:
    """Ports that were free a moment ago, each another one."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(5)]
        return Place(*(probe.getsockname()[1] for probe in probes))


@pytest.fixture
def place() -> Place:
    return free_place()


@pytest.fixture
def binary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`jaeger` on PATH, and nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "jaeger"
    script = ROOT / "tests" / "support" / "fake_jaeger.py"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return program


@pytest.fixture
def jaeger(tmp_path: Path, place: Place) -> Iterator[Jaeger]:
    service = Jaeger(ROOT, tmp_path / "run", place)
    yield service
    with contextlib.suppress(Exception):
        service.down()
