"""What is traced: the AM_OTEL_* variables (otel.md, sections 1 and 3.3).

# differs from Go: skip comes first, then allow, lists and expressions together (section 13). There,
# a skip expression silences the allow lists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amctl.machine import MachineView

__all__ = ["FilterError", "OtelOptions", "Picked"]


class FilterError(ValueError):
    """A variable that chooses what is traced can't be read."""

    def __init__(self, name: str, text: str, problem: str) -> None:
        super().__init__(name, text, problem)
        self.name, self.text, self.problem = name, text, problem

    def __str__(self) -> str:
        return f"{self.name}={self.text!r} is no regular expression: {self.problem}"


@dataclass(frozen=True, slots=True)
class OtelOptions:
    """What becomes a span, and with which attributes."""

    transitions: bool = True
    args: bool = False
    """Mapped arguments as attributes of transitions."""
    auto: bool = True
    """Auto transitions too."""
    health: bool = False
    """Transitions that only add Healthcheck or Heartbeat too."""
    rpc: bool = False
    """Machines of RPC and of the relay too."""
    old_names: bool = False
    """Attributes under the original's names too, without `am.`."""
    allow: tuple[str, ...] = ()
    """`State` or `machine:State`."""
    skip: tuple[str, ...] = ()
    allow_re: str = ""
    """Searched in `machine:State`."""
    skip_re: str = ""
    """Searched in `machine:State`, and in a submachine's bare id."""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> OtelOptions:
        """From the variables; what is set but empty counts as not set.

        Raises:
            FilterError: An expression is bad.
        """
        made = cls(
            transitions=bool(environ.get("AM_OTEL_TRACE_TXS")),
            args=bool(environ.get("AM_OTEL_TRACE_ARGS")),
            auto=not environ.get("AM_OTEL_TRACE_NOAUTO"),
            rpc=bool(environ.get("AM_RPC_DBG")),
            old_names=bool(environ.get("AM_OTEL_OLD_NAMES")),
            allow=_listed(environ.get("AM_OTEL_TRACE_ALLOW_STATES", "")),
            skip=_listed(environ.get("AM_OTEL_TRACE_SKIP_STATES", "")),
            allow_re=environ.get("AM_OTEL_TRACE_ALLOW_STATES_RE", ""),
            skip_re=environ.get("AM_OTEL_TRACE_SKIP_STATES_RE", ""),
        )
        for name, text in (("ALLOW", made.allow_re), ("SKIP", made.skip_re)):
            try:
                re.compile(text)
            except re.error as error:
                name = f"AM_OTEL_TRACE_{name}_STATES_RE"
                raise FilterError(name, text, str(error)) from error
        return made


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


class Picked:
    """Answers, and remembers them: filters are asked at every transition."""

    def __init__(self, options: OtelOptions) -> None:
        self._options = options
        self._skip_re = re.compile(options.skip_re) if options.skip_re else None
        self._allow_re = re.compile(options.allow_re) if options.allow_re else None
        self._states: dict[tuple[str, str], bool] = {}

    def state(self, machine_id: str, state: str) -> bool:
        """Whether a state of a machine is traced."""
        key = machine_id, state
        known = self._states.get(key)
        if known is None:
            known = self._states[key] = self._judge(machine_id, state)
        return known

    def machine(self, machine: MachineView) -> bool:
        """Whether a submachine is traced; its own submachines are asked about for themselves."""
        if not self._options.rpc and any(map(_is_plumbing, machine.tags)):
            return False
        return self._skip_re is None or self._skip_re.search(machine.id) is None

    def _judge(self, machine_id: str, state: str) -> bool:
        options, whole = self._options, f"{machine_id}:{state}"
        if _is_among(options.skip, state, whole):
            return False
        if self._skip_re is not None and self._skip_re.search(whole):
            return False
        if not options.allow and self._allow_re is None:
            return True
        if _is_among(options.allow, state, whole):
            return True
        return self._allow_re is not None and self._allow_re.search(whole) is not None


def _is_among(entries: Iterable[str], state: str, whole: str) -> bool:
    return any(entry in (state, whole) for entry in entries)


def _is_plumbing(tag: str) -> bool:
    return tag.startswith("rpc-") or tag == "relay"
