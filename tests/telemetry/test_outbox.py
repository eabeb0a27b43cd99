from __future__ import annotations

import pytest

from amctl.telemetry.messages import GapMsg, GoneMsg, Message
from amctl.telemetry.outbox import FULL, Outbox
from tests.telemetry.dbgtools import simple_schema, simple_tx


class Case:
    """An outbox for four, with a clock."""

    def __init__(self, limit: int = 4) -> None:
        self.now = 100
        self.gaps: list[str] = []
        self.box = Outbox(limit, lambda: self.now, self.gaps.append)

    def fill(self, *numbers: int) -> list[bool]:
        return [self.box.put(simple_tx("m", n, n)) for n in numbers]

    def send(self) -> list[tuple[int, str]]:
        """Take everything: numbers, and transition ids or kinds of messages."""
        out = []
        while (entry := self.box.take()) is not None:
            out.append((entry[0], name(entry[1])))
        return out


def name(message: Message) -> str:
    id = getattr(message, "id", None)
    return str(int(id, 16)) if id else type(message).__name__


def test_messages_are_numbered_and_leave_when_they_are_safe() -> None:
    case = Case()
    box = case.box
    assert box.begin(0) == []
    assert case.fill(10, 11, 12) == [True, True, True]
    assert (box.unsent, box.unacked, box.next_number, box.next_unsent) == (3, 3, 3, 0)
    assert case.send() == [(0, "10"), (1, "11"), (2, "12")]
    assert (box.unsent, box.unacked, box.next_unsent) == (0, 3, 3)
    box.ack(2)
    assert box.unacked == 1
    box.ack(1)
    assert box.unacked == 1
    box.ack(3)
    assert box.unacked == 0
    assert box.take() is None


def test_a_new_connection_gets_what_is_not_safe_again() -> None:
    case = Case()
    case.box.begin(0)
    case.fill(10, 11, 12)
    case.send()
    case.box.ack(1)
    case.fill(13)
    assert case.box.begin(2) == []
    assert case.box.unacked == 2
    assert case.send() == [(2, "12"), (3, "13")]


def test_schemas_have_no_number_and_stay_for_later_connections() -> None:
    case = Case(10)
    box = case.box
    old, new = simple_schema("m", "A"), simple_schema("m", "A", "B")
    box.begin(0)
    box.put(old)
    case.fill(10)
    box.put(new)
    case.fill(11)
    assert case.send() == [(-1, "SchemaMsg"), (0, "10"), (-1, "SchemaMsg"), (1, "11")]
    # the second schema must not come before what was said under the first one
    assert box.begin(0) == [old]
    assert case.send() == [(0, "10"), (-1, "SchemaMsg"), (1, "11")]
    assert box.begin(1) == [new]
    assert case.send() == [(1, "11")]
    box.ack(2)
    box.put(GoneMsg("m"))
    case.send()
    assert box.begin(2) == [new]
    case.send()
    box.ack(3)
    assert box.begin(3) == []


def test_a_schema_at_the_end_is_not_forgotten_before_it_is_sent() -> None:
    case = Case()
    box = case.box
    box.begin(0)
    case.fill(10)
    case.send()
    box.put(simple_schema("m", "A"))
    box.ack(1)
    assert case.send() == [(-1, "SchemaMsg")]


def test_what_does_not_fit_is_one_gap_until_there_is_room_enough() -> None:
    case = Case()
    box = case.box
    box.begin(0)
    assert case.fill(10, 11, 12, 13) == [True] * 4
    assert case.gaps == []
    case.now = 200
    assert case.fill(14) == [False]
    case.now = 300
    assert case.fill(15) == [False]
    assert case.gaps == [FULL]
    assert box.is_full
    assert box.dropped == 2
    case.send()
    box.ack(1)
    assert case.fill(16) == [False]  # room, but not enough yet
    box.ack(2)
    assert not box.is_full
    assert case.fill(17) == [True]
    gap, tx = box.take(), box.take()
    assert gap == (4, GapMsg(3, FULL, "m", 200, 300))
    assert tx is not None
    assert tx[0] == 5
    assert box.dropped == 3
    assert case.gaps == [FULL]


def test_a_gap_of_several_machines_names_none() -> None:
    case = Case(1)
    case.fill(10)
    case.fill(11)
    case.box.put(simple_tx("other", 1, 1))
    case.box.end()
    assert case.send() == [(0, "10"), (1, "GapMsg")]
    case.box.begin(2)
    case.box.lose(1, "a tracer failed", "m")
    assert case.box.take() == (2, GapMsg(1, "a tracer failed", "m", 100, 100))


def test_a_schema_without_room_is_no_loss_and_an_end_has_room_always() -> None:
    case = Case(1)
    case.fill(10)
    assert not case.box.put(simple_schema("m", "A"))
    assert case.box.put(GoneMsg("m"), must=True)
    assert case.box.dropped == 0
    assert case.gaps == []


def test_a_message_can_be_replaced_by_what_can_be_sent() -> None:
    case = Case()
    case.fill(10)
    case.box.take()
    case.box.replace(GapMsg(1, "why"))
    case.box.put(simple_schema("m", "A"))
    case.box.take()
    case.box.forget()
    case.box.begin(0)
    assert case.send() == [(0, "GapMsg")]


def test_a_collector_can_not_have_what_was_never_sent() -> None:
    case = Case()
    case.fill(10, 11)
    with pytest.raises(ValueError, match="next is 3, of 2 messages"):
        case.box.begin(3)
    case.box.begin(0)
    case.box.take()
    with pytest.raises(ValueError, match="acknowledged up to 2, but only 1 were sent"):
        case.box.ack(2)


def test_a_collector_that_lost_its_disk_gets_what_is_left() -> None:
    case = Case()
    case.box.begin(0)
    case.fill(10, 11)
    case.send()
    case.box.ack(1)
    case.box.begin(0)
    assert case.send() == [(1, "11")]
