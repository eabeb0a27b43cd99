"""Resolved transitions: what a call does to an ordered set of active states.

A `Config` is one ordered set of active states, kept once per planner, so that an identical
situation is an identical object. It holds the plans which were seen twice from there. Everything
here is a pure function of schema and handlers; with no cache at all, machines behave the same.

So machines of one schema that have no handlers share their planner, also those of other threads:
two of them at once may make the same thing twice, which only costs time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

from amctl.machine.handlers import HandlerTable
from amctl.machine.relations import ADD, REMOVE, SET, Resolver
from amctl.machine.result import CANCELED, EXECUTED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amctl.machine.compiled import Compiled
    from amctl.machine.handlers import Action, Binding, Finals
    from amctl.machine.result import Result

__all__ = [
    "AUTO",
    "CHECK_ADD",
    "CHECK_REMOVE",
    "MAX_CALLED",
    "RELATION_KIND",
    "ActiveSet",
    "Called",
    "Config",
    "Outcome",
    "Plan",
    "Planner",
    "planner_of",
]

CHECK_ADD, CHECK_REMOVE, AUTO = 3, 4, 5
RELATION_KIND = (ADD, REMOVE, SET, ADD, REMOVE, ADD)
T = TypeVar("T")
_SEEN: Any = object()
MAX_CALLED = 8192
"""How many lists of called states a schema keeps, by names and by indexes together."""


class Called:
    """An interned list of called states: compared by identity."""

    __slots__ = ("health", "mask", "names", "order")

    def __init__(self, schema: Compiled, order: tuple[int, ...]) -> None:
        self.order = order
        self.names = tuple(schema.names[i] for i in order)
        self.mask = sum(1 << i for i in order)
        self.health = self.names in (("Healthcheck",), ("Heartbeat",))

    def tick(self, clock: Sequence[int]) -> int:
        """The tick of the first one; 0 if there is none."""
        return clock[self.order[0]] if self.order else 0


class ActiveSet:
    """The active states of one moment, in the machine's own order and as a mask."""

    __slots__ = ("mask", "order")

    def __init__(self, order: tuple[int, ...], mask: int) -> None:
        self.order = order
        self.mask = mask


class Config(ActiveSet):
    """An interned set, with everything that was found out about calls from there."""

    __slots__ = ("auto_called", "known", "plans")

    def __init__(self, order: tuple[int, ...], mask: int) -> None:
        super().__init__(order, mask)
        self.reset()

    def reset(self) -> None:
        """Forget the plans."""
        self.plans: dict[tuple[int, Called], Any] = {}
        # admitted plans by what callers pass, for each of ADD, REMOVE and SET
        self.known: tuple[dict[object, Plan], ...] = ({}, {}, {})
        self.auto_called: Called | Literal[False] | None = False  # False: not computed


class Outcome:
    """The effect of accepted targets: who leaves and enters, which clocks tick."""

    __slots__ = (
        "_changed",
        "enters",
        "exits",
        "finals",
        "follow",
        "next",
        "result",
        "targets",
        "ticks",
    )

    targets: tuple[int, ...]
    exits: tuple[int, ...]
    enters: tuple[int, ...]
    ticks: tuple[int, ...]
    next: Config
    finals: Finals
    follow: Called | None  # auto states to try afterwards
    result: Result

    def __init__(self) -> None:
        self._changed: tuple[tuple[int, int], ...] | None = None

    @property
    def changed(self) -> tuple[tuple[int, int], ...]:
        """Each state that ticks, with its increment."""
        if self._changed is None:
            counts: dict[int, int] = {}
            for i in self.ticks:
                counts[i] = counts.get(i, 0) + 1
            self._changed = tuple(sorted(counts.items()))
        return self._changed


