"""What all fuzzers share: chance, counts, findings, and an end."""

from __future__ import annotations

import random
import time
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.dump.fuzz_gob import MUTATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MOST_PROBLEMS", "Fuzzer", "cut_up", "damaged"]

MOST_PROBLEMS = 20
"""After so many a run ends: more of them say nothing new."""
SECONDS = 5.0
"""Of processor time that one case may take; half a second is a lot, but machines differ."""


class Fuzzer:
    """Makes cases, tries them, and keeps what went wrong.

    Args:
        seed: Of all that is random.
    """

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.problems: list[tuple[str, bytes]] = []
        self.slowest = 0.0

    def case(self) -> None:
        """Make one case and try it."""
        raise NotImplementedError

    def close(self) -> None:
        """Look at what can be seen only at the end, and leave nothing behind."""

    def one(self) -> None:
        """A case, timed; whatever it raises is a finding."""
        began = time.process_time()
        try:
            self.case()
        except Exception as error:
            self.problem(f"{type(error).__name__}: {error}")
        took = time.process_time() - began
        self.slowest = max(self.slowest, took)
        if took > SECONDS:
            self.problem(f"it took {took:.1f} s")

    def run(self, cases: int) -> None:
        """Try so many cases."""
        for _ in range(cases):
            self.one()

    def run_for(self, seconds: float) -> None:
        """Try cases for some seconds of wall time, or until there are too many findings."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and len(self.problems) < MOST_PROBLEMS:
            self.run(10)

    def problem(self, text: str, data: bytes = b"") -> None:
        """Keep a finding."""
        self.problems.append((text, data))

    @property
    def cases(self) -> int:
        """How many cases there were."""
        return sum(self.counts.values())


def damaged(rng: random.Random, data: bytes, times: Iterable[int] = (0, 1, 1, 1, 2, 4)) -> bytes:
    """Bytes with something done to them, perhaps nothing."""
    out = bytearray(data)
    for _ in range(rng.choice(list(times))):
        if out:
            rng.choice(MUTATIONS)(rng, out)
    return bytes(out)


def cut_up(rng: random.Random, data: bytes) -> list[bytes]:
    """The same bytes in pieces of any size."""
    if rng.random() < 0.4:
        return [data]
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randint(1, 8)))
    borders = [0, *cuts, len(data)]
    return [data[a:b] for a, b in pairwise(borders)]
