"""Machines in few words, for the engine's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.machine import Machine, Tracer

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.machine import Event

__all__ = ["Log", "Recorder", "boom", "mach", "no"]


def mach(names: str, /, id: str = "m", **options: Any) -> Machine:
    """A machine of the states in `names`, which stand in index order, Exception last.

    Options named like a state are its definition in few words: `B="multi add:C,D require:E"`.
    """
    states: dict[str, dict[str, Any]] = {}
    for name in names.split():
        state: dict[str, Any] = {}
        for word in str(options.pop(name, "")).split():
            key, _, values = word.partition(":")
            state[key] = values.split(",") if values else True
        states[name] = state
    order = [*(n for n in states if n != "Exception"), "Exception"]
    return Machine(id, states, names=order, **options)


def boom(_: object) -> None:
    """A handler that fails."""
    raise ValueError("boom")


def no(_: object) -> bool:
    """A handler that vetoes."""
    return False


class Log(list[str]):
    """Notes which handlers ran, in order."""

    def bind(self, machine: Machine, *names: str, **bodies: Callable[[Event], Any]) -> None:
        """Bind handlers that note their names, all possible ones or these; some with a body."""
        states = machine.names
        every = [s + p for s in states for p in ("Exit", "Enter", "State", "End")]
        every += [a + b for a in states for b in states] + ["AnyEnter", "AnyState"]
        wanted = dict.fromkeys((*(names or every), *bodies))
        machine.bind({name: self._handler(name, bodies.get(name)) for name in wanted})

    def _handler(self, name: str, body: Callable[[Event], Any] | None) -> Callable[[Event], Any]:
        def handler(event: Event) -> Any:
            self.append(name)
            return body(event) if body is not None else None

        return handler

    def take(self) -> str:
        """What was noted since the last time, in one line."""
        text = " ".join(self)
        self.clear()
        return text


class Recorder(Tracer):
    """Notes every hook."""

    def __init__(self, id: str = "recorder") -> None:
        self.id = id
        self.seen: list[str] = []
        self.ended: list[Any] = []

    def machine_init(self, machine: Any) -> None:
        self.seen.append(f"init {machine.id}")

    def new_submachine(self, parent: Any, child: Any) -> None:
        self.seen.append(f"sub {parent.id} {child.id}")

    def schema_change(self, machine: Any, old: Any) -> None:
        self.seen.append(f"schema {len(old)} {len(machine.schema)}")

    def mutation_queued(self, machine: Any, mutation: Any) -> None:
        self.seen.append(f"queued {'auto ' * mutation.is_auto}{' '.join(mutation.called_states)}")

    def transition_init(self, tx: Any) -> None:
        self.seen.append(f"tx {' '.join(tx.called_states)}{'' if tx.is_accepted else ' rejected'}")

    def transition_start(self, tx: Any) -> None:
        self.seen.append("start")

    def handler_start(self, tx: Any, binding: str, name: str) -> None:
        self.seen.append(f"> {name}")

    def handler_end(self, tx: Any, binding: str, name: str) -> None:
        self.seen.append(f"< {name}")

    def transition_finals(self, tx: Any) -> None:
        self.seen.append("finals")

    def transition_end(self, tx: Any) -> None:
        self.seen.append(f"end {' '.join(tx.called_states)}")
        self.ended.append(tx)

    def queue_end(self, machine: Any) -> None:
        self.seen.append("idle")

    def machine_dispose(self, machine_id: str) -> None:
        self.seen.append(f"gone {machine_id}")

    def take(self) -> list[str]:
        """What was noted since the last time."""
        seen, self.seen = self.seen, []
        return seen
