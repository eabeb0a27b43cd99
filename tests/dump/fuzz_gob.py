"""Damages gob dumps at random: `python -m tests.dump.fuzz_gob --minutes 10 --seed 1`.

Whatever is done to a file, reading it is a recording or a `DumpFormatError` with an offset, in a
bounded time. A recording that came out can be written, and read again as the same.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

import brotli  # type: ignore[import-untyped]  # it has no stubs

from amctl.dump.errors import DumpFormatError
from amctl.dump.gob import Limits, encode_gob, read_gob
from amctl.dump.gob.decoder import Decoder, GobError
from tests.dump.gob.samples import everything, opened, packed
from tests.support.house import ROOT
from tests.support.shared import SHARED

if TYPE_CHECKING:
    from amctl.dump.memory import MemoryDump

__all__ = ["Fuzzer"]

LIMITS = Limits(size=1 << 24, values=1_000_000)
"""So low that a file which gets around them shows in time and memory."""

SECONDS = 5.0
"""Of processor time for one file; half a second is a lot, but machines differ."""


def flip_bits(rng: random.Random, data: bytearray) -> None:
    for _ in range(rng.choice((1, 1, 2, 8))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def replace_bytes(rng: random.Random, data: bytearray) -> None:
    for _ in range(rng.choice((1, 2, 4))):
        data[rng.randrange(len(data))] = rng.choice((0, 1, 2, 0x7F, 0x80, 0xF8, 0xFE, 0xFF))


def huge_numbers(rng: random.Random, data: bytearray) -> None:
    """Where lengths, counts, ids and field numbers stand, among others."""
    at = rng.randrange(len(data))
    size = rng.randint(1, 9)
    data[at : at + rng.randint(0, 2)] = bytes((256 - size,)) + rng.randbytes(size)


def insert_bytes(rng: random.Random, data: bytearray) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.randbytes(rng.randint(1, 16))


def delete_bytes(rng: random.Random, data: bytearray) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.randint(1, 64)]


def splice(rng: random.Random, data: bytearray) -> None:
    """A part of it once more, somewhere else: definitions in values, values in definitions."""
    at, to = rng.randrange(len(data)), rng.randrange(len(data))
    part = data[at : at + rng.randint(1, 400)]
    data[to : to + rng.choice((0, len(part)))] = part


def repeat(rng: random.Random, data: bytearray) -> None:
    at = rng.randrange(len(data))
    data[at:at] = data[at : at + rng.randint(1, 32)] * rng.choice((10, 1000, 20_000))


def cut_off(rng: random.Random, data: bytearray) -> None:
    del data[rng.randrange(len(data)) :]


MUTATIONS = (
    flip_bits, replace_bytes, huge_numbers, insert_bytes, delete_bytes, splice, repeat, cut_off,
)  # fmt: skip


@cache
def corpus() -> tuple[bytes, ...]:
    """Whole files: one of ours, and the beginning of the original's own if they are there."""
    files = [packed(everything())]
    for name in ("wasm-workflow", "am-dbg-sim"):
        path = SHARED / "data" / f"{name}.gob.br"
        if path.is_file():
            files.append(path.read_bytes())
    return tuple(files)


@cache
def streams() -> tuple[bytes, ...]:
    return tuple(opened(file) for file in corpus())


@cache
def other_streams() -> tuple[bytes, ...]:
    path = ROOT / "tests" / "cases" / "gob_streams.json"
    return tuple(map(bytes.fromhex, json.loads(path.read_text(encoding="utf-8")).values()))


class Fuzzer:
    """Makes files, reads them, and keeps what went wrong.

    Args:
        seed: Of all that is random.
        large: Also damage the original's recordings, which takes longer.
    """

    def __init__(self, seed: int, *, large: bool = False) -> None:
        self.rng = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.problems: list[tuple[str, bytes]] = []
        self.slowest = 0.0
        self._large = large

    def run(self, cases: int) -> None:
        """Try so many files, and as many streams of other types."""
        for _ in range(cases):
            self.one(self._file())
            self._decode(self._mutated(self.rng.choice(other_streams())))

    def _decode(self, data: bytes) -> None:
        """No dump, but all that gob has; definitions in the middle of values among it."""
        self.counts["other"] += 1
        decoder = Decoder(data, LIMITS)
        try:
            while not decoder.at_end():
                decoder.decode()
        except GobError as error:
            if not 0 <= error.offset <= len(data):
                self.problems.append((f"no offset: {error}", data))
        except Exception as error:  # that is what is looked for
            self.problems.append((f"decoded: {error!r}", data))

    def one(self, data: bytes) -> None:
        """Read a file."""
        began = time.process_time()
        try:
            dump = read_gob(data, limits=LIMITS)
        except DumpFormatError as error:
            self.counts["error"] += 1
            if error.offset is None or error.offset < 0:
                self.problems.append((f"no offset: {error}", data))
        except Exception as error:  # that is what is looked for
            self.problems.append((repr(error), data))
        else:
            self.counts["read"] += 1
            self._write_again(dump, data)
        took = time.process_time() - began
        self.slowest = max(self.slowest, took)
        if took > SECONDS:
            self.problems.append((f"it took {took:.1f} s", data))

    def _write_again(self, dump: MemoryDump, data: bytes) -> None:
        try:
            written = encode_gob(dump, "fuzz")
            if encode_gob(read_gob(written), "fuzz") != written:
                self.problems.append(("it isn't written twice as the same", data))
        except Exception as error:  # so is that
            self.problems.append((f"written again: {error!r}", data))

    def _file(self) -> bytes:
        rng = self.rng
        index = rng.randrange(len(corpus())) if self._large and rng.random() < 0.1 else 0
        packed = rng.random() < 0.25
        data = self._mutated((corpus() if packed else streams())[index])
        self.counts["packed" if packed else "stream"] += 1
        return data if packed else bytes(brotli.compress(data, quality=1))

    def _mutated(self, whole: bytes) -> bytes:
        data = bytearray(whole)
        for _ in range(self.rng.choice((1, 1, 1, 2, 4))):
            self.rng.choice(MUTATIONS)(self.rng, data)
            if not data:
                break
        return bytes(data)


def main() -> int:
    """Run for some minutes; 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    fuzzer = Fuzzer(options.seed, large=True)
    end = time.monotonic() + 60 * options.minutes
    while time.monotonic() < end and len(fuzzer.problems) < 20:
        fuzzer.run(50)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    sys.stdout.write(
        f"{dict(fuzzer.counts)}, slowest {fuzzer.slowest:.2f} s, at most {memory} MiB\n"
    )
    for number, (problem, data) in enumerate(fuzzer.problems):
        sys.stderr.write(f"problem {number}: {problem}: {data.hex()[:4000]}\n")
    return bool(fuzzer.problems)


if __name__ == "__main__":
    sys.exit(main())
