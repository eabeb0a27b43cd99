"""Turns what an orchestrator sees into snapshots: one method per thing that happens.

Validity stands in one place, the table `_MEANT`: a moment that makes no sense in its node's present
state (the late result of an attempt that was given up, say) changes nothing, is logged at debug
level, and its method returns False. Ids that no node has, and round numbers that do not grow, are
the caller's mistakes and raise. After the end of a run only lights, links and events move, until
`begin_round` opens it again.

A recorder belongs to one loop and takes no locks. Its memory is bounded whatever a run does: the
attempts of the last rounds, the counts of some more, the last events.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from amctl.telemetry._ledger import AT_WORK, AWAY, Ledger, standard_lights
from amctl.telemetry.errors import RoundOrderError
from amctl.telemetry.snapshot import (
    KEEP_ATTEMPTS,
    KEEP_ROUNDS,
    Attempt,
    AttemptOutcome,
    Boot,
    HappeningKind,
    LightState,
    Link,
    Node,
    NodeState,
    Phase,
    Round,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Recorder", "standard_lights"]

_log = logging.getLogger("amctl.telemetry.recorder")

_MEANT: Final[dict[str, frozenset[NodeState]]] = {
    "boot": AWAY,
    "joining": AWAY - {"joining"},
    "joined": AWAY,
    "begin": AT_WORK | {"ready", "waiting", "failed"},
    "progress": AT_WORK,
    "failed": AT_WORK,
    "delivered": AT_WORK,
    "canceled": AT_WORK | {"failed"},
}
"""Moment -> the states of its node in which it means something."""

_ENDS: Final[frozenset[Phase]] = frozenset({"succeeded", "failed", "stopped"})
_MISSING: Final[frozenset[Phase]] = frozenset({"loading", "connecting"})


class Recorder(Ledger):
    """The run so far, told by the orchestrator and read by every view.

    Args:
        run: The run's settings; its counters go on from what they say.
        clock: Milliseconds since the run began; must never go back.
        nodes: Every job, in the DAG's order.
        checks: What the leaves must deliver.
        lights: The lamps, in order; by default those of `standard_lights`.
        links: Files known from the start.
    """

    # --- threads and connections

    def run_here(self) -> bool:
        """The nodes run in the orchestrator's process: there are no threads that load anything."""
        for node in self._nodes.frozen():
            self._node(node.id, thread="local")
        self._phase("connecting", "The nodes are starting in this process")
        return self._changed()

    def boot(self, id: str, boot: Boot) -> bool:
        """A thread tells how far it has come."""
        if self._refuses("boot", id):
            return False
        self._node(id, state="loading", boot=boot)
        self._all_loaded()
        return self._changed()

    def joining(self, id: str) -> bool:
        """A thread's program runs and dials the relay."""
        if self._refuses("joining", id):
            return False
        self._node(id, state="joining", boot=None)
        self._light(id, "wait", "connecting")
        self._all_loaded()
        return self._changed()

    def joined(self, id: str) -> bool:
        """A node is connected and ready for work; also after it was lost."""
        self._light(id, "up")
        if not self._refuses("joined", id):
            self._node(id, state="ready", boot=None)
            self._say("info", "joined", id)
            self._all_loaded()
        return self._changed()

    def lost(self, id: str, why: str = "connection lost") -> bool:
        """A node's connection is gone: an open round is interrupted, everything waits for it.

        After the end of the run, when nodes leave because they were told to, only its light goes.
        """
        node = self._known(id)
        if self.run.ended_ms is not None:
            self._light(id, "off")
            return self._changed()
        if node.state in ("offline", "lost"):
            return self._ignore("lost", node)
        self._cancel_attempt(node)
        self._node(id, state="lost", boot=None, progress=None, started_ms=None, ended_ms=None)
        self._light(id, "down", "lost")
        self._say("lost", why, id)
        if self.run.phase != "loading":
            self._interrupt()
            self._phase("connecting", f"{id} is gone; waiting for it to come back")
        return self._changed()

    def light(self, id: str, state: LightState, detail: str = "", label: str = "") -> bool:
        """A lamp changes. An id not seen before gets a lamp at the end."""
        self._light(id, state, detail, label)
        return self._changed()

    def link(self, link: Link) -> bool:
        """A file can be opened now."""
        self._links.put(link)
        return self._changed()

    # --- rounds

    def begin_round(self, number: int | None = None) -> bool:
        """A round begins; one that is still open counts as interrupted.

        Also opens a finished run again.

        Args:
            number: Greater than the last one; by default the next.

        Raises:
            RoundOrderError: If `number` does not grow.
        """
        last = self.run.round
        number = last + 1 if number is None else number
        if number <= last:
            raise RoundOrderError(number, last)
        self._interrupt()
        now = self._clock()
        self.run = replace(self.run, round=number, ended_ms=None)
        self._rounds.put(Round(number, now))
        self._rounds.keep(lambda r: r.id > number - KEEP_ROUNDS)
        self._attempts.keep(lambda a: a.round > number - KEEP_ATTEMPTS)
        self._reset("waiting", number)
        self._phase("running", f"Round {number} of at most {self.run.max_rounds}")
        self._say("round", f"round {number} begins")
        return self._changed()

    def interrupted(self, why: str = "") -> bool:
        """The open round is over without a result, and its nodes are free again."""
        if self._open_round() is None:
            return False
        number = self.run.round
        self._interrupt()
        self._say("lost", why or f"round {number} was interrupted")
        missing = any(n.state in AWAY for n in self._nodes.frozen())
        self._phase(
            "connecting" if missing else "restarting",
            why or f"Round {number} was interrupted, so everything starts over",
        )
        return self._changed()

    def gave_up(self, id: str) -> bool:
        """A node has used up its attempts of this round, which ends with that."""
        node, past = self._known(id), self._open_round()
        if past is None:
            return self._ignore("gave_up", node)
        self._close_round(past, "gave_up")
        text = f"failed {node.attempt}x in round {past.id}"
        self._say("gave_up", text, id)
        self._phase("restarting", f"{id} {text}, so everything starts over")
        return self._changed()

    def verified(self, liars: Sequence[str], tainted: Sequence[str] = ()) -> bool:
        """The leaves' results were compared with what they must be; the round is over.

        Args:
            liars: Who did not deliver the hash of its input.
            tainted: Whose result is wrong only because an input was.
        """
        for id in (*liars, *tainted):
            self._known(id)
        past = self._open_round()
        if past is None:
            return False
        for check in self._checks.frozen():
            equal = check.actual == check.expected
            self._checks.put(replace(check, verdict="equal" if equal else "wrong"))
        good = not liars and all(c.verdict == "equal" for c in self._checks.frozen())
        for id in liars:
            self._judge(id, past.id, "lied", "lied", self._nodes.items[id].lies + 1)
        for id in tainted:
            self._judge(id, past.id, "tainted", "tainted", self._nodes.items[id].lies)
        self._close_round(past, "ok" if good else "lied", tuple(liars))
        self.run = replace(self.run, lies=self.run.lies + len(liars))
        for id in liars:
            self._say(
                "lied", f"lied: its result is not the hash of its input (round {past.id})", id
            )
        if good:
            for node in self._nodes.frozen():
                if node.state == "done":
                    self._node(node.id, state="verified")
        else:
            who = f"{', '.join(liars)} lied in" if liars else "A wrong result came out of"
            self._phase("restarting", f"{who} round {past.id}, so everything starts over")
        return self._changed()

    # --- jobs

    def sending(self, source: str, target: str) -> bool:
        """A result travels from `source` to the thread of `target`."""
        self._known(source), self._known(target)
        edge = self._edges.items.get(f"{source}>{target}")
        if edge is None or self._open_round() is None:
            return False
        self._edges.put(replace(edge, state="sending"))
        return self._changed()

    def begin(self, id: str, attempt: int | None = None) -> bool:
        """A node starts to execute its job; its inputs have arrived.

        Args:
            id: The node.
            attempt: Greater than its last one of this round; by default the next.
        """
        node, past = self._known(id), self._open_round()
        attempt = node.attempt + 1 if attempt is None else attempt
        if past is None or attempt <= node.attempt or self._refuses("begin", id):
            return self._ignore("begin", node)
        self._cancel_attempt(node)
        now = self._clock()
        self._node(
            id,
            state="working" if attempt == 1 else "retrying",
            attempt=attempt,
            progress=None,
            started_ms=now,
            ended_ms=None,
        )
        for dep in node.deps:
            self._edges.put(replace(self._edges.items[f"{dep}>{id}"], state="delivered"))
        self._attempts.put(Attempt(f"{past.id}/{id}/{attempt}", past.id, id, attempt, now))
        self.run = replace(self.run, executions=self.run.executions + 1)
        self._rounds.put(replace(past, executions=past.executions + 1))
        self._say("start", "begins" if attempt == 1 else f"attempt {attempt} begins", id)
        return self._changed()

    def progress(self, id: str, share: float) -> bool:
        """A working node tells how much of its job is done, 0 to 1."""
        if self._refuses("progress", id):
            return False
        self._node(id, progress=min(1.0, max(0.0, share)))
        return self._changed()

    def failed(self, id: str, why: AttemptOutcome = "failed") -> bool:
        """The attempt of a working node came to nothing.

        Args:
            id: The node.
            why: `failed` or `timeout`.
        """
        if self._refuses("failed", id):
            return False
        node = self._known(id)
        self._end_attempt(node, why)
        self._node(
            id, state="failed", failures=node.failures + 1, ended_ms=self._clock(), progress=None
        )
        past = self._open_round()
        if past is not None:
            self._rounds.put(replace(past, failures=past.failures + 1))
        self.run = replace(self.run, failures=self.run.failures + 1)
        how = "timed out" if why == "timeout" else "failed"
        again = ", trying again" if node.attempt < self.run.max_attempts else ""
        self._say("failed", f"attempt {node.attempt} {how}{again}", id)
        return self._changed()

    def delivered(self, id: str, digest: str) -> bool:
        """A working node's result is here; `digest` is the whole of it, hexadecimal."""
        if self._refuses("delivered", id):
            return False
        node, now = self._known(id), self._clock()
        self._end_attempt(node, "ok")
        self._node(id, state="done", digest=digest, ended_ms=now, progress=1.0)
        if id in self._checks.items:
            self._checks.put(replace(self._checks.items[id], actual=digest))
        took = now - (node.started_ms if node.started_ms is not None else now)
        self._say("ok", f"delivered after {took} ms", id)
        if self.run.phase == "running" and all(n.state == "done" for n in self._nodes.frozen()):
            self._phase("verifying", "Comparing the results with the known hashes")
        return self._changed()

    def canceled(self, id: str) -> bool:
        """A node's attempt was called off; the node waits again."""
        if self._refuses("canceled", id):
            return False
        node = self._known(id)
        self._cancel_attempt(node)
        self._node(id, state="waiting", progress=None, started_ms=None, ended_ms=None)
        return self._changed()

    # --- the run

    def phase(self, phase: Phase, message: str) -> bool:
        """What the run does now; an end goes through `finish`."""
        if self.run.ended_ms is not None:
            return False
        if phase in _ENDS:
            return self.finish(phase, message)
        self._phase(phase, message)
        return self._changed()

    def finish(self, phase: Phase, message: str = "") -> bool:
        """The run is over: `succeeded`, `failed` or `stopped`; what is open is closed.

        The first word counts: a run that succeeded is not stopped afterwards.
        """
        if self.run.ended_ms is not None:
            return False
        message = message or self._last_words(phase)
        self._interrupt()
        self._phase(phase, message)
        self.run = replace(self.run, ended_ms=self._clock())
        if phase == "succeeded":
            self._say("end", f"verified in round {self.run.round}")
        else:
            self._say("gave_up" if phase == "failed" else "info", message)
        return self._changed()

    def say(self, kind: HappeningKind, text: str, node: str | None = None) -> bool:
        """A line for the event list that no other moment writes."""
        self._say(kind, text, node)
        return self._changed()

    def close(self) -> None:
        """The process goes: readers are told and stop. The last snapshot stays readable."""
        if not self._closed:
            self._closed = True
            self._changed()

    # --- inside

    def _refuses(self, moment: str, id: str) -> bool:
        node = self._known(id)
        if node.state in _MEANT[moment]:
            return False
        return not self._ignore(moment, node)

    def _ignore(self, moment: str, node: Node) -> bool:
        _log.debug("%s of %s ignored, for it is %s", moment, node.id, node.state)
        return False

    def _all_loaded(self) -> None:
        nodes = self._nodes.frozen()
        if self.run.phase not in _MISSING:
            return
        if any(n.state in ("offline", "loading") for n in nodes):
            return
        away = sum(n.state in AWAY for n in nodes)
        words = "Every thread has joined"
        if away:
            words = "All runtimes are up, waiting for the last thread to join"
        self._phase("connecting", words)

    def _last_words(self, phase: Phase) -> str:
        checks = self._checks.frozen()
        if phase == "succeeded":
            if len(checks) == 1:
                return "The result equals its known hash"
            return f"{len(checks)} results equal their known hashes"
        if phase == "failed":
            last = self._rounds.items.get(self.run.round)
            rounds = "1 round" if self.run.round == 1 else f"{self.run.round} rounds"
            words = f"No verified result in {rounds}"
            wrong = ", ".join(last.wrong) if last else ""
            return f"{words}; {wrong} lied in the last one" if wrong else words
        return "Stopped before there was a verified result"
