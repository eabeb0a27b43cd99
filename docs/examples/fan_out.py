"""Fan-out and fan-in: many jobs at once, one answer when the last of them is through.

Run it: python docs/examples/fan_out.py
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from amctl import Args, Event, Machine, State
from amctl.states.basic import BasicStates

WORDS = ("alpha", "beta", "gamma", "delta")


class BatchStates(BasicStates):
    """Job and Done are multi: each call of them counts, also while they are active."""

    Job = State(multi=True, require=["Start"])
    """A job begins; its coroutine lives as long as Start."""

    Done = State(multi=True, require=["Start"])
    """A job has a result."""

    AllDone = State(require=["Start"])
    """All of them have."""


@dataclass(frozen=True)
class AJob(Args):
    """What Job and Done are called with."""

    word: str = ""
    size: int = 0


class Batch:
    """The handlers, and what they know beyond states."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}
        self.failed_once: set[str] = set()

    def JobEnter(self, event: Event) -> bool:
        """Negotiation: a job without a word is refused before anything has moved."""
        return bool(event.args(AJob).word)

    async def JobState(self, event: Event) -> None:
        """One task for each job. What it raises becomes Exception."""
        word = event.args(AJob).word
        await asyncio.sleep(0.01 * len(word))
        if word == "gamma" and word not in self.failed_once:
            self.failed_once.add(word)
            raise RuntimeError(f"no luck with {word}")
        event.machine.add("Done", AJob(word, len(word)), source=event)

    def DoneState(self, event: Event) -> None:
        """The fan-in: one place counts."""
        job = event.args(AJob)
        self.sizes[job.word] = job.size
        print(f"{job.word} is through, {len(self.sizes)} of {len(WORDS)}")
        if len(self.sizes) == len(WORDS):
            event.machine.add("AllDone", source=event)

    def ExceptionState(self, event: Event) -> None:
        """A job failed: begin it again."""
        print("trying again:", event.machine.err)
        missing = self.failed_once - self.sizes.keys()
        event.machine.remove("Exception", source=event)
        for word in missing:
            event.machine.add("Job", AJob(word), source=event)


async def main() -> None:
    logging.getLogger("amctl").setLevel(logging.CRITICAL)  # the failure above is wanted
    work = Batch()
    batch = Machine("batch", BatchStates, handlers=work)
    batch.add("Start")
    print("a job without a word:", batch.add("Job", AJob()))
    for word in WORDS:
        batch.add("Job", AJob(word))
    await batch.when("AllDone", timeout=5)
    print(sum(work.sizes.values()), "letters;", batch)
    batch.dispose()
    await batch.when_disposed()


if __name__ == "__main__":
    asyncio.run(main())
