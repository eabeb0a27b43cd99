"""The hot path stores what the wire's own decoder would have told, whatever happens on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amctl.dump._intake import Intake, Stream, typed_codec
from amctl.dump.memory import MemoryDump
from amctl.dump.sqlite import SqliteDump, SqliteStore
from amctl.rpc.wire.codec import pure_codec
from amctl.rpc.wire.errors import DecodeError
from amctl.telemetry.dbgwire import FrameReader, StreamEncoder, batch_frame, read_sender
from amctl.telemetry.errors import DbgWireError
from amctl.telemetry.messages import GapMsg, GoneMsg, SchemaMsg, SourceRef, TxMsg
from amctl.telemetry.outbox import Outbox
from tests.dump.same import assert_same
from tests.telemetry.dbgtools import scripts, simple_schema, simple_tx

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from amctl.telemetry.messages import Message

NOW = 1_700_000_000_000_000_000


class Desk:
    """A store and its streams, without a network."""

    def __init__(self, path: Path, most: int = 100) -> None:
        self.store = SqliteStore(path)
        self.most = most
        self.streams: dict[str, Stream] = {}
        self.gaps: list[GapMsg] = []
        self.told: list[Message] = []

    def connect(self, id: str = "s", *, forward: bool = False) -> Line:
        stream = self.streams.get(id)
        if stream is None:
            stream = self.streams[id] = Stream(id, "test", self.store.place(id))
        told = self.told.append if forward else None
        return Line(
            Intake(
                self.store.rows,
                stream,
                most=self.most,
                on_gap=self.gaps.append,
                forward=told,
            )
        )

    def commit(self) -> None:
        self.store.commit((s.id, s.next, s.name, NOW) for s in self.streams.values())
        for stream in self.streams.values():
            stream.committed = stream.next

    def crash(self) -> None:
        """The process dies and another one starts."""
        self.store.abandon()
        self.store = SqliteStore(self.store.path)
        self.streams.clear()


class Line:
    """A connection: its bytes go through the real frames."""

    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.encoder = StreamEncoder(pure_codec())
        self.reader = FrameReader(typed_codec(), 1 << 23)

    def send(self, first: int, messages: Iterable[Message]) -> None:
        self.raw(batch_frame(pure_codec(), first, [self.encoder.encode(m) for m in messages]))

    def raw(self, frame: bytes) -> None:
        for raw in self.reader.feed(frame):
            batch = read_sender(raw)
            self.intake.take(batch.first, batch.messages, NOW)  # type: ignore[union-attr]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "a.sqlite")
    yield made
    made.store.abandon()


def stored(desk: Desk) -> SqliteDump:
    desk.commit()
    return SqliteDump(desk.store.path)


def stamped(messages: Sequence[Message]) -> list[Message]:
    for message in messages:
        if isinstance(message, TxMsg):
            message.received_ns = NOW
    return list(messages)


@pytest.mark.slow
@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(messages=scripts(30), data=st.data())
def test_nothing_is_lost_or_doubled_by_commits_reconnects_and_crashes(
    tmp_path: Path, messages: list[Message], data: st.DataObject
) -> None:
    for old in tmp_path.iterdir():
        old.unlink()
    desk = Desk(tmp_path / "a.sqlite")
    outbox = Outbox(10**6, lambda: 0, lambda _: None)
    for message in messages:
        outbox.put(message)
    line: Line | None = None
    prelude: list[SchemaMsg] = []
    for what in data.draw(st.lists(st.integers(0, 9), max_size=40)) + [5] * 12:
        if line is None or what == 7:
            line = desk.connect()
            prelude = outbox.begin(line.intake.seen)
        if what == 8:
            desk.commit()
            safe = min(line.intake.stream.committed, line.intake.seen)
            outbox.ack(safe)
        elif what == 9:
            desk.crash()
            line = None
        else:
            first = outbox.next_unsent
            batch: list[Message] = [*prelude]
            while outbox.unsent and len(batch) < what + 1:
                batch.append(outbox.take()[1])  # type: ignore[index]
            prelude = []
            line.send(first, batch)
    with stored(desk) as dump:
        # a machine whose clocks go down, as some do here, may be told anew
        assert_same(dump, MemoryDump(messages=stamped(messages)), repeats=False)
    desk.store.close()


@pytest.mark.slow
@settings(
    deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(messages=scripts(20))
def test_what_is_handed_on_is_what_came(tmp_path: Path, messages: list[Message]) -> None:
    (tmp_path / "a.sqlite").unlink(missing_ok=True)
    desk = Desk(tmp_path / "a.sqlite")
    desk.connect(forward=True).send(0, messages)
    assert desk.told == stamped(messages)
    desk.store.abandon()


# --- two of a kind


def test_a_reloaded_page_goes_on_where_the_old_one_was(desk: Desk) -> None:
    schema = simple_schema("m", "A", "B")
    old, new = desk.connect("old"), desk.connect("new")
    first = [simple_tx("m", n, n, 7) for n in range(70)]
    second = [simple_tx("m", n, n, 0) for n in range(70)]
    old.send(0, [schema, *first])
    new.send(0, [schema, *second])
    with stored(desk) as dump:
        assert list(dump.transitions("m")) == stamped([*first, *second])
        assert dump.schemas("m") == [(0, schema), (70, schema)]


def test_a_machine_that_begins_anew_without_a_word_gets_a_row_of_its_own(desk: Desk) -> None:
    """So that whoever reads the dump knows why its clocks go down."""
    schema = simple_schema("m", "A", "B")
    line = desk.connect()
    line.send(0, [schema, simple_tx("m", 1, 5, 5), schema, simple_tx("m", 2, 1, 0)])
    line.send(2, [simple_tx("m", 3, 1, 1)])
    with stored(desk) as dump:
        assert dump.schemas("m") == [(0, schema), (1, schema)]
        assert [tx.clocks for tx in dump.transitions()] == [(5, 5), (1, 0), (1, 1)]


def test_two_pages_that_think_they_are_the_same_are_both_recorded(desk: Desk) -> None:
    one, two = simple_schema("m", "A", "B"), simple_schema("m", "A", "C")
    lines = [desk.connect("one"), desk.connect("two")]
    lines[0].send(0, [one])
    lines[1].send(0, [two])
    sent: list[Message] = []
    for n in range(9):
        tx = simple_tx("m", n, n, 1000 * (n % 2))
        lines[n % 2].send(n // 2, [tx])
        sent.append(tx)
    with stored(desk) as dump:
        assert list(dump.transitions("m")) == stamped(sent)
        assert dict(dump.schemas("m")) == {n: (one, two)[n % 2] for n in range(9)}


def test_the_end_of_an_older_life_is_not_the_end_of_the_new_one(desk: Desk) -> None:
    schema = simple_schema("m", "A")
    old, new = desk.connect("old"), desk.connect("new")
    old.send(0, [schema, simple_tx("m", 1, 5)])
    new.send(0, [schema, simple_tx("m", 2, 1)])
    old.send(1, [GoneMsg("m", 9)])
    new.send(1, [simple_tx("m", 3, 2)])
    with stored(desk) as dump:
        assert dump.gone() == {}
        assert [tx.clocks for tx in dump.transitions()] == [(5,), (1,), (2,)]
    new.send(2, [GoneMsg("m", 10)])
    with stored(desk) as dump:
        assert dump.gone() == {"m": 10}


def test_a_rotation_in_mid_stream_changes_nothing_for_the_streams(desk: Desk) -> None:
    line = desk.connect()
    txs = [simple_tx("m", n, n, n // 2, called=(n % 2,)) for n in range(200)]
    line.send(0, [simple_schema("m", "A", "B"), simple_schema("n", "A"), GoneMsg("n")])
    found: list[TxMsg] = []
    for n in range(0, 200, 50):
        line.send(n + 1, txs[n : n + 50])
        desk.commit()
        target = desk.store.path.with_name(f"{n}.sqlite")
        desk.store.rotate(target)
        with SqliteDump(target) as dump:
            found += dump.transitions()
    assert found == stamped(txs)


# --- too much


def test_machines_beyond_the_limit_are_left_out_and_counted(desk: Desk) -> None:
    desk.most = 2
    line = desk.connect()
    schemas = [simple_schema(f"m{n}", "A") for n in range(3)]
    line.send(0, schemas)
    line.send(0, [simple_tx(f"m{n % 3}", n, n) for n in range(6)])
    assert line.intake.stream.next == 6
    assert line.intake.stream.lost == {"m2": 2}
    with stored(desk) as dump:
        assert dump.machines() == ["m0", "m1"]
        assert dump.count() == 4
    with pytest.raises(DbgWireError, match="more than 4 machines"):
        line.send(6, [simple_schema(f"x{n}", "A") for n in range(3)])


def test_sources_beyond_the_limit_are_still_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amctl.dump.sqlite._append.NAMES", 2)
    line = desk.connect()
    ids = ["00000000000000ff", "00000000000000ff-3", "", "x"]
    txs = [
        simple_tx("m", n, n, source=SourceRef(f"from{n}", ids[n % 4], n * 2**61)) for n in range(8)
    ]
    line.send(0, [simple_schema("m", "A"), *txs])
    with stored(desk) as dump:
        assert list(dump.transitions()) == stamped(txs)


def test_numbers_that_are_left_out_are_a_gap(desk: Desk) -> None:
    line = desk.connect()
    line.send(0, [simple_schema("m", "A"), simple_tx("m", 0, 0)])
    line.send(5, [simple_tx("m", 5, 5)])
    assert desk.gaps == [GapMsg(4, "numbers left out", until_ns=NOW)]
    with stored(desk) as dump:
        assert dump.gaps() == desk.gaps
        assert dump.count() == 2
    assert desk.store.place("s") == 6


# --- what is wrong

TX: list[Any] = [1, 0, 5, 8, [0], [1, 1], 1, 2, 3, None, None]


def changed(at: int, value: object) -> list[Any]:
    return [*TX[:at], value, *TX[at + 1 :]]


@pytest.mark.parametrize(
    "message",
    [
        pytest.param([], id="nothing"),
        pytest.param([9], id="no such kind"),
        pytest.param(["x"], id="kind of a text"),
        pytest.param(7, id="no array"),
        pytest.param(TX[:5], id="too short"),
        pytest.param(changed(1, 1), id="unknown machine"),
        pytest.param(changed(1, None), id="no machine"),
        pytest.param(changed(2, -1), id="negative id"),
        pytest.param(changed(2, [1]), id="half an id"),
        pytest.param(changed(2, [1, 2, 3]), id="three halves of an id"),
        pytest.param(changed(2, 1.5), id="broken id"),
        pytest.param(changed(3, True), id="flags of a bool"),
        pytest.param(changed(4, [2]), id="called beyond"),
        pytest.param(changed(4, [-1]), id="called before"),
        pytest.param(changed(4, [[]]), id="called list"),
        pytest.param(changed(5, [1]), id="odd increments"),
        pytest.param(changed(5, [2, 1]), id="increment beyond"),
        pytest.param(changed(5, [0, -1]), id="going down"),
        pytest.param(changed(5, "x"), id="increments of a text"),
        pytest.param(changed(6, "x"), id="queue tick of a text"),
        pytest.param(changed(7, -1), id="before time"),
        pytest.param(changed(9, []), id="empty source"),
        pytest.param(changed(9, ["m", 1, -1]), id="source before time"),
        pytest.param(changed(10, []), id="extra of a list"),
        pytest.param(changed(10, {"st": [1, 2, 3]}), id="cut steps"),
        pytest.param(changed(10, {"st": [1, 2, 0, 0, 0]}), id="step from beyond"),
        pytest.param(changed(10, {"st": [1, 0, -2, 0, 0]}), id="step from before"),
        pytest.param(changed(10, {"st": [-1, 0, 0, 0, 0]}), id="step of no kind"),
        pytest.param(changed(10, {"lo": [[1]]}), id="half a line"),
        pytest.param(changed(10, {"ar": {"a": 1}}), id="args that are no text"),
        pytest.param(changed(10, {"re": ["a"]}), id="half a reason"),
        pytest.param(changed(10, {5: 1}), id="keys that are no text"),
        pytest.param([0, 0, "other", [], [], "", [], {}, [], 0], id="a number twice"),
        pytest.param([0, 1, "x", ["A"], [], "", [], {}, [], 0], id="state without definition"),
        pytest.param([2, 7, "", "", "", "", False, 0], id="no such pipe"),
        pytest.param([3, -1, "", "", 0, 0], id="negative gap"),
        pytest.param([4, None, 0], id="nobody is gone"),
    ],
)
def test_wrong_messages_end_the_connection_and_leave_the_dump_sound(
    desk: Desk, message: object
) -> None:
    pack = pure_codec().pack
    line = desk.connect()
    good = [simple_tx("m", 1, 1, 1), simple_tx("m", 2, 1, 3)]
    line.send(0, [simple_schema("m", "A", "B"), *good])
    frame = pack([1, 2, [[*TX[:2], 3, *TX[3:]], message]])
    with pytest.raises((DbgWireError, DecodeError)):
        line.raw(len(frame).to_bytes(4, "big") + frame)
    again = desk.connect()
    again.send(line.intake.stream.next, [simple_schema("m", "A", "B"), simple_tx("m", 9, 9, 9)])
    with stored(desk) as dump:
        clocks = [tx.clocks for tx in dump.transitions("m")]
    assert clocks in ([(1, 1), (1, 3), (9, 9)], [(1, 1), (1, 3), (1, 4), (9, 9)])


def test_numbers_do_not_go_back(desk: Desk) -> None:
    line = desk.connect()
    line.send(0, [GoneMsg("a"), GoneMsg("b")])
    with pytest.raises(DbgWireError, match="numbers from 1, 2 was next"):
        line.send(1, [GoneMsg("c")])
    with pytest.raises(DbgWireError, match="numbers from"):
        desk.connect("t").send(1 << 62, [])


def test_increments_need_a_vector_to_go_on_from(desk: Desk) -> None:
    line = desk.connect()
    line.send(0, [simple_schema("m", "A", "B")])
    frame = pure_codec().pack([1, 0, [TX]])
    with pytest.raises(DbgWireError, match="before its whole vector"):
        line.raw(len(frame).to_bytes(4, "big") + frame)


def test_a_sender_may_choose_longer_spellings_and_newer_fields(desk: Desk) -> None:
    """Arrays of 16 bits length; fields and keys that nobody knows yet."""
    pack = pure_codec().pack
    line = desk.connect()
    line.send(0, [simple_schema("m", "A", "B"), simple_tx("m", 1, 1, 1)])
    tx = [*TX[:10], {"zz": 1, "mq": 7, "so": ["no", "", 1]}, "new"]
    body = pack([1, 1, [tx]])
    frame = b"\xdc\x00\x03" + body[1:]
    line.raw(len(frame).to_bytes(4, "big") + frame)
    with stored(desk) as dump:
        last = list(dump.transitions())[-1]
    assert (last.clocks, last.mut_queue_tick, last.source) == ((1, 2), 7, None)