class Plan:
    """What one call does from one set of active states."""

    __slots__ = (
        "accepted",
        "called",
        "config",
        "enters",
        "exits",
        "kept",
        "kind",
        "negotiation",
        "outcome",
        "plain",
        "quick",
        "targets",
    )

    kind: int
    called: Called
    config: Config
    targets: tuple[int, ...]
    exits: tuple[int, ...]
    enters: tuple[int, ...]
    accepted: bool
    negotiation: tuple[Action, ...]
    outcome: Outcome | None
    plain: bool  # no handler answers any of its events
    # (ticks, next config, result) of a plain plan and of the plain auto plan after it
    quick: tuple[tuple[int, ...], Config, Result] | None
    # what tracers worked out from the plan alone, by whatever else it depends on (`keep`)
    kept: dict[Any, Any] | None

    def keep(self, key: object, found: T) -> T:
        """Keep something for the plan's next run; it is looked up in `kept`."""
        if self.kept is None:
            self.kept = {}
        self.kept[key] = found
        return found


def planner_of(
    schema: Compiled,
    bindings: Sequence[Binding],
    limit: int,
    resolver: Callable[[Compiled], Resolver],
) -> Planner:
    """The planner of a machine that has these handlers. See `Planner`."""
    if bindings or resolver is not Resolver:
        return Planner(schema, HandlerTable(schema.names, bindings), limit, resolver)
    found = schema.planners.get(limit)
    if found is None:
        found = Planner(schema, HandlerTable(schema.names, ()), limit)
        schema.planners[limit] = found
    return found


