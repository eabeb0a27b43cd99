"""Resolved transitions: what a call does to an ordered set of active states.

A `Config` is one ordered set of active states, kept once per machine, so that an identical
situation is an identical object. It holds the plans which were seen twice from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.machine.relations import ADD, REMOVE, SET, Resolver
from amctl.machine.result import CANCELED, EXECUTED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amctl.machine.compiled import Compiled
    from amctl.machine.handlers import Action, HandlerTable
    from amctl.machine.result import Result

__all__ = [
    "AUTO",
    "CHECK_ADD",
    "CHECK_REMOVE",
    "EVAL",
    "RELATION_KIND",
    "Called",
    "Config",
    "Outcome",
    "Plan",
    "Planner",
]

CHECK_ADD, CHECK_REMOVE, AUTO, EVAL = 3, 4, 5, 6
RELATION_KIND = (ADD, REMOVE, SET, ADD, REMOVE, ADD)
_SEEN = object()


class Called:
    """An interned list of called states: compared by identity."""

    __slots__ = ("health", "mask", "names", "order")

    def __init__(self, schema: Compiled, order: tuple[int, ...]) -> None:
        self.order = order
        self.names = tuple(schema.names[i] for i in order)
        self.mask = sum(1 << i for i in order)
        self.health = self.names in (("Healthcheck",), ("Heartbeat",))


class Config:
    __slots__ = ("adds", "auto_called", "by_kind", "mask", "order", "plans", "removes", "sets")

    def __init__(self, order: tuple[int, ...], mask: int) -> None:
        self.order = order
        self.mask = mask
        self.reset()

    def reset(self) -> None:
        self.plans: tuple[dict[Called, Any], ...] = ({}, {}, {}, {}, {}, {})
        # the admitted plans again, by what callers pass
        self.adds: dict[object, Plan] = {}
        self.removes: dict[object, Plan] = {}
        self.sets: dict[object, Plan] = {}
        self.by_kind = (self.adds, self.removes, self.sets)
        self.auto_called: Called | Any | None = False  # False: not computed


class Outcome:
    """The effect of accepted targets: who leaves and enters, which clocks tick."""

    __slots__ = ("enters", "exits", "finals", "follow", "next", "result", "targets", "ticks")

    targets: tuple[int, ...]
    exits: tuple[int, ...]
    enters: tuple[int, ...]
    ticks: tuple[int, ...]
    next: Config
    finals: tuple[Action, ...]
    follow: Called | None
    result: Result


class Plan:
    __slots__ = (
        "accepted",
        "called",
        "config",
        "enters",
        "exits",
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


class Planner:
    """Makes plans, interns configs, keeps both within a bound."""

    def __init__(self, schema: Compiled, table: HandlerTable, limit: int = 4096) -> None:
        self.schema = schema
        self.resolver = Resolver(schema)
        self.table = table
        self.limit = limit
        self._configs: dict[tuple[int, ...], Config] = {}
        self._called: dict[tuple[int, ...], Called] = {}
        self._stored = 0

    def set_table(self, table: HandlerTable) -> None:
        self.table = table
        self.forget()

    def forget(self) -> None:
        self._configs.clear()
        self._stored = 0

    def called(self, order: tuple[int, ...]) -> Called:
        found = self._called.get(order)
        if found is None:
            if len(self._called) > self.limit:
                self._called.clear()
                self.forget()
            found = self._called[order] = Called(self.schema, order)
        return found

    def config(self, order: tuple[int, ...]) -> Config:
        found = self._configs.get(order)
        if found is None:
            mask = 0
            for i in order:
                mask |= 1 << i
            found = self._configs[order] = Config(order, mask)
            self._stored += 1
        return found

    def plan(self, config: Config, kind: int, called: Called) -> Plan:
        plans = config.plans[kind]
        found: Plan | Any = plans.get(called)
        if found is None:  # first sighting: leave a mark only
            if self._stored >= self.limit:
                self.forget()
                self._configs[config.order] = config
                config.reset()
                plans = config.plans[kind]
            self._stored += 1
            plans[called] = _SEEN
            return self._make(config, kind, called)
        if found is _SEEN:
            found = plans[called] = self._make(config, kind, called)
            if found.plain:
                found.quick = self._quick(found)
        return found

    def is_admitted(self, plan: Plan) -> bool:
        return plan.config.plans[plan.kind].get(plan.called) is plan

    def _quick(self, plan: Plan) -> tuple[tuple[int, ...], Config, Result] | None:
        out = plan.outcome
        if not plan.accepted:
            return (), plan.config, CANCELED
        if out is None or plan.kind == AUTO:
            return None
        if out.follow is None:
            return out.ticks, out.next, out.result
        auto = self.plan(out.next, AUTO, out.follow)
        if not auto.plain:
            return None
        if not auto.accepted:
            return out.ticks, out.next, out.result
        assert auto.outcome is not None
        return out.ticks + auto.outcome.ticks, auto.outcome.next, out.result

    def auto_called(self, config: Config) -> Called | None:
        """AUT-2: every inactive auto state which no active state removes."""
        found = config.auto_called
        if found is False:
            sch = self.schema
            wanted = sch.auto & ~config.mask
            if wanted:
                for i in config.order:
                    wanted &= ~sch.remove[i]
            order = tuple(i for i in range(len(sch.names)) if wanted >> i & 1) if wanted else ()
            found = config.auto_called = self.called(order) if order else None
        return found

    def _make(self, config: Config, kind: int, called: Called) -> Plan:
        sch = self.schema
        relation = RELATION_KIND[kind]
        targets, mask = self.resolver.targets(
            relation, called.order, called.mask, config.order, config.mask
        )
        if relation == REMOVE:
            accepted = True
        elif kind == AUTO:
            accepted = bool(mask & called.mask)
        else:
            accepted = not called.mask & ~mask or (
                kind == CHECK_ADD and bool(called.mask & sch.multi)
            )
        plan = Plan()
        plan.kind, plan.called, plan.config, plan.accepted = kind, called, config, accepted
        plan.targets = tuple(targets)
        plan.quick = None
        if not accepted:
            plan.exits = plan.enters = plan.negotiation = ()
            plan.outcome = None
            plan.plain = True
            return plan
        plan.exits, plan.enters = self._moves(config, called, plan.targets, mask)
        plan.negotiation = self.table.negotiation(
            plan.exits, plan.enters, plan.targets, config.order, config.mask, relation == REMOVE
        )
        if kind == AUTO:
            if called.mask & ~mask:
                left = self.called(tuple(i for i in called.order if mask >> i & 1))
                plan.outcome = self.settle(config, left)
            else:  # nothing was lost: resolving again gives the same
                plan.outcome = self._outcome(
                    config, AUTO, called, plan.targets, mask, plan.exits, plan.enters
                )
            if not plan.outcome.targets and not plan.negotiation:
                plan.accepted = False
        elif kind in (CHECK_ADD, CHECK_REMOVE):
            plan.outcome = None
        else:
            plan.outcome = self._outcome(
                config, kind, called, plan.targets, mask, plan.exits, plan.enters
            )
        plan.plain = not plan.negotiation and not (plan.outcome and plan.outcome.finals)
        return plan

    def settle(self, config: Config, left: Called) -> Outcome:
        """TX-7: an auto transition resolves again from what negotiation left."""
        order, mask = self.resolver.targets(ADD, left.order, left.mask, config.order, config.mask)
        targets = tuple(order)
        return self._outcome(
            config, AUTO, left, targets, mask, *self._moves(config, left, targets, mask)
        )

    def _moves(
        self, config: Config, called: Called, targets: Iterable[int], mask: int
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        sch = self.schema
        left = config.mask & ~mask
        exits: tuple[int, ...] = ()
        if left:
            exits = tuple(self.resolver.sort([i for i in config.order if left >> i & 1], left))
        entering = mask & ~config.mask | mask & called.mask & sch.multi
        return exits, tuple(i for i in targets if entering >> i & 1) if entering else ()

    def _outcome(  # one argument per thing that was computed; called in three places
        self,
        config: Config,
        kind: int,
        called: Called,
        targets: tuple[int, ...],
        mask: int,
        exits: tuple[int, ...],
        enters: tuple[int, ...],
    ) -> Outcome:
        out = Outcome()
        out.targets, out.exits, out.enters = targets, exits, enters
        out.ticks = exits + enters + tuple(i for i in enters if config.mask >> i & 1)
        out.next = self.config(targets)
        out.finals = self.table.finals(exits, enters)
        out.result = CANCELED if kind == REMOVE and called.mask & mask else EXECUTED
        out.follow = None
        if out.ticks and kind != AUTO and self.schema.auto and not (kind == ADD and called.health):
            out.follow = self.auto_called(out.next)  # AUT-1
        return out
