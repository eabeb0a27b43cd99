"""The call log (debugger_ui.md 2.11)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from amctl.debugger.face import calls
from amctl.debugger.face.calls import CallLog, calls_of, file_name
from amctl.debugger.filters import Filters
from amctl.debugger.session import Session
from amctl.debugger.store import Store
from tests.debugger.histories import history, lines, tx
from tests.debugger.panes import at

if TYPE_CHECKING:
    from amctl.dump.memory import MemoryDump
    from amctl.telemetry.messages import TxMsg

HANDLERS = lines("[handler:0] StartState", "[handler:1] StartState", level=3)


def looking(dump: MemoryDump) -> Session:
    """At all of it."""
    session = Session(Store(dump), Filters.none(), follow=False)
    session.work_all()
    return session


def called(number: int) -> TxMsg:
    """A transition with two handlers."""
    return tx("a", number, (number, 0, 0, 0), called=(0,), logs=HANDLERS)


def test_calls_come_from_the_log_or_else_from_the_steps() -> None:
    session = at(3)
    assert session.record is not None
    assert calls_of(session.record) == ("OnState",)
    stepwise = history(tx("a", 1, (1, 0, 0, 0), called=(0,)))
    assert calls_of(looking(stepwise).store.record("a", 1)) == ()  # type: ignore[arg-type]


def test_s211_a_file_of_calls_grows_and_a_new_one_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "CALLS", 4)
    monkeypatch.setattr(calls, "ACTIVE_EVERY", 3)
    dump = history(called(1))
    session = looking(dump)
    log = CallLog(session, tmp_path)
    assert log.step()
    first = (tmp_path / "a" / "0.go").read_text()
    assert first.splitlines() == [
        "package calls",
        "",
        "func calls0(e *am.Event) {",
        "\t// active: none",
        f"\tStartState(e) // {1:016x} t1 +Start",
        f"\tStartState(e) // {1:016x} t1 +Start",
        "}",
    ]
    dump.write(called(2))
    dump.write(called(3))
    session.refresh()
    assert log.step()
    grown = (tmp_path / "a" / "0.go").read_text()
    assert grown.startswith(first.removesuffix("}\n"))
    assert grown.count("StartState(e)") == 4
    assert grown.count("// active:") == 2
    assert grown.endswith("}\n")
    assert (tmp_path / "a" / "1.go").read_text().count("StartState(e)") == 2


def test_s211_init_is_kept(tmp_path: Path) -> None:
    session = looking(history(called(1)))  # type: ignore[arg-type]
    CallLog(session, tmp_path).step()
    init = tmp_path / "a" / "init.go"
    assert "// 0: Start" in init.read_text()
    init.write_text("mine")
    CallLog(session, tmp_path).step()
    assert init.read_text() == "mine"


def test_slices(tmp_path: Path) -> None:
    session = looking(history(*(called(n) for n in range(1, 8))))
    log = CallLog(session, tmp_path)
    rounds = 1
    while not log.step(2):
        rounds += 1
    assert rounds > 3
    assert (tmp_path / "a" / "0.go").read_text().count("StartState(e)") == 14


@pytest.mark.parametrize(
    ("id", "name"), [("a", "a"), ("../x", ".._x"), ("..", "_.."), ("", "_"), ("a/b\n", "a_b_")]
)
def test_a_machines_id_leads_nowhere_else(id: str, name: str) -> None:
    assert file_name(id) == name
    assert Path("x", file_name(id)).parent == Path("x")
