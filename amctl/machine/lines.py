"""Lines of a machine's log (section 21), made by a tracer: machines themselves write none."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from amctl.machine._candidates import candidates
from amctl.machine._line import (
    CHANGES,
    DECISIONS,
    EVERYTHING,
    OPS,
    USER,
    LogLine,
    auto_lines,
    line,
    relation_lines,
    stack,
)
from amctl.machine.args import AException, loggable, parse_args
from amctl.machine.errors import ArgsError, HandlerTimeoutError
from amctl.machine.handlers import SELF, STATE
from amctl.machine.plan import AUTO, CHECK_ADD, CHECK_REMOVE
from amctl.machine.schema import EXCEPTION
from amctl.machine.tracer import Tracer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Self

    from amctl.machine._candidates import Candidate
    from amctl.machine.event import Mutation
    from amctl.machine.pipes import PipeRecord
    from amctl.machine.plan import Called
    from amctl.machine.transition import Transition
    from amctl.machine.view import MachineView

    Sink = Callable[[int, str], object]

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

_KEPT = 1000
"""Lines that wait for a transition, the newest ones."""
_CUT = 20
_REPEATED = ("[pipe-", "[ctx", "[when")
_VERBS = ("add", "remove", "set", "add", "remove", "add")  # by a plan's kind
_QUEUED = tuple(f"queue:{verb}" for verb in _VERBS)
_PREPENDED = tuple(f"prepend:{verb}" for verb in _VERBS)
_CHECKS = (CHECK_ADD, CHECK_REMOVE)


class _Book:
    """The lines of one machine: of its last transition, and since."""

    __slots__ = ("failed", "has_failed", "is_over", "logs", "machine_id", "pre", "sink",
                 "taken", "tx", "unwatch", "vetoes", "walk")  # fmt: skip

    def __init__(self, machine_id: str, sink: Sink | None) -> None:
        self.machine_id, self.sink = machine_id, sink
        self.walk: Iterator[Candidate | None] = iter(())
        """What is still to be looked for in `tx`, at level 5."""
        self.tx: Transition | None = None
        self.logs: list[LogLine] = []
        self.pre: list[LogLine] = []
        self.taken: list[LogLine] = []
        """Lines since the transition before `tx`, once that is over."""
        self.vetoes = 0
        """How many of its vetoes are written already."""
        self.has_failed = self.is_over = False
        self.failed = ("", "")
        """Id and type of the last transition that failed."""
        self.unwatch: Callable[[], None] | None = None

    def begin(self, tx: Transition) -> None:
        """Its lines from now on."""
        self.tx, self.taken = tx, []
        self.logs = [] if self.sink is None else _Told(self.machine_id, self.sink)
        self.vetoes, self.has_failed = 0, False
        self.is_over = False

    def put(self, line: LogLine) -> None:
        """To the running transition, else to the next one (LOG-3)."""
        if self.tx is not None and not self.tx.is_completed:
            self.logs.append(line)
        elif not self.pre or self.pre[-1].text != line.text or line.text.startswith(_REPEATED):
            if len(self.pre) >= _KEPT:
                del self.pre[0]
            self.pre.append(line)
            if self.sink is not None:
                self.sink(line.level, line.full(self.machine_id))


class _Told(list[LogLine]):
    """Lines that go somewhere else as well, as they come."""

    def __init__(self, machine_id: str, sink: Sink) -> None:
        super().__init__()
        self._id, self._sink = machine_id, sink

    def append(self, line: LogLine) -> None:
        super().append(line)
        self._sink(line.level, line.full(self._id))

    def __iadd__(self, lines: Iterable[LogLine]) -> Self:  # type: ignore[override, misc]  # lines
        for one in lines:
            self.append(one)
        return self


@lru_cache(maxsize=4096)
def _calling(tag: str, called: Called) -> LogLine:
    """As `line`, for what comes again and again: lists of called states are told by identity."""
    return line(OPS, tag, called.names)


@lru_cache(maxsize=64)
def _postponed(count: int) -> LogLine:
    items = f"({count} item{'s' if count > 1 else ''})"
    return LogLine(OPS, f"[postpone] queue running {items}")


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
        stacks: bool = False,
        sink: Sink | None = None,
        id: str = "lines",
    ) -> None:
        """Args:
        level: Lines above it aren't written; may be changed at any time.
        args_of: What is shown of a mutation's arguments.
        checks: Whether questions (Can*) are written, too.
        stacks: Whether errors and breakpoints are written with where they come from, on further
            lines.
        sink: Gets level and text of each line as it is written, with the machine's id in front;
            level 0 is silence.
        id: Of the tracer.
        """
        self.id = id
        self.level = level
        self._args_of = args_of
        self._checks = checks
        self._stacks = stacks
        self._sink = sink
        self._books: dict[str, _Book] = {}
        self._args: Mapping[str, Any] | None = None
        self._suffix = ""

    def take(self, tx: Transition) -> tuple[tuple[LogLine, ...], tuple[LogLine, ...]]:
        """Lines written before a transition and during it, once it has ended (LOG-3)."""
        book = self._books.get(tx.machine.id)
        if book is None or book.tx is not tx:
            return (), ()
        return tuple(book.taken), tuple(book.logs)

    def follow(self, machine: MachineView) -> None:
        """Write of the machine's pipes, those that it has first.

        For machines with this tracer among their options it happens by itself.
        """
        book = self._book(machine)
        if book.unwatch is not None:
            return
        for record in dict.fromkeys((*machine.pipes.out, *machine.pipes.into)):
            self._pipe(machine, record, gone=False)
        book.unwatch = machine.pipes.watch(lambda record, gone: self._pipe(machine, record, gone))

    def forget(self, machine_id: str) -> None:
        """Let a machine go that lives on."""
        book = self._books.pop(machine_id, None)
        if book is not None and book.unwatch is not None:
            book.unwatch()

    def write(self, machine: MachineView, level: int, text: str) -> None:
        """Add a line, if the level says so."""
        if level <= self.level:
            self._book(machine).put(LogLine(level, text))

    def _book(self, machine: MachineView) -> _Book:
        book = self._books.get(machine.id)
        if book is None:
            book = self._books[machine.id] = _Book(machine.id, self._sink)
        return book

    # -- hooks

    def machine_init(self, machine: MachineView) -> None:
        """See Tracer."""
        self.follow(machine)

    def machine_dispose(self, machine_id: str) -> None:
        """See Tracer."""
        self.forget(machine_id)

    def log_line(self, machine: MachineView, level: int, text: str) -> None:
        """See Tracer."""
        if level > self.level:
            return
        book = self._book(machine)
        if book.tx is not None and not book.tx.is_completed:
            self._decided(book.tx, book)
        if text.startswith("[breakpoint]") and self._stacks:
            text = f"{text}\n{stack()}"
        book.put(LogLine(level, text))

    def mutation_queued(self, machine: MachineView, mutation: Mutation) -> None:
        """See Tracer."""
        kind, level = mutation.kind, self.level
        if level < OPS or (kind in _CHECKS and not self._checks):
            return
        book, called = self._books.get(machine.id) or self._book(machine), mutation.called
        tx = book.tx
        if tx is not None and not tx.is_completed:
            self._decided(tx, book)
        if kind == AUTO:
            if level >= EVERYTHING and tx is not None:
                self._over(tx, book)
            book.put(_calling("auto", called))
        tags = _QUEUED if mutation.queue_tick else _PREPENDED
        if mutation.args:
            book.put(line(OPS, tags[kind], called.names, self._shown(mutation.args)))
        else:
            book.put(_calling(tags[kind], called))
        waiting = getattr(machine, "_queue", None)
        if waiting and (waiting[-1] is mutation or waiting[0] is mutation):
            book.put(_postponed(mutation.queue_len))

    def transition_init(self, tx: Transition) -> None:
        """See Tracer."""
        machine, plan, level = tx.machine, tx.plan, self.level
        book = self._books.get(machine.id) or self._book(machine)
        book.begin(tx)
        if level < OPS or self._is_hidden(tx) or not hasattr(plan, "config"):
            return  # a mirror's transition has none
        logs = book.logs
        if plan.kind == AUTO:
            if level >= DECISIONS:
                logs.append(line(DECISIONS, "add:auto", plan.called.names, self._shown(tx.args)))
        elif tx.args:
            logs.append(line(OPS, _VERBS[plan.kind], plan.called.names, self._shown(tx.args)))
        else:
            logs.append(_calling(_VERBS[plan.kind], plan.called))
        if (source := tx.source) is not None:
            text = f"[source] {source.machine_id}/{source.tx_id}/{source.time}"
            logs.append(LogLine(OPS, text))
        kept = plan.kept.get(level) if plan.kept is not None else None
        if kept is None:
            kept = plan.keep(level, self._relations(tx))
        if kept:
            logs += kept
        if level >= EVERYTHING:
            book.walk = candidates(tx) if plan.accepted else iter(())

    def handler_start(self, tx: Transition, binding: str, name: str) -> None:
        """See Tracer."""
        book = self._book(tx.machine)
        if self.level < OPS or book.tx is not tx or self._is_hidden(tx):
            return
        self._decided(tx, book)
        if self.level >= EVERYTHING:
            self._looked_for(book, (binding, name))
        number = -1
        for one in tx.machine._bindings:
            if one.id == binding:
                number = one.number
        book.logs.append(line(OPS, f"handler:{number}", (name,)))

    def handler_end(self, tx: Transition, binding: str, name: str) -> None:
        """See Tracer."""
        if self.level >= EVERYTHING and not self._is_hidden(tx):
            self._book(tx.machine).put(LogLine(EVERYTHING, f"[handler:end] {name} from {binding}"))

    def transition_finals(self, tx: Transition) -> None:
        """See Tracer."""
        machine, level = tx.machine, self.level
        book = self._books.get(machine.id) or self._book(machine)
        if level < CHANGES or book.tx is not tx:
            return
        if level >= EVERYTHING:
            self._looked_for(book, None)
        if tx.vetoes or tx.failure is not None:
            self._decided(tx, book)
        plan = tx.plan
        if tx.args or tx.vetoes or tx.outcome is None or tx.outcome is not plan.outcome:
            lines, is_error = self._changes(tx)
        else:
            key = "moved", level
            kept = plan.kept.get(key) if plan.kept is not None else None
            lines, is_error = plan.keep(key, self._changes(tx)) if kept is None else kept
        book.logs += lines
        if is_error:
            self._error(tx, book)

    def _changes(self, tx: Transition) -> tuple[tuple[LogLine, ...], bool]:
        """What is written when clocks have moved, and whether Exception is entered."""
        enters = tx.enters
        moved = [f"+{name}" for name in enters] + [f"-{name}" for name in tx.exits]
        if moved and self.level >= EVERYTHING:
            before = set(tx.states_before)
            moved += [name for name in tx.target_states if name in before]
        lines = self._settled(tx)
        if moved:
            tag = "auto_" if tx.plan.kind == AUTO else "state"
            lines = (*lines, line(CHANGES, tag, tuple(moved), self._shown(tx.args)))
        return lines, EXCEPTION in enters

    def transition_end(self, tx: Transition) -> None:
        """See Tracer."""
        machine = tx.machine
        book = self._books.get(machine.id) or self._book(machine)
        if book.tx is not tx:  # bound in its midst
            book.begin(tx)
        if self.level >= EVERYTHING:
            self._over(tx, book)
        if tx.vetoes or tx.failure is not None:
            self._decided(tx, book)
        if not tx.has_moved and not self._is_hidden(tx):
            book.logs += self._settled(tx)
        book.taken, book.pre = book.pre, []

    # -- what was decided

    def _over(self, tx: Transition, book: _Book) -> None:
        """At level 5, once: what else was looked for, and which auto states aren't tried."""
        if book.is_over:
            return
        book.is_over = True
        if tx.is_accepted and hasattr(tx.plan, "config"):
            self._looked_for(book, None, to_the_end=tx.has_moved)
            if tx.has_moved:
                book.logs += auto_lines(tx)
        book.walk = iter(())

    def _looked_for(
        self, book: _Book, found: Candidate | None, *, to_the_end: bool = False
    ) -> None:
        """HND-13: candidates up to one that exists, to where clocks move, or all that are left."""
        for candidate in book.walk:
            if candidate is not None:
                binding, name = candidate
                book.logs.append(LogLine(EVERYTHING, f"[handle:{binding}] {name}"))
            if candidate == found and not to_the_end:
                break

    def _is_hidden(self, tx: Transition) -> bool:
        return not self._checks and tx.plan.kind in _CHECKS

    def _shown(self, args: Mapping[str, Any]) -> str:
        """The suffix of arguments; asked up to three times in a row for the same ones."""
        if not args:
            return ""
        if args is not self._args:
            self._suffix, self._args = args_suffix(self._args_of(args)), args
        return self._suffix

    def _relations(self, tx: Transition) -> tuple[LogLine, ...]:
        """What relations have to say of a plan."""
        plan = tx.plan
        lines = self._resolved(tx, plan.called.order)
        if plan.accepted:
            return lines
        missing = tuple(tx._names(i for i in plan.called.order if i not in plan.targets))
        return (*lines, line(OPS, "cancel:reject", missing))

    def _resolved(
        self, tx: Transition, called: tuple[int, ...], again: bool = False
    ) -> tuple[LogLine, ...]:
        plan = tx.plan
        found = relation_lines(tx.machine._compiled, plan.kind, called, plan.config.order, again)
        return tuple([one for one in found if one.level <= self.level])

    def _settled(self, tx: Transition) -> tuple[LogLine, ...]:
        """TX-7: an auto transition resolves again from what negotiation left."""
        plan = tx.plan
        if self.level < OPS or plan.kind != AUTO:
            return ()
        key = "settled", self.level, *(action.state for _, action in tx.vetoes)
        kept: tuple[LogLine, ...] | None = plan.kept.get(key) if plan.kept is not None else None
        if kept is None:
            left = [i for i in plan.called.order if i in plan.targets and i not in key[2:]]
            kept = plan.keep(key, self._resolved(tx, tuple(left), again=True))
        return kept

    def _decided(self, tx: Transition, book: _Book) -> None:
        """Vetoes and failures that happened since the last line."""
        if (len(tx.vetoes) == book.vetoes and tx.failure is None) or self.level < CHANGES:
            return
        targets = f"({_joined(tx, tx.plan.targets)})"
        vetoes, book.vetoes = tx.vetoes[book.vetoes :], len(tx.vetoes)
        for _, action in vetoes if not self._is_hidden(tx) else ():
            how = ":self" if action.phase == SELF else ""
            self._say(book, OPS, f"[cancel{how}] {targets} by {action.name}")
        if tx.failure is not None and not book.has_failed:
            book.has_failed = True
            book.failed = tx.id, str(tx.type)
            self._failed(tx, book, targets)

    def _say(self, book: _Book, level: int, text: str) -> None:
        if level <= self.level:
            book.logs.append(LogLine(level, text))

    def _failed(self, tx: Transition, book: _Book, targets: str) -> None:
        """PAN-2 to PAN-7."""
        assert tx.failure is not None
        handler, action, error = tx.failure
        if isinstance(error, HandlerTimeoutError):
            self._say(book, OPS, f"[cancel] {targets} by timeout")
            text = f"[handler:timeout]: {handler.name} from {handler.binding}"
            self._say(book, DECISIONS, text)
        else:
            self._say(book, OPS, "[recover] handling panic...")
            self._say(book, OPS, f"[cancel] {targets} by recover")
        out = tx.outcome
        if not tx.has_moved or out is None:
            self._say(book, OPS, f"[cancel] {targets} by {action.name}")
        elif action.phase == STATE:
            gone = out.enters[out.enters.index(action.state) :]
            stays = _joined(tx, (i for i in out.targets if i not in gone))
            self._say(book, OPS, f"[recover] partial final states as ({stays})")
            left = " ".join(f"-{name}" for name in tx._names(gone))
            self._say(book, CHANGES, f"[state] {left}")

    def _error(self, tx: Transition, book: _Book) -> None:
        """ERR-5: what the original's default handler of Exception says."""
        try:
            what = parse_args(AException, tx.args)
        except ArgsError:
            return
        if what.err is None:
            self._say(book, CHANGES, "[error] no error came with it")
            return
        message = str(what.err) or type(what.err).__name__
        trace = f"\n{what.trace.rstrip()}" if self._stacks else ""
        if not what.handler:
            self._say(book, CHANGES, f"[error] {message}{trace}")
            return
        failed, verb = book.failed
        verb = verb if tx.source is not None and tx.source.tx_id == failed else "add"
        self._say(book, CHANGES, f"[error:{verb}] {' '.join(what.called)} ({message}){trace}")

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


def _joined(tx: Transition, indexes: Iterable[int]) -> str:
    return " ".join(tx._names(indexes))


def args_suffix(args: Mapping[str, str]) -> str:
    """` (k=v k2=v2)` for a line, sorted by key, values cut to 20 characters (LOG-4)."""
    if not args:
        return ""
    return f" ({' '.join(f'{key}={_cut(args[key])}' for key in sorted(args))})"


def _cut(text: str) -> str:
    return text if len(text) <= _CUT else text[: _CUT - 3] + "..."
