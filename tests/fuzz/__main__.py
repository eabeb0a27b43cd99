"""Looks for input that does harm: `python -m tests.fuzz frames --seconds 1200 --seed 1`.

`frames` are the wire's decoders, `urls` the paths of tunnels, `http` the relay's front door, `gob`
the original's dumps. The exit code is 1 if anything was found; each finding comes with its bytes.
"""

from __future__ import annotations

import argparse
import logging
import resource
import sys
import time
from typing import TYPE_CHECKING

from tests.dump.fuzz_gob import Fuzzer as GobFuzzer
from tests.fuzz.frames import FrameFuzzer
from tests.fuzz.fuzzer import MOST_PROBLEMS, Fuzzer
from tests.fuzz.http import HttpFuzzer
from tests.fuzz.urls import UrlFuzzer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FUZZERS: dict[str, Callable[[int], Fuzzer]] = {
    "frames": FrameFuzzer,
    "urls": UrlFuzzer,
    "http": HttpFuzzer,
}


def fuzz(what: str, seed: int, seconds: float) -> Fuzzer | GobFuzzer:
    """Run one fuzzer to its end."""
    if what == "gob":
        gob, end = GobFuzzer(seed, large=True), time.monotonic() + seconds
        while time.monotonic() < end and len(gob.problems) < MOST_PROBLEMS:
            gob.run(50)
        return gob
    fuzzer = FUZZERS[what](seed)
    try:
        fuzzer.run_for(seconds)
    finally:
        fuzzer.close()
    return fuzzer


def main(words: Sequence[str]) -> int:
    """Fuzz, and tell; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("what", choices=[*FUZZERS, "gob"])
    parser.add_argument("--seconds", type=float, default=30.0, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    asked = parser.parse_args(words)
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    found = fuzz(asked.what, asked.seed, asked.seconds)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    counts = ", ".join(f"{name} {count}" for name, count in sorted(found.counts.items()))
    print(
        f"{asked.what}, seed {asked.seed}: {counts}; slowest {found.slowest:.2f} s, "
        f"at most {memory} MiB, {len(found.problems)} findings"
    )
    for number, (problem, data) in enumerate(found.problems):
        print(f"finding {number}: {problem}: {data.hex()[:4000]}", file=sys.stderr)
    return bool(found.problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
