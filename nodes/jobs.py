"""What a node computes, how it may fail, and how its result is judged. No machine, no network."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256, sha512
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nodes.dag import Dag

__all__ = [
    "CORRUPTED",
    "Delivery",
    "Fault",
    "Faults",
    "Job",
    "Verdict",
    "burn",
    "drawn_faults",
    "expected_results",
    "no_faults",
    "result_of",
    "verify",
]

CORRUPTED = b"corrupted"
"""What a node that lies delivers."""
_BURN_SEED = b"example_wasm_workflow_data"
CHUNK_SECONDS = 0.001
"""How long the loop is kept busy at a stretch."""


class Job(NamedTuple):
    """One execution: its result is accepted while this very job is under way, never later."""

    round: int
    node: str
    attempt: int
    """Of this node in this round, counted from 1."""


class Fault(Enum):
    """What goes wrong in one execution."""

    NONE = "none"
    FAIL = "fail"
    """The node says that it failed."""
    LIE = "lie"
    """It delivers a wrong result as if it were right."""


Faults = Callable[[Job], Fault]
"""Decides about each job. `Job.round` is here the draw's number: see `RoundBook.draw`."""


def no_faults(job: Job) -> Fault:
    """All goes well."""
    return Fault.NONE


def drawn_faults(seed: int, success_rate: int) -> Faults:
    """Faults drawn from a hash of seed and job, so that neither order nor timing changes them.

    Args:
        seed: Any whole number; the same one gives the same faults.
        success_rate: N: one of N jobs lies, one of N fails. Bigger means fewer faults.

    Raises:
        ValueError: If `success_rate` is less than 1.
    """
    if success_rate < 1:
        raise ValueError(f"success rate {success_rate} is less than 1")

    def draw(job: Job) -> Fault:
        text = f"{seed}:{job.round}:{job.node}:{job.attempt}"
        drawn = int.from_bytes(sha256(text.encode()).digest(), "big") % success_rate
        return {0: Fault.LIE, 1: Fault.FAIL}.get(drawn, Fault.NONE)

    return draw


def result_of(node: str, payload: bytes) -> bytes:
    """The right result: SHA-512 of the payload followed by the node's id."""
    return sha512(payload + node.encode()).digest()


async def burn(iterations: int) -> bytes:
    """Keep the processor busy with a chain of hashes, without keeping the loop from its work.

    Cancelling takes effect within a few milliseconds.

    Returns:
        The last hash of the chain; it is of no use but for tests.
    """
    data, left, chunk = _BURN_SEED, iterations, 100
    while left > 0:
        began = time.perf_counter()
        now = min(chunk, left)
        for _ in range(now):
            data = sha512(data).digest()
        left -= now
        took = time.perf_counter() - began
        # Towards the goal by at most a factor of two: one slow chunk says little.
        wanted = int(chunk * CHUNK_SECONDS / took) if took > 0 else chunk * 2
        chunk = max(25, chunk // 2, min(wanted, chunk * 2))
        await asyncio.sleep(0)
    return data


class Delivery(NamedTuple):
    """What a node was given and what it made of it."""

    payload: bytes
    result: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """What comparing all deliveries of a round showed."""

    liars: tuple[str, ...] = ()
    """Whose result isn't the hash of what they were given."""
    tainted: tuple[str, ...] = ()
    """Who hashed honestly, but what they were given was wrong already."""

    @property
    def ok(self) -> bool:
        """Whether every result is what it must be."""
        return not self.liars and not self.tainted


def expected_results(dag: Dag) -> dict[str, bytes]:
    """The result that each node must come to."""
    results: dict[str, bytes] = {}
    for id in dag.order:
        results[id] = result_of(id, dag.payload(id, results))
    return {id: results[id] for id in dag.ids}


def verify(dag: Dag, deliveries: Mapping[str, Delivery]) -> Verdict:
    """Recompute every node from what it was given. KeyError if a node has delivered nothing."""
    right = expected_results(dag)
    honest = {id: result_of(id, deliveries[id].payload) == deliveries[id].result for id in dag.ids}
    liars = tuple(id for id in dag.ids if not honest[id])
    tainted = tuple(id for id in dag.ids if honest[id] and deliveries[id].result != right[id])
    return Verdict(liars, tainted)
