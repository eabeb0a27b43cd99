"""Lines of a machine's log (section 21), made by a tracer: machines themselves write none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amctl.machine._replay import replay
from amctl.machine.args import AException, loggable, parse_args
from amctl.machine.errors import ArgsError, HandlerTimeoutError
from amctl.machine.handlers import SELF, STATE
from amctl.machine.plan import AUTO, RELATION_KIND
from amctl.machine.relations import ADD
from amctl.machine.tracer import Tracer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from amctl.machine._replay import Replay
    from amctl.machine.event import Mutation
    from amctl.machine.pipes import PipeRecord
    from amctl.machine.transition import Transition
    from amctl.machine.view import MachineView

__all__ = [
    "CHANGES",
    "DECISIONS",
    "EVERYTHING",
    "OPS",
    "USER",
    "LineWriter",
    "LogLine",
    "args_suffix",
]

USER, CHANGES, OPS, DECISIONS, EVERYTHING = 1, 2, 3, 4, 5
"""Levels of lines."""

_KEPT = 1000  # lines between two transitions
_CUT = 20
_REPEATED = ("[pipe-", "[ctx", "[when")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a machine's log, without the machine's id in front."""

    level: int
    """1 user messages, 2 changes, 3 operations, 4 decisions, 5 everything."""
    text: str


class _Book:
    """The lines of one machine: of its last transition, and since."""

    def __init__(self) -> None:
        self.tx: Transition | None = None
        self.logs: list[LogLine] = []
        self.pre: list[LogLine] = []
        self.taken: list[LogLine] = []
        """Lines since the transition before `tx`, once that is over."""
        self.vetoes = 0
        """How many of its vetoes are written already."""
        self.has_failed = False
        self.failed = ("", "")
        """Id and type of the last transition that failed."""
        self.unwatch: Callable[[], None] | None = None

    def begin(self, tx: Transition) -> None:
        """Its lines from now on."""
        self.tx, self.logs, self.taken = tx, [], []
        self.vetoes, self.has_failed = 0, False


