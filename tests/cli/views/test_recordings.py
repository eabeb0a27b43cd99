"""Recordings as lines: nothing of a recording moves a cursor, everything fits a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console
from rich.text import Text

from amctl.cli.options import GlobalOptions
from amctl.cli.views.recordings import (
    EntryStyle,
    diff_lines,
    entry_detail,
    entry_lines,
    listing_lines,
    show_lines,
)
from amctl.dump.diff import diff
from amctl.dump.following import Follower
from amctl.dump.listing import list_dump
from amctl.dump.memory import MemoryDump
from amctl.machine.lines import LogLine
from amctl.machine.reasons import Reason
from amctl.telemetry.messages import GapMsg, GoneMsg, Message, SchemaMsg, SourceRef, TxMsg
from tests.support.recordings import BEGAN, HOSTILE, lamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from amctl.dump.following import Entry


def plain_of(lines: Iterable[Text]) -> str:
    return "".join(f"{line.plain.rstrip()}\n" for line in lines)


def entries_of(dump: MemoryDump) -> list[Entry]:
    schemas = [dump.schema(machine) for machine in dump.machines()]
    return list(Follower().entries([*schemas, *dump.transitions()]))


def house() -> MemoryDump:
    dump = lamp()
    for name, parent in (("kid", "lamp"), ("grandkid", "kid"), ("stranger", "nobody")):
        dump.write(SchemaMsg(name, ("A", "ErrB", "Exception"), {}, parent=parent))
    more: dict[str, Any] = {
        "reason": Reason("require", "A", ("B",), "AEnter", "b", "why"),
        "source": SourceRef("lamp", "1", 3),
        "pre_logs": (LogLine(1, "before it"),),
        "logs": (LogLine(2, "in it"),),
        "stack": "one\ntwo",
        "queue": 2,
        "mut_queue_tick": 7,
    }
    bad = TxMsg("kid", "ab", (1, 1, 0), called=(0,), accepted=False, **more)
    dump.write(bad)
    dump.write(GoneMsg("kid", 1))
    return dump


def test_a_listing_reads_well(golden: Callable[[str, str], None]) -> None:
    golden("views/dump_list.txt", plain_of(listing_lines(list_dump(house()))))


def test_entries_read_well(golden: Callable[[str, str], None]) -> None:
    style = EntryStyle(BEGAN, steps=True, logs=True)
    lines = [line for entry in entries_of(house()) for line in entry_lines(entry, style)]
    golden("views/dump_inspect.txt", plain_of(lines))


def test_a_detail_reads_well(golden: Callable[[str, str], None]) -> None:
    last = entries_of(house())[-1]
    golden("views/dump_detail.txt", plain_of(entry_detail(last, BEGAN)))


def test_a_difference_reads_well(golden: Callable[[str, str], None]) -> None:
    other = lamp()
    other.write(TxMsg("lamp", "f" * 16, (2, 1, 2, 1, 0, 0), 1, (0,), time_ns=BEGAN + 10**9))
    other.write(SchemaMsg("kid", ("A", "C"), {}))
    other.write(TxMsg("kid", "ab", (1, 0), called=(0,)))
    other.write(GapMsg(3, "x"))
    golden("views/dump_diff.txt", plain_of(diff_lines(diff(house(), other))))


def test_parents_in_a_circle_are_all_listed() -> None:
    dump = MemoryDump("x")
    for name, parent in (("a", "b"), ("b", "a"), ("c", "c")):
        dump.write(SchemaMsg(name, (), {}, parent=parent))
    rows = plain_of(listing_lines(list_dump(dump))).splitlines()[4:]
    assert [row.split()[0] for row in rows] == ["c", "b", "a"]


def test_an_empty_one_has_no_table() -> None:
    lines = plain_of(listing_lines(list_dump(MemoryDump("x"))))
    assert lines == "x\n0 machines, 0 transitions\n"


def test_what_is_missing_is_told() -> None:
    dump = MemoryDump("x", messages=[GapMsg(0, "cut")])
    assert "an unknown number of messages known to be missing" in plain_of(
        listing_lines(list_dump(dump))
    )


def test_errors_stand_first_and_are_red() -> None:
    dump = MemoryDump(messages=[SchemaMsg("m", ("A", "ErrB"), {}), TxMsg("m", "1", (1, 1))])
    row = [*listing_lines(list_dump(dump))][-1]
    assert row.plain.endswith("ErrB, A")
    assert [span.style for span in row.spans] == ["red"]


def test_short_ids_keep_what_tells_them_apart() -> None:
    """The ids of one run begin alike."""

    def line(id: str) -> str:
        entry = Follower().take(TxMsg("m", id, ()))
        assert entry is not None
        return next(entry_lines(entry, EntryStyle(whole_ids=False, machines=0))).plain.split()[1]

    assert line("0123456789abcdef") == "0123456789abcdef"
    assert line("0123456789abcdef-12") == "0123456789abcdef-12"
    assert line("0123456789abcdef" * 2) == "0123456789abcdef"
    assert line("semlogger") == "semlogger"


def test_long_names_are_whole_where_nothing_is_cut() -> None:
    dump = MemoryDump(messages=[SchemaMsg("m" * 40, (), {})])
    assert "m" * 40 not in plain_of(listing_lines(list_dump(dump)))
    assert "m" * 40 in plain_of(listing_lines(list_dump(dump), whole=True))


def test_nothing_recorded_reaches_the_terminal_as_it_is() -> None:
    bad = HOSTILE + "\x1b[2J[red]"
    more: dict[str, Any] = {
        "reason": Reason(bad, bad, (bad,), bad, bad, bad),
        "source": SourceRef(bad, bad),
        "args": {bad: bad},
        "pre_logs": (LogLine(1, bad),),
        "logs": (LogLine(1, bad),),
        "stack": bad,
    }
    schema, tx = SchemaMsg(bad, (bad,), {}, parent=bad), TxMsg(bad, bad, (1,), called=(0,), **more)
    messages: list[Message] = [schema, tx]
    dump = MemoryDump(bad, messages=messages)
    (entry,) = entries_of(dump)
    style = EntryStyle(steps=True, logs=True)
    other = MemoryDump(bad, messages=[schema, TxMsg(bad, bad, (2,), called=(0,))])
    text = "".join(
        map(
            plain_of,
            (
                listing_lines(list_dump(dump)),
                entry_lines(entry, style),
                entry_detail(entry, 0),
                diff_lines(diff(dump, other)),
                diff_lines(diff(dump, MemoryDump(bad))),
            ),
        )
    )
    assert not set(text) & {"\x00", "\x1b", "\u202e"}
    assert "[red]" in text


@pytest.mark.parametrize("width", [40, 80])
def test_lines_fit_a_terminal(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    console = Console(width=width, force_terminal=True, no_color=True, highlight=False)
    monkeypatch.setattr(GlobalOptions, "stdout", lambda _: console)
    long = Text("word " * 50)
    show_lines([*listing_lines(list_dump(house())), long.copy()], GlobalOptions())
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width + 8  # escapes for bold
    assert lines[-1].endswith("…")
    show_lines([long], GlobalOptions(), wrap=True)
    assert len(capsys.readouterr().out.splitlines()) > 2


def test_lines_are_whole_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    show_lines([Text("word " * 50)], GlobalOptions())
    assert capsys.readouterr().out == "word " * 49 + "word\n"
