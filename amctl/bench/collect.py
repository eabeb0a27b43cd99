"""What a collector takes: one real sender process, one real collector process, one dump.

All figures are of this machine now, and of both processes at once; CPU time is the steadier one
where others work too.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amctl.bench.errors import BenchError
from amctl.dump.sqlite import SqliteDump

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["GOALS", "CollectFigures", "bench_collect"]

GOALS = {
    "transitions_per_second": 50_000.0,
    "bytes_each": 80.0,
    "open_seconds": 1.0,
}
"""The first is to be reached, the others not to be exceeded."""
_RECORDED = 50_000
"""Transitions that are recorded, and sent again and again."""
_SAMPLES = 20
_READY_TIMEOUT = 30.0
_COLLECT = (sys.executable, "-m", "amctl.cli.main", "collect")


@dataclass(slots=True)
class CollectFigures:
    """What was measured."""

    transitions: int
    seconds: float
    """From the first byte until everything was acknowledged."""
    sender_cpu_seconds: float
    collector_cpu_seconds: float
    """Its start and its end included."""
    wire_bytes_each: float
    file_bytes: int
    open_seconds: float
    """Open the dump, list and count its machines, read the last page of one of them."""
    read_seconds_per_100k: float
    """Every transition as an object, in order."""
    memory_mb: list[float] = field(default_factory=list)
    """Of the collector, resident, at even steps of time; empty where that can't be found out."""

    @property
    def transitions_per_second(self) -> float:
        """End to end."""
        return self.transitions / self.seconds

    @property
    def bytes_each(self) -> float:
        """Of the closed file."""
        return self.file_bytes / self.transitions

    def to_json(self) -> dict[str, Any]:
        """One document, goals beside the figures."""
        each = 1e6 / self.transitions
        return {
            "transitions": self.transitions,
            "seconds": round(self.seconds, 3),
            "transitions_per_second": round(self.transitions_per_second),
            "sender_cpu_us_each": round(self.sender_cpu_seconds * each, 2),
            "collector_cpu_us_each": round(self.collector_cpu_seconds * each, 2),
            "wire_bytes_each": round(self.wire_bytes_each, 1),
            "bytes_each": round(self.bytes_each, 1),
            "file_bytes": self.file_bytes,
            "open_seconds": round(self.open_seconds, 4),
            "read_seconds_per_100k": round(self.read_seconds_per_100k, 3),
            "memory_mb": [round(each, 1) for each in self.memory_mb],
            "goals": GOALS,
        }


def bench_collect(
    count: int,
    *,
    folder: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> CollectFigures:
    """Send `count` transitions to a collector, and look at what comes of it.

    Args:
        count: Transitions, at least one.
        folder: Where the dump is made, and left; None is a temporary one.
        progress: Told how many are stored, now and then.

    Raises:
        BenchError: One of the two processes failed.
    """
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="amctl-bench-")))
        path = folder / "bench.sqlite"
        token = secrets.token_urlsafe(16)
        before = os.times()
        with (
            _collector(path, token) as (pid, address),
            _Watch(pid, path, count, progress) as watch,
        ):
            sender = _run_sender(address, count, token)
        after = os.times()
        cpu = after.children_user + after.children_system
        cpu -= before.children_user + before.children_system
        transitions = int(sender["transitions"])
        open_seconds, read_seconds = _read(path, transitions)
        return CollectFigures(
            transitions=transitions,
            seconds=sender["seconds"],
            sender_cpu_seconds=sender["cpu_seconds"],
            collector_cpu_seconds=cpu - sender["all_cpu_seconds"],
            wire_bytes_each=sender["bytes"] / transitions,
            file_bytes=path.stat().st_size,
            open_seconds=open_seconds,
            read_seconds_per_100k=read_seconds,
            memory_mb=watch.memory(),
        )


@contextlib.contextmanager
def _collector(path: Path, token: str) -> Iterator[tuple[int, str]]:
    """A collector process, its pid and its address; ended properly."""
    read, write = os.pipe()
    with os.fdopen(read, "rb") as ready:
        words = ["--listen-addr", "127.0.0.1:0", "--dir", str(path.parent)]
        words += ["--output-filename", path.stem, "--ready-fd", str(write)]
        process = subprocess.Popen(
            [*_COLLECT, *words, "--end-with-stdin", "--fresh", "--json"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(write,),
            env={**os.environ, "AMCTL_TOKEN": token},
        )
        os.close(write)
        killer = threading.Timer(_READY_TIMEOUT, process.kill)
        killer.start()
        try:
            line = ready.readline()
            killer.cancel()
            if not line:
                raise BenchError("the collector did not start", _said(process))
            yield process.pid, json.loads(line)["addr"]
            process.send_signal(signal.SIGTERM)
            if process.wait(60):
                raise BenchError("the collector failed", _said(process))
        finally:
            killer.cancel()
            if process.poll() is None:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stderr):
                assert pipe is not None
                pipe.close()


def _said(process: subprocess.Popen[bytes]) -> str:
    process.kill()
    return process.communicate()[1].decode("utf-8", "replace").strip()[-500:]


def _run_sender(address: str, count: int, token: str) -> dict[str, float]:
    host, _, port = address.rpartition(":")
    before = os.times()
    done = subprocess.run(
        [sys.executable, "-m", "amctl.bench._sender", host, port, str(count), str(_RECORDED)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "AMCTL_TOKEN": token},
    )
    if done.returncode:
        raise BenchError("the sender failed", done.stderr.strip()[-500:])
    after = os.times()
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    result: dict[str, float] = json.loads(done.stdout)
    return {**result, "all_cpu_seconds": cpu}


class _Watch:
    """Looks at a collector while it works."""

    def __init__(
        self, pid: int, path: Path, count: int, progress: Callable[[int, int], None]
    ) -> None:
        self._pid, self._path, self._count, self._progress = pid, path, count, progress
        self._over = threading.Event()
        self._samples: list[float] = []
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def memory(self) -> list[float]:
        """Some samples, evenly."""
        samples = self._samples
        step = -(-len(samples) // _SAMPLES) or 1
        return samples[::step]

    def _look(self) -> None:
        with SqliteDump(self._path) as dump:
            while not self._over.wait(0.1):
                found, stored = _resident_mb(self._pid), dump.count()
                if found is None:
                    return
                if stored:
                    self._samples.append(found)
                self._progress(min(stored, self._count), self._count)


def _resident_mb(pid: int) -> float | None:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _read(path: Path, expected: int) -> tuple[float, float]:
    """Seconds to open a dump, and to read 100,000 transitions of it."""
    began = time.perf_counter()
    with SqliteDump(path) as dump:
        counts: Sequence[int] = [dump.count(id) for id in dump.machines()]
        last = dump.machines()[-1]
        list(dump.transitions(last, counts[-1] - 100))
        opened = time.perf_counter() - began
        if dump.count() != expected or sum(counts) != expected:
            raise BenchError(str(path), f"{dump.count()} transitions of {expected} are there")
        began = time.perf_counter()
        size = sum(1 for _ in dump.transitions(stop=100_000))
        return opened, (time.perf_counter() - began) * 100_000 / size
