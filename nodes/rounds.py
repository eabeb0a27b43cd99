"""The books of a run: rounds, attempts, deliveries. What counts, what is stale, what comes next.

No machine, no clock, no network: the orchestrator asks and tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodes.jobs import Delivery, Job, Verdict, verify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodes.dag import Dag

__all__ = ["RoundBook"]


class RoundBook:
    """Rounds of one DAG.

    A round that is interrupted, because a node got lost, counts for nothing: neither as one of
    `max_rounds`, nor among the executions, and the next one draws its faults as if it had never
    been. So a seed decides alone what a run comes to, however often connections break.

    Args:
        dag: What is done in a round.
        max_rounds: Rounds that may come to nothing before the run has failed.
        max_attempts: Of each node in each round.
    """

    def __init__(self, dag: Dag, max_rounds: int, max_attempts: int) -> None:
        self._dag, self._max_rounds, self._max_attempts = dag, max_rounds, max_attempts
        self.round = 0
        """Number of the present round, or of the last one; grows with every beginning."""
        self.draw = 0
        """What faults are drawn with: as `round`, but for the interrupted ones."""
        self.interrupted = 0
        """How many rounds were interrupted."""
        self._used = 0
        self._past_executions = 0
        self._is_open = False
        self._under_way: dict[str, Job] = {}
        self._begun: set[Job] = set()
        self._attempts: dict[str, int] = {}
        self._payloads: dict[str, bytes] = {}
        self._results: dict[str, bytes] = {}

    # --- rounds

    @property
    def is_open(self) -> bool:
        """Whether a round is under way."""
        return self._is_open

    @property
    def has_rounds_left(self) -> bool:
        """Whether one more round may be tried."""
        return self._used < self._max_rounds

    @property
    def executions(self) -> int:
        """Jobs that nodes have begun, in rounds that were not interrupted."""
        return self._past_executions + len(self._begun)

    @property
    def results(self) -> Mapping[str, bytes]:
        """What was delivered in the present or last round."""
        return self._results

    def begin(self, *, anew: bool = False) -> int:
        """Begin a round; one that is open is interrupted.

        Args:
            anew: Count `max_rounds` from here.

        Returns:
            Its number.
        """
        self.interrupt()
        if anew:
            self._used = 0
        self._past_executions += len(self._begun)
        for each in (self._begun, self._under_way, self._attempts, self._payloads, self._results):
            each.clear()
        self.round += 1
        self.draw += 1
        self._used += 1
        self._is_open = True
        return self.round

    def interrupt(self) -> bool:
        """End the open round as if it had never been; False if none is open."""
        if not self._is_open:
            return False
        self.close()
        self._begun.clear()
        self.draw -= 1
        self._used -= 1
        self.interrupted += 1
        return True

    def close(self) -> None:
        """End the open round: nothing that comes for it counts any more."""
        self._is_open = False
        self._under_way.clear()

    # --- jobs

    def give(self, node: str, *, again: bool = False) -> Job | None:
        """The next job of a node, which is under way from now on.

        Args:
            node: Whose.
            again: Its last attempt came to nothing; otherwise it must not have had one.

        Returns:
            None if it has nothing to do: no round is open, an input is missing, it is at work, it
            has delivered already, or its attempts are used up.
        """
        if not self._is_open or node in self._under_way or node in self._results:
            return None
        attempt = self._attempts.get(node, 0) + 1
        if (attempt > 1) is not again or attempt > self._max_attempts:
            return None
        if node not in self._payloads:
            if any(dep not in self._results for dep in self._dag[node].deps):
                return None
            self._payloads[node] = self._dag.payload(node, self._results)
        job = Job(self.round, node, attempt)
        self._attempts[node] = attempt
        self._under_way[node] = job
        return job

    def payload(self, node: str) -> bytes:
        """What the node was given in this round; KeyError if nothing yet."""
        return self._payloads[node]

    def is_current(self, job: Job) -> bool:
        """Whether a result of this job counts."""
        return self._under_way.get(job.node) == job

    def begun(self, job: Job) -> bool:
        """A node has begun a job; False if that was known, or the job is stale."""
        if not self.is_current(job) or job in self._begun:
            return False
        self._begun.add(job)
        return True

    def deliver(self, job: Job, result: bytes) -> bool:
        """A job's result is here; False if the job is stale."""
        if not self.is_current(job):
            return False
        del self._under_way[job.node]
        self._results[job.node] = result
        return True

    def fail(self, job: Job) -> bool:
        """A job came to nothing; False if the node may not try again."""
        if self.is_current(job):
            del self._under_way[job.node]
        return job.attempt < self._max_attempts

    # --- judgement

    @property
    def is_complete(self) -> bool:
        """Whether every node has delivered."""
        return len(self._results) == len(self._dag.nodes)

    def judge(self) -> Verdict:
        """Close a complete round and say what its results are worth; KeyError if it isn't."""
        deliveries = {id: Delivery(self._payloads[id], self._results[id]) for id in self._dag.ids}
        self.close()
        return verify(self._dag, deliveries)