class Planner:
    """Makes plans, interns configs, keeps both within a bound.

    Args:
        schema: What relations say.
        table: Whom to ask and to tell.
        limit: How many plans and configs to keep; 0 keeps no plans.
        resolver: What makes the resolver (REL-16).
    """

    def __init__(
        self,
        schema: Compiled,
        table: HandlerTable,
        limit: int = 4096,
        resolver: Callable[[Compiled], Resolver] = Resolver,
    ) -> None:
        self.schema = schema
        self.resolver = resolver(schema)
        self.table = table
        self.limit = limit
        self._configs: dict[tuple[int, ...], Config] = {}
        self._stored = 0

    def forget(self) -> None:
        """Drop all the configs and plans; those in use stay valid."""
        self._configs.clear()
        self._stored = 0

    def called(self, order: tuple[int, ...]) -> Called:
        """The interned list of called states."""
        interned = self.schema.called
        found = interned.get(order)
        if found is None:
            if len(interned) > MAX_CALLED:
                interned.clear()
                self.forget()
            found = interned[order] = Called(self.schema, order)
        return found

    def config(self, order: tuple[int, ...]) -> Config:
        """The interned set of active states."""
        found = self._configs.get(order)
        if found is None:
            mask = 0
            for i in order:
                mask |= 1 << i
            found = self._configs[order] = Config(order, mask)
            self._stored += 1
        return found

    def plan(self, config: Config, kind: int, called: Called) -> Plan:
        """What a call does; kept from its second sighting on."""
        if not self.limit:
            return self._make(config, kind, called)
        key = kind, called
        found: Any = config.plans.get(key)
        if found is None:  # first sighting: leave a mark only
            if self._stored >= self.limit:
                self.forget()
                self._configs[config.order] = config
                config.reset()
            self._stored += 1
            config.plans[key] = _SEEN
            return self._make(config, kind, called)
        if found is _SEEN:
            found = config.plans[key] = self._make(config, kind, called)
            if found.plain:
                found.quick = self._quick(found)
        plan: Plan = found
        return plan

    def is_admitted(self, plan: Plan) -> bool:
        """Whether the plan is kept, so that callers may keep it too."""
        return plan.config.plans.get((plan.kind, plan.called)) is plan

    def _quick(self, plan: Plan) -> tuple[tuple[int, ...], Config, Result] | None:
        out = plan.outcome
        if not plan.accepted or out is None or plan.kind == AUTO:
            return None  # what is refused is remembered
        if out.follow is None:
            return out.ticks, out.next, out.result
        auto = self.plan(out.next, AUTO, out.follow)
        if not auto.plain:
            return None
        if not auto.accepted or auto.outcome is None:
            return out.ticks, out.next, out.result
        return out.ticks + auto.outcome.ticks, auto.outcome.next, out.result

    def auto_called(self, config: Config) -> Called | None:
        """AUT-2; None if there is nothing to try."""
        found = config.auto_called
        if found is False:
            order = self.resolver.autos(config.order, config.mask)
            found = config.auto_called = self.called(order) if order else None
        return found

    def _make(self, config: Config, kind: int, called: Called) -> Plan:
        relation = RELATION_KIND[kind]
        order, mask = self.resolver.targets(
            relation, called.order, called.mask, config.order, config.mask
        )
        plan = Plan()
        plan.kind, plan.called, plan.config = kind, called, config
        plan.targets = tuple(order)
        plan.accepted = self._accepts(kind, called, mask)
        plan.quick = plan.outcome = plan.kept = None
        if not plan.accepted:
            plan.exits = plan.enters = plan.negotiation = ()
            plan.plain = True
            return plan
        plan.exits, plan.enters = self._moves(config, called, plan.targets, mask)
        plan.negotiation = self.table.negotiation(
            plan.exits, plan.enters, plan.targets, config.order, config.mask, relation == REMOVE
        )
        if kind == AUTO:
            left = called
            if called.mask & ~mask:
                left = self.called(tuple(i for i in called.order if mask >> i & 1))
            plan.outcome = self.settle(config, left)
            if not plan.outcome.targets and not plan.negotiation:
                plan.accepted = False
        elif kind not in (CHECK_ADD, CHECK_REMOVE):
            moves = plan.exits, plan.enters
            plan.outcome = self._outcome(config, kind, called, (plan.targets, mask), moves)
        plan.plain = not plan.negotiation and not (plan.outcome and plan.outcome.finals)
        return plan

    def _accepts(self, kind: int, called: Called, mask: int) -> bool:
        """REL-13, REL-14, CAN-4."""
        if RELATION_KIND[kind] == REMOVE:
            return True
        if kind == AUTO:
            return bool(mask & called.mask)
        if not called.mask & ~mask:
            return True
        return kind == CHECK_ADD and bool(called.mask & self.schema.multi)

    def settle(self, config: Config, left: Called) -> Outcome:
        """TX-7: an auto transition resolves again from what negotiation left."""
        order, mask = self.resolver.targets(ADD, left.order, left.mask, config.order, config.mask)
        targets = tuple(order)
        moves = self._moves(config, left, targets, mask)
        return self._outcome(config, AUTO, left, (targets, mask), moves)

    def _moves(
        self, config: Config, called: Called, targets: tuple[int, ...], mask: int
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Exits and enters (REL-12)."""
        left = config.mask & ~mask
        exits: tuple[int, ...] = ()
        if left:
            exits = tuple(self.resolver.sort([i for i in config.order if left >> i & 1], left))
        entering = (mask & ~config.mask) | (mask & called.mask & self.schema.multi)
        return exits, tuple(i for i in targets if entering >> i & 1) if entering else ()

    def _outcome(
        self,
        config: Config,
        kind: int,
        called: Called,
        targets: tuple[tuple[int, ...], int],
        moves: tuple[tuple[int, ...], tuple[int, ...]],
    ) -> Outcome:
        out = Outcome()
        out.targets, mask = targets
        out.exits, out.enters = exits, enters = moves
        out.ticks = exits + enters + tuple(i for i in enters if config.mask >> i & 1)
        out.next = self.config(out.targets)
        out.finals = self.table.finals(exits, enters)
        out.result = CANCELED if kind == REMOVE and called.mask & mask else EXECUTED
        out.follow = None
        if out.ticks and kind != AUTO and self.schema.auto and not (kind == ADD and called.health):
            out.follow = self.auto_called(out.next)  # AUT-1
        return out
