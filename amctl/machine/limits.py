"""What bounds a machine; the rarely used options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amctl.machine.relations import Resolver

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.machine.compiled import Compiled

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Times are seconds."""

    handler_deadline: float = 10.0
    """How long a coroutine handler may go on after its cancellation until given up (PAN-8)."""
    handler_backoff: float = 3.0
    """How long the machine then refuses mutations, all but `set`."""
    dispose_timeout: float = 1.0
    """How long disposal waits for handlers of Start's end; for cancelled ones twice that."""
    plans: int = 4096
    """How many resolved transitions to keep; 0 keeps none."""
    resolver: Callable[[Compiled], Resolver] = Resolver
    """Decides which states come of a call, in which order, and which auto states are tried. Log
    lines, steps and reasons tell of the rules as they are, whatever another one decides."""
    catch: bool = True
    """Whether what handlers raise becomes Exception; False raises it to the mutation's caller."""
