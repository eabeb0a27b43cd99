"""What a recording tells of one machine: transitions, refusals, the queue; and by logs alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.dump.memory import MemoryDump
from amctl.graph.moments import Moment
from amctl.machine.lines import LogLine
from amctl.machine.reasons import Reason
from amctl.repl.why.history import Past, error_of, past_of, reason_from
from tests.support.recordings import BEGAN, recording, schema, tx

if TYPE_CHECKING:
    from amctl.telemetry.messages import TxMsg

NAMES = ("A", "B", "C", "Exception")


def lines(*texts: str) -> tuple[LogLine, ...]:
    return tuple(LogLine(3, text) for text in texts)


def refused(*texts: str, called: tuple[int, ...] = (0,)) -> TxMsg:
    """A canceled transition of which only the log tells why."""
    return tx("m", 1, (0, 0, 0, 0), called=called, accepted=False, logs=lines(*texts))


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        (
            ["[reject] A(-B)", "[cancel:reject] A"],
            Reason("require", "A", ("B",)),
        ),
        (
            ["[reject] A(-B) B(-C)", "[cancel:reject] A"],
            Reason("require", "A", ("C",)),
        ),
        (
            ["[rel:remove] A by B C", "[cancel:reject] A"],
            Reason("remove", "A", ("B", "C")),
        ),
        (["[cancel:reject] A"], Reason("relations", "A", ("A",))),
        (
            ["[handler:2] AEnter", "[cancel] (A) by AEnter"],
            Reason("veto", "A", handler="AEnter", binding="2"),
        ),
        (["[cancel:self] (A) by AA"], Reason("veto", "A", handler="AA", binding="?")),
        (
            ["[handler:0] AState", "[cancel] (A) by timeout"],
            Reason("timeout", "A", handler="AState", binding="0"),
        ),
        (["[cancel] () by recover"], Reason("error", "A", handler="a handler", binding="?")),
        (["[add] A"], None),
    ],
)
def test_reasons_by_logs(texts: list[str], reason: Reason | None) -> None:
    assert reason_from(Past("m", NAMES), refused(*texts)) == reason


def test_errors_by_arguments_and_by_logs() -> None:
    assert error_of(tx("m", 1, (), args={"err": "boom"})) == "boom"
    assert error_of(tx("m", 1, (), logs=lines("[add] A", "[error] boom\ntrace"))) == "boom"
    assert error_of(tx("m", 1, (), logs=lines("[error:add] A (boom)"))) == "A (boom)"
    assert error_of(tx("m", 1, ())) == ""


def test_the_last_move_of_each_state_counts() -> None:
    dump = recording(
        schema("m", NAMES),
        tx("m", 1, (1, 0, 0, 0), called=(0,)),
        tx("m", 2, (2, 1, 0, 0), called=(1,)),
        tx("m", 3, (3, 1, 0, 0), called=(0,)),
        tx("m", 4, (3, 3, 0, 0), called=(1,)),
    )
    past = past_of(dump, "m")
    assert {name: one.id[-1] for name, one in past.began.items()} == {"A": "3", "B": "4"}
    assert {name: one.id[-1] for name, one in past.ended.items()} == {"A": "2"}
    assert past.ticks == (3, 3, 0, 0)
    at = past_of(dump, "m", Moment(BEGAN + 2_000_000))
    assert at.ticks == (2, 1, 0, 0)
    assert past_of(dump, "m", Moment(0, "m", 0)).ticks == (1, 0, 0, 0)


def test_without_times_the_order_of_arrival_decides() -> None:
    dump = recording(
        schema("m", NAMES),
        schema("other", ["X"]),
        tx("m", 1, (1, 0, 0, 0), time_ns=0),
        tx("other", 2, (1,), time_ns=0),
        tx("m", 3, (2, 0, 0, 0), time_ns=0),
        tx("other", 4, (2,), time_ns=0),
    )
    assert past_of(dump, "m", Moment(0, "other", 0)).ticks == (1, 0, 0, 0)
    assert past_of(dump, "m", Moment(0, "other", 1)).ticks == (2, 0, 0, 0)
    assert past_of(dump, "m", Moment(0, "other", -1)).ticks == ()


def test_refusals_are_kept_by_what_they_called_and_by_what_was_missing_it() -> None:
    why = Reason("veto", "B", handler="BEnter", binding="h")
    dump = recording(
        schema("m", NAMES),
        tx("m", 1, (0, 0, 0, 0), called=(0,), accepted=False, reason=why),
        tx("m", 2, (0, 0, 0, 0), called=(2,), accepted=False, is_auto=True),
        tx("m", 3, (0, 0, 0, 0), called=(2,), accepted=False, is_check=True, reason=why),
    )
    past = past_of(dump, "m")
    assert sorted(past.refused) == ["A", "B"]
    assert past.refused["B"][1] is why


def test_what_waits_is_what_was_queued_and_not_dealt_with() -> None:
    queued = {"is_queued": True, "type": 0}
    dump = recording(
        schema("m", NAMES),
        tx("m", 1, (0, 0, 0, 0), called=(1,), mut_queue_tick=5, **queued),
        tx("m", 2, (0, 0, 0, 0), called=(2,), mut_queue_tick=6, **queued),
        tx("m", 3, (0, 0, 0, 0), called=(0,), mut_queue_token=1, **queued),
        tx("m", 4, (1, 0, 0, 0), called=(0,), queue_tick=4),
        tx("m", 5, (1, 1, 0, 0), called=(1,), queue_tick=5),
    )
    at = past_of(dump, "m", Moment(BEGAN + 3_000_000))
    assert [one.called for one in at.waiting] == [(0,), (1,), (2,)]
    assert [one.called for one in past_of(dump, "m").waiting] == [(2,)]


def test_a_schema_that_grows_or_is_ordered_anew_keeps_the_clocks() -> None:
    dump = MemoryDump("test")
    dump.write(schema("m", ["A", "Exception"]))
    dump.write(tx("m", 1, (1, 0)))
    dump.write(schema("m", ["A", "Exception", "B"]))
    dump.write(tx("m", 2, (1, 0, 1)))
    dump.write(schema("m", ["B", "A", "Exception"]))
    dump.write(tx("m", 3, (1, 2, 0)))
    past = past_of(dump, "m")
    assert past.began["B"].id[-1] == "2"
    assert past.ended["A"].id[-1] == "3"
    assert past.name(7) == "#7"
