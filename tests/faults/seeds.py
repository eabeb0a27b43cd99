"""Faults to plant into the engine: one small change of its text each.

A fault must change what the specification promises, not only how it is come by. Where a line was
rewritten so that a fault does not fit any more, test_faults.py says so: plant it anew.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FAULTS", "Fault"]


@dataclass(frozen=True)
class Fault:
    """A change of one place."""

    name: str
    rule: str
    """What it breaks."""
    file: str
    """Below amctl/."""
    old: str
    """Stands in the file exactly once."""
    new: str

    def planted(self, text: str) -> str:
        """The file's text with the fault.

        Raises:
            ValueError: It doesn't fit, for the file was changed.
        """
        count = text.count(self.old)
        if count != 1:
            raise ValueError(f"{self.name}: {self.file} has {self.old!r} {count} times, not once")
        return text.replace(self.old, self.new)


def _of(file: str, *rows: tuple[str, str, str, str]) -> list[Fault]:
    return [Fault(name, rule, file, old, new) for rule, name, old, new in rows]


FAULTS = [
    *_of(
        "machine/relations.py",
        ("REL-1", "active states come before called ones", "[*called, *active]\n",
         "[*active, *called]\n"),
        ("REL-2", "removed states are implied again", "called_mask if kind == REMOVE else 0", "0"),
        ("REL-3", "requirements are looked at once", "mask &= ~bad\n",
         "mask &= ~bad\n            break\n"),
        ("REL-4", "blocking is scanned from the start", "for i in reversed(items):\n",
         "for i in items:\n"),
        ("REL-4", "the fallen still block",
         "if removed >> i & 1 and sch.removed_by[i] & mask:", "if removed >> i & 1:"),
        ("REL-6", "what survivors remove may be implied", "mask &= ~removed\n",
         "mask &= ~0\n"),
        ("REL-6", "the second pass is not turned back", "for i in reversed(extra) if",
         "for i in extra if"),
        ("REL-8", "active multi states imply nothing", "(~active_mask | sch.multi)",
         "~active_mask"),
        ("REL-10", "nothing is sorted by Require", "mask & sch.positioned and len(items) > 1",
         "False"),
        ("REL-11", "states that are after each other are swapped",
         " or after[here] >> left & 1:", ":"),
        ("AUT-2", "auto states come against those who remove them",
         "wanted &= ~sch.remove[i]", "wanted &= ~0"),
    ),
    *_of(
        "machine/plan.py",
        ("CLK-2", "a multi state ticks once", "tuple(i for i in enters if config.mask >> i & 1)",
         "()"),
        ("REL-12", "exits are not sorted", "tuple(self.resolver.sort([i for i in config.order "
         "if left >> i & 1], left))", "tuple(i for i in config.order if left >> i & 1)"),
        ("REL-13", "one called state is enough", "if not called.mask & ~mask:",
         "if called.mask & mask:"),
        ("CAN-4", "questions about multi states are answered by relations",
         "kind == CHECK_ADD and bool(", "False and bool("),
        ("TX-14", "auto states follow signs of life", " and not (kind == ADD and called.health)",
         ""),
        ("AUT-1", "auto states follow what changed nothing", "if out.ticks and kind != AUTO",
         "if kind != AUTO"),
        ("AUT-6", "auto states follow auto states", "if out.ticks and kind != AUTO and",
         "if out.ticks and"),
        ("CLK-1", "the shortcut forgets clocks of auto states",
         "return out.ticks + auto.outcome.ticks, auto", "return out.ticks, auto"),
    ),
    *_of(
        "machine/handlers.py",
        ("HND-2", "self handlers run at removals", "if not removing:", "if True:"),
        ("HND-2", "enters come before exits", "out = [self.exit[i] for i in exits]\n"
         "        out += [self.enter[i] for i in enters]\n",
         "out = [self.enter[i] for i in enters]\n        out += [self.exit[i] for i in exits]\n"),
        ("HND-3", "AnyEnter is asked first", "out.append(self.any_enter)",
         "out.insert(0, self.any_enter)"),
        ("HND-8", "prefixes are not cut off", "events.setdefault(binding.prefix + name, [])",
         "events.setdefault(name, [])"),
    ),
    *_of(
        "machine/transition.py",
        ("NEG-1", "negotiation goes on after a veto",
         "all(self._ask(action) for action in self.plan.negotiation)",
         "all([self._ask(action) for action in self.plan.negotiation])"),
        ("NEG-3", "a veto by any state costs an auto transition that state only",
         "if not self.machine._compiled.auto >> action.state & 1:", "if False:"),
        ("TX-7", "what a vetoed auto state implied stays",
         "if len(targets) != len(plan.targets):", "if False:"),
        ("HND-16", "handlers run although their transition failed",
         "if self.is_broken:  # HND-16", "if False:  # HND-16"),
        ("CTX-3", "contexts of exits live on", "machine._subs.cancel_contexts(out.exits)", "pass"),
        ("PAN-4", "later enters stay after a failure",
         "out.enters[out.enters.index(action.state) :]\n        again",
         "(action.state,)\n        again"),
        ("PAN-4", "recovery has one pass", "(action.phase != ANY) + raised", "1"),
        ("PAN-9", "waits miss recoveries",
         "machine._subs.process(enters, exits, clock, machine.queue_tick, dropped)", "pass"),
        ("PAN-9", "tracers miss recoveries", "if self._time_after is not None:\n            "
         "self._time_after = machine._snapshot()", "if False:\n            pass"),
    ),
    *_of(
        "machine/core.py",
        ("QUE-1", "the last one in is the first one out", "mutation = queue.popleft()",
         "mutation = queue.pop()"),
        ("QUE-5", "duplicates may differ in arguments", "            and not m.args\n", ""),
        ("QUE-5", "multi states are deduplicated", "if called.mask & self._compiled.multi:",
         "if False:"),
        ("QUE-6", "the queue takes one more", "if len(self._queue) < self.queue_limit:",
         "if len(self._queue) <= self.queue_limit:"),
        ("QUE-6", "errors have no way into a full queue",
         "if called.mask & self._compiled.exception and kind != SET:", "if False:"),
        ("QUE-7", "questions wait at the end",
         "self._prepend(Mutation(kind, called, plain))\n            return _QUEUED",
         "self._queue.append(Mutation(kind, called, plain))\n            return _QUEUED"),
        ("QUE-8", "auto states wait at the end", "self._prepend(Mutation(AUTO, called, {}))",
         "self._queue.append(Mutation(AUTO, called, {}))"),
        ("CLK-10", "prepended items count", "if mutation.queue_tick:\n", "if True:\n"),
        ("MUT-5", "a removal of nothing jumps the queue", "kind == REMOVE and not self._queue and "
         "not called", "kind == REMOVE and not called"),
        ("PAN-2", "Exception waits at the end",
         "self._prepend(Mutation(ADD, self._exception, as_args(args), tx.as_source()))",
         "self._enqueue(Mutation(ADD, self._exception, as_args(args), tx.as_source()))"),
        ("PAN-6", "errors of error handlers nest",
         " or tx.plan.called.mask & self._compiled.exception:\n            return False",
         ":\n            return False"),
        ("PAN-10", "auto states are tried for ever", "_AUTO_TRIES = 10", "_AUTO_TRIES = 400"),
        ("CAN-3", "answers are turned round", "check.answer(canceled)",
         "check.answer(not canceled)"),
    ),
    *_of(
        "machine/subscriptions.py",
        ("SUB-1", "states that left still count", "watch.matched &= ~bit", "pass"),
        ("SUB-2", "a tick must be met exactly", "if self._clock[i] >= watch.pending[i]:",
         "if self._clock[i] == watch.pending[i]:"),
        ("SUB-5", "arguments must be the same ones",
         "if all(k in args and args[k] == v for k, v in wanted.items()):", "if args == wanted:"),
        ("SUB-7", "what is dealt with keeps its waiters",
         "if queue_tick >= watch.condition:", "if queue_tick > watch.condition:"),
        ("SUB-8", "queries outlive their machine", "*args, *self._queue, *self._queries):",
         "*args, *self._queue):"),
        ("CTX-2", "contexts outlive an activation",
         "self.cancel_contexts(enters)\n            self.cancel_contexts(exits)",
         "self.cancel_contexts(exits)"),
    ),
    *_of(
        "machine/tasks.py",
        ("section 30.3", "coroutines outlive their state", "context.hold(task)", "pass"),
        ("section 30.3", "coroutines of multi states end with a reentry",
         "action.phase == STATE and not compiled.multi >> action.state & 1",
         "action.phase == STATE"),
        ("section 30.3", "ended coroutines are kept", "self._events.pop(task, None)", "pass"),
        ("section 30.3", "errors of coroutines have no source",
         "machine.add_err(error, source=event)\n\n\nasync def",
         "machine.add_err(error)\n\n\nasync def"),
    ),
    *_of(
        "machine/disposal.py",
        ("DSP-1", "disposal waits for no coroutine",
         "await machine._tasks.close(timeout=2 * timeout)", "pass"),
        ("DSP-1", "callbacks run backwards", "for callback in callbacks:",
         "for callback in reversed(callbacks):"),
    ),
    *_of(
        "machine/schema.py",
        ("SCH-4", "Remove wins over Add", "if other in remove:\n                remove = "
         "_without_first(remove, other)", "if other in remove:\n                continue"),
        ("SCH-2", "Exception is not multi", "StateDef(multi=True)", "StateDef()"),
    ),
    *_of(
        "states/_inlet.py",
        ("PIP-1", "pipes lose arguments", "add_op(name, e.raw, source)",
         "add_op(name, None, source)"),
        ("PIP-2", "pipes deliver backwards", "self._deliver(target, self._batches.popleft())",
         "self._deliver(target, self._batches.pop())"),
    ),
]  # fmt: skip
"""All of them, by file. Each must be caught by a test of the engine."""