class LineWriter(Tracer):
    """Writes the lines that tools read: mutations, sources, relations, handlers, changes, pipes.

    One may serve many machines: bind it to each, and call `follow` for those that were there
    before. Ask `take` in `transition_end`, behind the writer's own.
    """

    def __init__(
        self,
        level: int = OPS,
        *,
        args_of: Callable[[Mapping[str, Any]], Mapping[str, str]] = loggable,
        checks: bool = False,
        id: str = "lines",
    ) -> None:
        """Args:
        level: Lines above it aren't written; may be changed at any time.
        args_of: What is shown of a mutation's arguments.
        checks: Whether questions (Can*) are written, too.
        id: Of the tracer.
        """
        self.id = id
        self.level = level
        self._args_of = args_of
        self._checks = checks
        self._books: dict[str, _Book] = {}

    def take(self, tx: Transition) -> tuple[tuple[LogLine, ...], tuple[LogLine, ...]]:
        """Lines written before a transition and during it, once it has ended (LOG-3)."""
        book = self._books.get(tx.machine.id)
        if book is None or book.tx is not tx:
            return (), ()
        return tuple(book.taken), tuple(book.logs)

    def follow(self, machine: MachineView) -> None:
        """Write of the machine's pipes, those that it has first. For machines with this tracer
        among their options it happens by itself."""
        book = self._book(machine)
        if book.unwatch is not None:
            return
        for record in dict.fromkeys((*machine.pipes.out, *machine.pipes.into)):
            self._pipe(machine, record, gone=False)
        book.unwatch = machine.pipes.watch(lambda record, gone: self._pipe(machine, record, gone))

    def write(self, machine: MachineView, level: int, text: str) -> None:
        """Add a line, if the level says so."""
        if level > self.level:
            return
        book = self._book(machine)
        tx = getattr(machine, "transition", None)
        if tx is not None and not tx.is_completed and book.tx is tx:
            book.logs.append(LogLine(level, text))
        elif not book.pre or book.pre[-1].text != text or text.startswith(_REPEATED):
            if len(book.pre) >= _KEPT:
                del book.pre[0]
            book.pre.append(LogLine(level, text))

    def _book(self, machine: MachineView) -> _Book:
        book = self._books.get(machine.id)
        if book is None:
            book = self._books[machine.id] = _Book()
        return book

    # -- hooks

    def machine_init(self, machine: MachineView) -> None:
        """See Tracer."""
        self.follow(machine)

    def machine_dispose(self, machine_id: str) -> None:
        """See Tracer."""
        book = self._books.pop(machine_id, None)
        if book is not None and book.unwatch is not None:
            book.unwatch()

    def log_line(self, machine: MachineView, level: int, text: str) -> None:
        """See Tracer."""
        self.write(machine, level, text)

    def mutation_queued(self, machine: MachineView, mutation: Mutation) -> None:
        """See Tracer."""
        if self.level < OPS or (mutation.is_check and not self._checks):
            return
        book = self._book(machine)
        if book.tx is not None and not book.tx.is_completed:
            self._decided(book.tx, book)
        names, kind = " ".join(mutation.called_states), mutation.type
        if mutation.is_auto:
            self.write(machine, OPS, f"[auto] {names}")
        how = "queue" if mutation.queue_tick else "prepend"
        suffix = args_suffix(self._args_of(mutation.args))
        self.write(machine, OPS, f"[{how}:{kind}] {names}{suffix}")
        if any(mutation is waiting for waiting in getattr(machine, "_queue", ())):
            count = mutation.queue_len
            self.write(machine, OPS, f"[postpone] queue running ({count} item{'s' * (count > 1)})")

    def transition_init(self, tx: Transition) -> None:
        """See Tracer."""
        machine, book = tx.machine, self._book(tx.machine)
        book.begin(tx)
        if self.level < OPS or self._is_hidden(tx):
            return
        if getattr(tx.plan, "config", None) is None:  # a mirror's
            return
        names = " ".join(tx.called_states)
        suffix = args_suffix(self._args_of(tx.args))
        if tx.is_auto:
            self._say(tx, DECISIONS, f"[add:auto] {names}{suffix}")
        else:
            self._say(tx, OPS, f"[{tx.type}] {names}{suffix}")
        if tx.source is not None:
            source = tx.source
            self._say(tx, OPS, f"[source] {source.machine_id}/{source.tx_id}/{source.time}")
        plan = tx.plan
        found = replay(
            machine._compiled, RELATION_KIND[plan.kind], plan.called.order, plan.config.order
        )
        self._resolved(tx, found)
        implied = [i for i in found.targets if i not in found.base]
        if implied:
            self._say(tx, OPS, f"[implied] {self._names(tx, implied)}")
        if not plan.accepted:
            missing = [i for i in plan.called.order if i not in found.targets]
            self._say(tx, OPS, f"[cancel:reject] {self._names(tx, missing)}")

    def handler_start(self, tx: Transition, binding: str, name: str) -> None:
        """See Tracer."""
        if self.level < OPS or self._is_hidden(tx):
            return
        self._decided(tx, self._book(tx.machine))
        found = (b.number for b in tx.machine._bindings if b.id == binding)
        self._say(tx, OPS, f"[handler:{next(found, -1)}] {name}")

    def transition_finals(self, tx: Transition) -> None:
        """See Tracer."""
        if self.level < CHANGES:
            return
        self._decided(tx, self._book(tx.machine))
        self._settled(tx)
        enters, exits = tx.enters, tx.exits
        moved = [*(f"+{name}" for name in enters), *(f"-{name}" for name in exits)]
        if moved and self.level >= EVERYTHING:
            before = set(tx.states_before)
            moved += [name for name in tx.target_states if name in before]
        if moved:
            tag = "auto_" if tx.is_auto else "state"
            suffix = args_suffix(self._args_of(tx.args))
            self._say(tx, CHANGES, f"[{tag}] {' '.join(moved)}{suffix}")
        if "Exception" in enters:
            self._error(tx)

    def transition_end(self, tx: Transition) -> None:
        """See Tracer."""
        book = self._book(tx.machine)
        if book.tx is not tx:  # bound in its midst
            book.begin(tx)
        self._decided(tx, book)
        if not tx.has_moved:
            self._settled(tx)
        book.taken, book.pre = book.pre, []

    # -- what was decided

    def _say(self, tx: Transition, level: int, text: str) -> None:
        book = self._books[tx.machine.id]
        if level <= self.level and book.tx is tx:
            book.logs.append(LogLine(level, text))

    def _is_hidden(self, tx: Transition) -> bool:
        return not self._checks and tx.is_check

    def _names(self, tx: Transition, indexes: Iterable[int]) -> str:
        names = tx.machine.names
        return " ".join(names[i] for i in indexes)

    def _settled(self, tx: Transition) -> None:
        """TX-7: an auto transition resolves again from what negotiation left."""
        plan = tx.plan
        if self.level < OPS or plan.kind != AUTO:
            return
        dropped = {action.state for _, action in tx.vetoes}
        left = tuple(i for i in plan.called.order if i in plan.targets and i not in dropped)
        self._resolved(tx, replay(tx.machine._compiled, ADD, left, plan.config.order))

    def _resolved(self, tx: Transition, found: Replay) -> None:
        first, second = found.rejects
        self._rejected(tx, first)
        for i, by in found.blocked.items():
            level = OPS if i in found.active else DECISIONS
            self._say(tx, level, f"[rel:remove] {self._names(tx, [i])} by {self._names(tx, by)}")
        self._rejected(tx, second)

    def _rejected(self, tx: Transition, rejects: Mapping[int, Sequence[int]]) -> None:
        if not rejects:
            return
        names, states = tx.machine.names, tx.machine._compiled.schema
        parts = []
        for i, missing in rejects.items():
            unknown = iter([n for n in states[names[i]].require if n not in states])
            lacks = " ".join(f"-{names[j] if j >= 0 else next(unknown, '')}" for j in missing)
            parts.append(f"{names[i]}({lacks})")
        tag, level = ("reject:auto", DECISIONS) if tx.is_auto else ("reject", OPS)
        self._say(tx, level, f"[{tag}] {' '.join(parts)}")

    def _decided(self, tx: Transition, book: _Book) -> None:
        """Vetoes and failures that happened since the last line."""
        if book.tx is not tx or (len(tx.vetoes) == book.vetoes and tx.failure is None):
            return
        targets = f"({self._names(tx, tx.plan.targets)})"
        for _, action in tx.vetoes[book.vetoes :]:
            how = ":self" if action.phase == SELF else ""
            if not self._is_hidden(tx):
                self._say(tx, OPS, f"[cancel{how}] {targets} by {action.name}")
        book.vetoes = len(tx.vetoes)
        if tx.failure is not None and not book.has_failed:
            book.has_failed = True
            book.failed = tx.id, str(tx.type)
            self._failed(tx, targets)

    def _failed(self, tx: Transition, targets: str) -> None:
        assert tx.failure is not None
        handler, action, error = tx.failure
        if isinstance(error, HandlerTimeoutError):
            self._say(tx, OPS, f"[cancel] {targets} by timeout")
            text = f"[handler:timeout]: {handler.name} from {handler.binding}"
            self._say(tx, DECISIONS, text)
        else:
            self._say(tx, OPS, "[recover] handling panic...")
            self._say(tx, OPS, f"[cancel] {targets} by recover")
        if not tx.has_moved:
            self._say(tx, OPS, f"[cancel] {targets} by {action.name}")
        elif action.phase == STATE:
            enters = tx.outcome.enters if tx.outcome is not None else ()
            gone = enters[enters.index(action.state) :] if action.state in enters else ()
            stays = [i for i in tx.plan.targets if i not in gone]
            text = f"[recover] partial final states as ({self._names(tx, stays)})"
            self._say(tx, OPS, text)
            self._say(tx, CHANGES, f"[state] {' '.join(f'-{tx.machine.names[i]}' for i in gone)}")

    def _error(self, tx: Transition) -> None:
        """ERR-5: what the original's default handler of Exception says."""
        try:
            what = parse_args(AException, tx.args)
        except ArgsError:
            return
        if what.err is None:
            self._say(tx, CHANGES, "[error] missing error")
            return
        message = str(what.err) or type(what.err).__name__
        if not what.handler:
            self._say(tx, CHANGES, f"[error] {message}")
            return
        failed, kind = self._books[tx.machine.id].failed
        kind = kind if tx.source is not None and tx.source.tx_id == failed else "add"
        self._say(tx, CHANGES, f"[error:{kind}] {' '.join(what.called)} ({message})")

    # -- pipes

    def _pipe(self, machine: MachineView, record: PipeRecord, gone: bool) -> None:
        is_out = record.source_id == machine.id
        other = record.target_id if is_out else record.source_id
        if not gone:
            end = f"out:{record.op}] {record.source_state} to"
            start = f"in:{record.op}] {record.target_state} from"
            self.write(machine, OPS, f"[pipe-{end if is_out else start} {other}")
            return
        left = (*machine.pipes.out, *machine.pipes.into)
        if not any(other in (r.target_id, r.source_id) for r in left):
            self.write(machine, OPS, f"[pipe:gc] {other}")


def args_suffix(args: Mapping[str, str]) -> str:
    """` (k=v k2=v2)` for a line, sorted by key, values cut to 20 characters (LOG-4)."""
    if not args:
        return ""
    return f" ({' '.join(f'{key}={_cut(args[key])}' for key in sorted(args))})"


def _cut(text: str) -> str:
    return text if len(text) <= _CUT else text[: _CUT - 3] + "..."
