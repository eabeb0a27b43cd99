"""What relations alone can tell of a state, and in which words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from amctl.machine._replay import replay
from amctl.machine.errors import UnknownStateError
from amctl.machine.explanation import Blamed, Explanation, Kind
from amctl.machine.plan import ActiveSet, Called
from amctl.machine.reasons import explain as refused
from amctl.machine.relations import ADD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.machine.compiled import Compiled

__all__ = [
    "active_now",
    "by_relations",
    "explain_by_relations",
    "few",
    "free",
    "listed",
    "told",
    "untried",
    "while_",
]


def explain_by_relations(
    machine_id: str, schema: Compiled, ticks: Sequence[int], state: str
) -> Explanation:
    """Why a state is as it is, by schema and clock alone: of a mirror, or in a recording.

    Of handlers, the queue and what has happened nothing is known, and nothing is said.

    Raises:
        UnknownStateError: The schema has no such state.
    """
    index = schema.index.get(state)
    if index is None:
        raise UnknownStateError(machine_id, [state], schema.names)
    order = tuple(i for i, tick in enumerate(ticks) if tick & 1 and i < len(schema.names))
    active = ActiveSet(order, sum(1 << i for i in order))
    tick = ticks[index] if index < len(ticks) else 0
    auto = bool(schema.auto >> index & 1)
    base = Explanation(machine_id, state, "add", Kind.ENDED, "", tick=tick, auto=auto)
    if base.is_active:
        return active_now(base, schema, active, index)
    found = by_relations(base, schema, active, index)
    return found or (untried(base) if auto else free(base, schema, active, index))


def untried(base: Explanation) -> Explanation:
    """An auto state that nothing refuses."""
    text = f"{base.state} is not active, though nothing refuses it: the next change has it tried"
    remedy = f"any mutation that moves a clock of {base.machine}, or add {base.state} by hand"
    return replace(base, kind=Kind.AUTO, sentence=text, remedy=remedy)


def active_now(base: Explanation, schema: Compiled, active: ActiveSet, index: int) -> Explanation:
    times = (base.tick + 1) // 2
    how = "" if times == 1 else f", for the {nth(times)} time"
    by = tuple(schema.names[i] for i in active.order if index in schema.add[i])
    why = f"; {listed(by)} implies it" if by else ""
    if base.auto:
        needs = schema.schema[base.state].require
        why += f"; as an auto state it comes with {listed(needs)}" if needs else "; it is auto"
    text = f"{base.state} is active{how}{why}"
    return replace(base, kind=Kind.ACTIVE, sentence=text, implied_by=by)


def by_relations(
    base: Explanation, schema: Compiled, active: ActiveSet, index: int
) -> Explanation | None:
    reason = refused(schema, active, ADD, Called(schema, (index,)))
    if reason is None:
        return None
    kind = Kind(reason.kind)
    if kind is Kind.REQUIRE:
        known = schema.index
        blame = tuple(Blamed(name, wanted=True, exists=name in known) for name in reason.by)
        missing = [b.state for b in blame if not b.exists]
        remedy = f"add {listed(reason.by)}"
        if missing:
            remedy = f"mend the schema, which has no state {listed(missing)}"
    else:
        blame = tuple(Blamed(name, wanted=False) for name in reason.by)
        remedy = f"remove {listed(reason.by)}"
    text = f"{base.state} is not active: {reason}"
    return replace(base, kind=kind, sentence=text, remedy=remedy, reason=reason, blame=blame)


def free(base: Explanation, schema: Compiled, active: ActiveSet, index: int) -> Explanation:
    """Nothing refuses it."""
    implying = (i for i in range(len(schema.names)) if index in schema.add[i])
    by = tuple(schema.names[i] for i in implying if _brings(schema, active, i, index))
    kind = Kind.ENDED if base.tick else Kind.NEVER_ASKED
    if base.tick:
        times = base.tick // 2
        often = "once" if times == 1 else f"{times} times"
        text = f"{base.state} was active {often}, was removed, and nothing has added it since"
    else:
        text = f"{base.state} never was active: nothing has added it, and nothing refuses it"
    remedy = f"add {base.state}"
    if by:
        remedy += f", or {listed(by, 'or')}, which brings it"
    return replace(base, kind=kind, sentence=text, remedy=remedy, implied_by=by)


def _brings(schema: Compiled, active: ActiveSet, i: int, index: int) -> bool:
    """Whether adding one state would activate the other: not if it is active, or refused itself."""
    targets = replay(schema, ADD, (i,), active.order).targets
    return i in targets and index in targets


# -- words


def told(error: BaseException | None) -> str:
    if error is None:
        return ""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def while_(handler: str, binding: str) -> str:
    return f", while handler {handler} of binding {binding} runs" if handler else ""


def few(items: Sequence[str], most: int = 3) -> tuple[str, ...]:
    left = len(items) - most
    return (*items[:most], f"{left} more") if left > 0 else tuple(items)


def listed(names: Sequence[str], word: str = "and") -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {word} {names[-1]}"


def nth(number: int) -> str:
    last = "th" if number // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{last}"
