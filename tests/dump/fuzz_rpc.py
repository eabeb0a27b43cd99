"""Damages what Go programs send at random: `python -m tests.dump.fuzz_rpc --minutes 10 --seed 1`.

Whatever comes through the collector's other door, nothing is raised, no connection takes long, and
the dump can be read and goes on with the machines that were there before.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from amctl.dump._rpcguest import RpcDoor, RpcGuest
from amctl.dump.collector import Collector
from amctl.dump.gob.decoder import Decoder, Iface
from amctl.dump.sqlite import SqliteDump, SqliteStore
from tests.dump.fuzz_gob import MUTATIONS
from tests.dump.gob.samples import FIXTURE, opened
from tests.support.go_caller import IDS, GoCaller, definitions, integer, message, uint, value_of

__all__ = ["Fuzzer"]

SECONDS = 5.0
"""Of processor time for one connection."""


class Wire(asyncio.Transport):
    """A socket that takes everything."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """A peer; options of a socket mean nothing here."""
        return self if name == "socket" else None

    def setsockopt(self, *_: Any) -> None:
        """Nothing."""

    def write(self, data: Any) -> None:
        """Nothing."""

    def get_write_buffer_size(self) -> int:
        """Nothing waits."""
        return 0

    def is_closing(self) -> bool:
        """Whether it was hung up on."""
        return self.closed

    def close(self) -> None:
        """Hang up."""
        self.closed = True

    abort = close

    def pause_reading(self) -> None:
        """Nothing."""

    def resume_reading(self) -> None:
        """Nothing."""


@cache
def calls() -> tuple[tuple[str, dict[str, Any]], ...]:
    """Calls of some machines."""
    found: list[tuple[str, dict[str, Any]]] = []
    for part in Decoder(opened(FIXTURE.read_bytes())).decode():
        found.append(("DbgMsgSchema", part["MsgStruct"]))
        found.append(("DbgMsgSchemaFwd", {"MsgStruct": part["MsgStruct"], "ConnId": "aa"}))
        for raw in part.get("MsgTxs", ()):
            steps = [
                {k: v.value if isinstance(v, Iface) else v for k, v in step.items()}
                for step in raw.get("Steps", ())
            ]
            found.append(("DbgMsgTx", {**raw, "Steps": steps}))
            found.append(("DbgMsgTxFwd", {"MsgTx": {**raw, "Steps": steps}, "ConnId": "aa"}))
    return tuple(found)


def stream_of(some: list[tuple[str, dict[str, Any]]]) -> bytes:
    caller = GoCaller(None, None)  # type: ignore[arg-type]
    return b"".join(caller.bytes_of(*call) for call in some)


class Fuzzer:
    """Connects, says something, and keeps what went wrong.

    Args:
        folder: For the dump.
        seed: Of all that is random.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        self.path = folder / "fuzz.sqlite"
        self.counts: Counter[str] = Counter()
        self.problems: list[tuple[str, bytes]] = []
        self.slowest = 0.0

    async def run(self, cases: int) -> None:
        """So many connections to one collector, and a look at its dump."""
        told: list[str] = []
        collector = Collector(SqliteStore(self.path), None, tell=lambda text, _: told.append(text))
        door = RpcDoor(collector, collector._store.rows, None)
        collector._rpc = door
        for _ in range(cases):
            data = self._said()
            began = time.process_time()
            try:
                self._connect(door, data)
            except Exception as error:  # that is what is looked for
                self.problems.append((repr(error), data))
            took = time.process_time() - began
            self.slowest = max(self.slowest, took)
            if took > SECONDS:
                self.problems.append((f"it took {took:.1f} s", data))
        self.counts["refused"] += collector.counts.refused
        self.counts["connections"] += cases
        if door.unfinished or door.guests:
            self.problems.append((f"{door.unfinished} bytes are still counted", b""))
        await self._end(collector)

    async def _end(self, collector: Collector) -> None:
        try:
            await collector.close()
            if collector.failed.done():
                collector.failed.result()
            with SqliteDump(self.path) as dump:
                self.counts["stored"] = sum(1 for _ in dump.transitions())
                self.counts["machines"] = len(dump.machines())
        except Exception as error:  # so is that
            self.problems.append((f"the dump: {error!r}", b""))

    def _connect(self, door: RpcDoor, data: bytes) -> None:
        guest = RpcGuest(door)
        wire = Wire()
        guest.connection_made(wire)
        at = 0
        while at < len(data) and not wire.closed:
            size = self.rng.choice((1, 7, 100, 1 << 16))
            guest.data_received(data[at : at + size])
            at += size
        self.counts["wrong calls"] += guest._wrong
        guest.connection_lost(None)

    def _said(self) -> bytes:
        rng = self.rng
        if rng.random() < 0.2:
            return self._framed()
        some = [rng.choice(calls()) for _ in range(rng.choice((1, 3, 8)))]
        if rng.random() < 0.5:
            some.insert(0, calls()[0])
        data = bytearray(stream_of(some))
        for _ in range(rng.choice((0, 1, 1, 1, 2, 4))):
            # most of it is definitions, and the calls are what matters more
            start = 0 if rng.random() < 0.3 else len(definitions())
            if not data:
                break
            start = min(start, len(data) - 1)
            tail = data[start:]
            rng.choice(MUTATIONS)(rng, tail)
            data[start:] = tail
        return bytes(data)

    def _framed(self) -> bytes:
        """Whole messages with nonsense in them: types that are none, and values of these."""
        rng, out = self.rng, bytearray()
        if rng.random() < 0.5:
            out += definitions()
        for _ in range(rng.randrange(1, 30)):
            kind = rng.randrange(4)
            if kind == 0:  # a definition of any kind, that refers to any type
                fields = bytes((rng.randrange(1, 8),)) + b"\x01\x02" + uint(rng.randrange(200))
                body = fields + b"\0\x01" + integer(rng.randrange(60, 130)) + b"\0\0"
                out += message(integer(-rng.randrange(60, 130)) + body)
            elif kind == 1:
                request = {"ServiceMethod": "RPCServer.DbgMsgTx", "Seq": rng.getrandbits(64)}
                out += message(integer(IDS["Request"]) + value_of("Request", request))
            else:
                value = rng.randbytes(rng.randrange(40))
                out += message(integer(rng.choice((*IDS.values(), rng.randrange(300)))) + value)
        return bytes(out)


async def main() -> int:
    """Run for some minutes; 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fuzzer = Fuzzer(Path(folder), options.seed)
        end = time.monotonic() + 60 * options.minutes
        while time.monotonic() < end and len(fuzzer.problems) < 20:
            await fuzzer.run(500)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    sys.stdout.write(
        f"{dict(fuzzer.counts)}, slowest {fuzzer.slowest:.2f} s, at most {memory} MiB\n"
    )
    for number, (problem, data) in enumerate(fuzzer.problems):
        sys.stderr.write(f"problem {number}: {problem}: {data.hex()[:4000]}\n")
    return bool(fuzzer.problems)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
