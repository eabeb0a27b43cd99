"""Export (debugger_ui.md 43)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.debugger.exporting import ENDINGS, Export, frame, with_ending
from amctl.debugger.session import Session
from amctl.debugger.store import Store
from amctl.dump.errors import DumpError, DumpExistsError
from amctl.telemetry.messages import TxMsg
from tests.debugger.panes import at, place_in_the_run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("ending", [".jsonl.zst", ".sqlite", ".gob.br", ".jsonl"])
def test_s43_what_was_written_is_the_same_recording(ending: str, tmp_path: Path) -> None:
    session = place_in_the_run("orchestrator", 20)
    export = Export(session, tmp_path / f"out{ending}")
    rounds = 1
    while not export.step(200):
        rounds += 1
    store = Store.open(tmp_path / f"out{ending}")
    assert rounds > 1
    assert export.count == export.total == store.count == session.store.count
    assert sorted(store.machines) == sorted(session.store.machines)
    record, other = store.record("orchestrator", 20), session.record
    assert record is not None
    assert other is not None
    assert (record.tx.id, record.after) == (other.tx.id, other.after)


def test_s43_single_frame_is_the_moment_of_all_machines(tmp_path: Path) -> None:
    session = place_in_the_run("orchestrator", 20)
    found = [message for message in frame(session) if isinstance(message, TxMsg)]
    assert session.record is not None
    assert session.record.tx.id in [tx.id for tx in found]
    assert len({tx.machine_id for tx in found}) == len(found)
    assert all(tx.time_ns <= session.moment for tx in found)
    export = Export(session, tmp_path / "frame", single=True)
    assert export.step(10_000)
    again = Session.open(export.path, follow=False)
    again.work_all()
    assert again.store.count == len(found)
    assert again.store.record("orchestrator", 1).after == session.record.after  # type: ignore[union-attr]


def test_only_the_machine(tmp_path: Path) -> None:
    session = place_in_the_run("orchestrator", 20)
    export = Export(session, tmp_path / "one.sqlite", machine="orchestrator")
    assert export.step(10_000)
    assert Store.open(export.path).machines == ("orchestrator",)


def test_nothing_stands_there_before_it_is_whole(tmp_path: Path) -> None:
    export = Export(at(3), tmp_path / "x.jsonl")
    assert not export.step(2)
    export.abandon()
    export.abandon()
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("mine")
    with pytest.raises(DumpExistsError):
        Export(at(3), tmp_path / "x.jsonl")
    with pytest.raises(DumpError):
        Export(at(3), tmp_path / "nowhere" / "x.jsonl")
    assert (tmp_path / "x.jsonl").read_text() == "mine"


def test_a_name_without_an_ending_gets_one() -> None:
    assert with_ending("a") == f"a{ENDINGS[0]}"
    assert with_ending("a.b.SQLITE") == "a.b.SQLITE"
