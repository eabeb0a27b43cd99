"""What a machine says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.machine.bound import Bound

if TYPE_CHECKING:
    from amctl.machine.explanation import Explanation
    from amctl.machine.refusals import Refusal

__all__ = ["Answering"]


class Answering(Bound):
    """Answers questions. `Machine` adds what changes states."""

    def explain(self, state: str, op: str = "add") -> Explanation:
        """Why a state isn't active or, if it is, what is known of why; within this machine.

        Relations are resolved and negotiation handlers are asked, as by `can_add` without
        arguments; tracers are not told. It may be asked at any time, also by another thread (which
        asks no handlers), and of a disposed machine.

        Args:
            state: Of this machine.
            op: `add`; or `remove`, to be told why the state stays.

        Raises:
            UnknownStateError: The machine has no such state.
            ValueError: `op` is neither.
        """
        from amctl.machine.explain import explain  # heavy, and not needed to run

        return explain(self, state, op)  # type: ignore[arg-type]  # every one is a Machine

    def last_refusal(self, state: str) -> Refusal | None:
        """The last mutation naming the state that was refused, as far as that is remembered.

        The last refusals of the latest 32 different calls are.
        """
        return self._refusals.last(state) if self._refusals is not None else None
