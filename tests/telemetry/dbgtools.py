"""Messages by the dozen, for tests of the debug wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from amctl.machine import StateDef
from amctl.machine.lines import LogLine
from amctl.machine.reasons import Reason
from amctl.machine.steps import Step
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg, SchemaMsg, SourceRef, TxMsg

if TYPE_CHECKING:
    from amctl.telemetry.messages import Message

__all__ = ["scripts", "simple_schema", "simple_tx"]

UINT = st.integers(0, 2**64 - 1)
TEXT = st.text(max_size=12)
NAMES = st.text("ABCDEFGHab1", min_size=1, max_size=4)
MACHINES = st.sampled_from(["orchestrator", "browser1", "rc-srv-browser1", ""])
TX_IDS = st.one_of(
    UINT.map(lambda n: f"{n:016x}"),
    st.tuples(UINT, st.integers(0, 10**10)).map(lambda two: f"{two[0]:016x}-{two[1]}"),
    st.sampled_from(
        ["", "-0", "semlogger-3", "A59D994DD6EFB726", "a59d994dd6efb726a1cd3ef1b7f384fd"]
    ),
    TEXT,
)


def simple_schema(machine_id: str, *names: str, **fields: Any) -> SchemaMsg:
    """States without relations."""
    return SchemaMsg(machine_id, names, {name: StateDef() for name in names}, **fields)


def simple_tx(machine_id: str, n: int, *clocks: int, **fields: Any) -> TxMsg:
    """The n-th transition."""
    return TxMsg(machine_id, f"{n:016x}", clocks, **fields)


@st.composite
def schemas(draw: st.DrawFn, machine_id: str) -> SchemaMsg:
    names = tuple(draw(st.lists(NAMES, unique=True, min_size=1, max_size=6)))
    some = st.lists(st.sampled_from([*names, "Elsewhere"]), max_size=3).map(tuple)
    tags = st.lists(TEXT, max_size=2).map(tuple)
    states = {
        name: StateDef(
            *(draw(st.booleans()), draw(st.booleans())),
            *(draw(some), draw(some), draw(some), draw(some)),
            tags=draw(tags),
        )
        for name in names
    }
    indexes = st.lists(st.integers(0, len(names) - 1), max_size=4).map(tuple)
    return SchemaMsg(
        machine_id,
        names,
        states,
        parent=draw(TEXT),
        tags=draw(tags),
        groups=draw(st.dictionaries(TEXT, indexes, max_size=2)),
        groups_order=draw(tags),
        time_ns=draw(UINT),
    )


@st.composite
def txs(draw: st.DrawFn, schema: SchemaMsg, before: tuple[int, ...]) -> TxMsg:
    size = len(schema.names)
    index = st.integers(-1, size - 1)
    step = st.builds(
        Step,
        st.sampled_from([1, 2, 4, 8, 16, 32, 64]),
        index,
        index,
        st.integers(0, 3),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.sampled_from(["", "", "FooState"]),
    )
    lines = st.lists(st.builds(LogLine, st.integers(0, 5), TEXT), max_size=3).map(tuple)
    grown = tuple(min(t + draw(st.integers(0, 2)), 2**64 - 1) for t in before)
    clocks = st.one_of(
        st.just(before),
        st.just(grown),
        st.lists(UINT, min_size=size, max_size=size).map(tuple),
        st.lists(UINT, max_size=size).map(tuple),
    )
    texts = st.lists(TEXT, max_size=2).map(tuple)
    return TxMsg(
        schema.machine_id,
        draw(TX_IDS),
        draw(clocks),
        type=draw(st.integers(0, 3)),
        called=tuple(draw(st.lists(st.integers(0, size - 1), max_size=4))),
        is_auto=draw(st.booleans()),
        accepted=draw(st.booleans()),
        is_check=draw(st.booleans()),
        is_queued=draw(st.booleans()),
        queue_tick=draw(UINT),
        mut_queue_tick=draw(UINT),
        mut_queue_token=draw(UINT),
        queue=draw(UINT),
        time_ns=draw(UINT),
        steps=tuple(draw(st.lists(step, max_size=4))),
        logs=draw(lines),
        pre_logs=draw(lines),
        args=draw(st.dictionaries(TEXT, TEXT, max_size=2)),
        source=draw(st.none() | st.builds(SourceRef, TEXT, TX_IDS, UINT)),
        reason=draw(st.none() | st.builds(Reason, TEXT, TEXT, texts, TEXT, TEXT, TEXT)),
        stack=draw(TEXT),
    )


@st.composite
def scripts(draw: st.DrawFn, size: int = 12) -> list[Message]:
    """What one stream could say: no transition of a machine before its schema."""
    known: dict[str, tuple[SchemaMsg, tuple[int, ...]]] = {}
    out: list[Message] = []
    for _ in range(draw(st.integers(0, size))):
        id, what = draw(MACHINES), draw(st.integers(0, 9))
        if what == 0:
            out.append(
                PipeMsg(draw(st.sampled_from(["add", "remove"])), id, draw(TEXT), draw(TEXT),
                        draw(TEXT), draw(st.booleans()), draw(UINT))
            )  # fmt: skip
        elif what == 1:
            out.append(GapMsg(draw(UINT), draw(TEXT), id, draw(UINT), draw(UINT)))
        elif what == 2:
            out.append(GoneMsg(id, draw(UINT)))
            known.pop(id, None)
        elif what == 3 or id not in known:
            schema = draw(schemas(id))
            out.append(schema)
            known[id] = schema, (0,) * len(schema.names)
        else:
            schema, clocks = known[id]
            tx = draw(txs(schema, clocks))
            out.append(tx)
            known[id] = schema, tx.clocks
    return out
