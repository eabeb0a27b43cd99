"""Traces to test with: a real run, small ones made by hand, and random ones."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from amctl.traces.model import Event, Link, Service, Span, Trace
from amctl.traces.reading import Tally, load

__all__ = ["BEGAN", "CASE", "HOSTILE", "Maker", "recorded", "traces"]

CASE = Path(__file__).parents[1] / "cases" / "traces" / "browser-run.jsonl"
"""A real run with four browser threads, one of which had to try again."""
BEGAN = 1_700_000_000_000_000_000
TRACE = "0af7651916cd43dd8448eb211c80319c"
HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "\u202eevil\u2028\x1b[31mred\r\n",
    "{{data}} ${x} `y` \\u003c \ud800",
    "__proto__",
    "名前" * 20,
)
"""Names that try to be more than names."""


@cache
def recorded() -> Trace:
    """The real run."""
    return load([CASE], "", Tally())[0]


class Maker:
    """Collects spans. Times are milliseconds since the trace began."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self._services: dict[str, Service] = {}

    def add(
        self,
        name: str,
        start: float = 0,
        took: float = 0,
        *,
        parent: Span | None = None,
        service: str = "",
        links: tuple[tuple[Span, str], ...] = (),
        events: tuple[tuple[str, float], ...] = (),
        error: str = "",
        **attributes: Any,
    ) -> Span:
        """One more span; its service is that of its parent by default. `x_y` is `am.x_y`."""
        began = BEGAN + round(start * 1e6)
        name_of_service = service or (parent.service.name if parent else "lamp")
        held = self._services.setdefault(name_of_service, Service(name_of_service))
        made = Span(
            TRACE,
            f"{len(self.spans) + 1:016x}",
            parent.span_id if parent else "",
            name,
            held,
            began,
            began + round(took * 1e6),
            {f"am.{key}": value for key, value in attributes.items()},
            tuple(Event(BEGAN + round(at * 1e6), what) for what, at in events),
            tuple(Link(TRACE, to.span_id, {"am.link": kind}) for to, kind in links),
            2 if error else 0,
            error,
        )
        self.spans.append(made)
        return made

    def machine(self, id: str, number: int = 0, parent: Span | None = None) -> tuple[Span, ...]:
        """A machine with its groups: itself, its states, its transitions."""
        top = self.add(f"mach:{number}:{id}", parent=parent, service=id if parent is None else "")
        return (
            top,
            self.add(f"{number}:states", parent=top),
            self.add(f"{number}:transitions", parent=top),
        )

    def trace(self) -> Trace:
        """All of it."""
        return Trace(TRACE, tuple(sorted(self.spans, key=lambda span: span.start_ns)))


_NAMES = st.sampled_from(
    ("0:states", "0:transitions", "0:submachines", "mach:0:a", "root", "0:On", "0: [add] On")
) | st.text(max_size=8)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=6)
    | st.binary(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=2,
)
_KEYS = st.sampled_from(("am.accepted", "am.auto", "am.states_diff")) | st.text(max_size=6)
_ATTRIBUTES = st.dictionaries(_KEYS, _VALUES, max_size=2)


@st.composite
def traces(draw: st.DrawFn, most: int = 12) -> Trace:
    """Any trace: parents may be missing, of other services, or form rings; clocks may differ."""
    count = draw(st.integers(1, most))
    services = [Service(name) for name in ("a", "b", draw(st.text(min_size=1, max_size=4)))]
    ids = [f"{number:016x}" for number in range(1, count + 3)]
    spans = []
    for number in range(count):
        start = BEGAN + draw(st.integers(0, 10**9))
        parent = draw(st.none() | st.sampled_from(ids))
        linked = draw(st.lists(st.sampled_from(ids), max_size=2))
        moments = draw(st.lists(st.integers(-5, 10**9), max_size=2))
        spans.append(
            Span(
                TRACE,
                ids[number],
                parent or "",
                draw(_NAMES),
                draw(st.sampled_from(services)),
                start,
                start + draw(st.integers(0, 10**9) | st.just(0)),
                draw(_ATTRIBUTES),
                tuple(Event(BEGAN + at, draw(_NAMES), draw(_ATTRIBUTES)) for at in moments),
                tuple(Link(TRACE, to, {"am.link": "source"}) for to in linked),
                draw(st.integers(0, 2)),
                draw(st.sampled_from(("", "it failed"))),
                draw(st.integers(0, 5)),
                draw(st.sampled_from(("", "scope"))),
                "",
                draw(st.sampled_from(("", "k=v"))),
            )
        )
    spans.sort(key=lambda span: span.start_ns)
    return Trace(TRACE, tuple(spans))
