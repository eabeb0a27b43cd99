"""Every version of the tables that was ever released is read for ever.

The files in tests/cases/dumps/vN.sqlite.gz were written by the amctl of their time, from the
messages below, and are not made again.
"""

from __future__ import annotations

import gzip
import shutil
from typing import TYPE_CHECKING

import pytest

from amctl.dump.memory import MemoryDump
from amctl.dump.sqlite import SqliteDump, SqliteStore, _tables
from amctl.dump.verify import verify
from amctl.machine import StateDef
from amctl.machine.lines import LogLine
from amctl.machine.reasons import Reason
from amctl.machine.steps import Step
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg, SchemaMsg, SourceRef, TxMsg
from tests.dump.same import assert_same
from tests.support.house import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.telemetry.messages import Message

FILES = ROOT / "tests" / "cases" / "dumps"
NOW = 1_700_000_000_000_000_000


def messages_of_version_1() -> list[Message]:
    states = {
        "A": StateDef(auto=True, require=("B",), tags=("x", "y:z")),
        "B": StateDef(multi=True, add=("A",), after=("Elsewhere",)),
        "C": StateDef(remove=("A", "B")),
    }
    lamp = SchemaMsg("lamp", ("A", "B", "C"), states, "hall", ("t", "u:v"), {"all": (0, 1, 2)})
    lamp.groups_order, lamp.time_ns = ("all", "self"), NOW
    more = SchemaMsg("lamp", ("A", "B", "C", "D"), {**states, "D": StateDef()}, time_ns=NOW + 1)
    out: list[Message] = [lamp, SchemaMsg("hall", ("On",), {"On": StateDef()})]
    out.append(PipeMsg("add", "hall", "On", "lamp", "A", time_ns=NOW))
    out += [
        TxMsg("lamp", f"{n:016x}", (n, n // 2, 0), called=(n % 3,), time_ns=NOW + n)
        for n in range(150)
    ]
    odd = TxMsg("lamp", f"{2**64 - 1:016x}", (2**64 - 1, 75, 0), 3, (2, 1), True, False, True)
    odd.queue_tick, odd.mut_queue_tick, odd.queue = 2**64 - 1, 2**63, 7
    odd.source = SourceRef("hall", "5dc94551dd42c9bad77a54d63147afc1-7", 2**63)
    odd.steps = (Step(1, 0, 1, 2), Step(2, -1, 0, 0, True, True, True, "AState"))
    odd.logs, odd.pre_logs = (LogLine(2, "[state] +A"),), (LogLine(3, "line " * 100),)
    odd.args, odd.stack = {"name": "text", "": "\N{SNOWMAN}"}, "somewhere"
    odd.reason = Reason("require", "A", ("B", "C"), "AEnter", "Lamp", "no")
    out.append(odd)
    queued = TxMsg("lamp", f"{2**64 - 1:016x}-12", odd.clocks, is_queued=True, mut_queue_token=5)
    out += [queued, GapMsg(9, "outbox full", "lamp", NOW, NOW + 5), more]
    out += [TxMsg("lamp", "semlogger", (1, 2, 3, 4)), TxMsg("lamp", "", (1,))]
    out += [PipeMsg("add", "hall", "On", "lamp", "A", True, NOW), GoneMsg("hall", NOW + 9)]
    for each in out:
        if isinstance(each, TxMsg):
            each.received_ns = NOW + 10**9
    return out


MESSAGES = {1: messages_of_version_1}


@pytest.fixture(params=sorted(MESSAGES), ids="v{}".format)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, MemoryDump]:
    path = tmp_path / "old.sqlite"
    with gzip.open(FILES / f"v{request.param}.sqlite.gz") as packed, path.open("wb") as file:
        shutil.copyfileobj(packed, file)
    return path, MemoryDump(messages=MESSAGES[request.param]())


def test_an_old_dump_is_read(old: tuple[Path, MemoryDump]) -> None:
    path, expected = old
    with SqliteDump(path) as dump:
        assert_same(dump, expected)
    assert verify(path).problems == []


def test_an_old_dump_is_gone_on_with(old: tuple[Path, MemoryDump]) -> None:
    path, expected = old
    store = SqliteStore(path)
    assert store.place("0123456789abcdef") == 155
    store.close()
    with SqliteDump(path) as dump:
        assert_same(dump, expected)


def test_there_is_a_file_of_every_version() -> None:
    assert sorted(MESSAGES) == list(range(1, _tables.VERSION + 1))
    assert sorted(_tables.MIGRATIONS) == list(range(1, _tables.VERSION))
