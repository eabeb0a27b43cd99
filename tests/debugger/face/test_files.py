"""Files of the folder (debugger_ui.md 2.11)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from amctl.debugger.face.files import DIAG_TX, Files, Outputs, next_of, steps_of, tx_text
from amctl.debugger.face.toolbar import Toolbar
from amctl.debugger.face.viewstate import ViewState
from tests.debugger.face.stage import Stage, lines_of
from tests.debugger.panes import at

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Painter:
    """Tells what it was asked for."""

    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def graph(self, dump: object) -> bytes:
        """See `Artist`."""
        return self._drawn("graph")

    def machine(self, dump: object, *args: Any) -> bytes:
        """See `Artist`."""
        return self._drawn("machine", *args)

    def state(self, dump: object, *args: Any) -> bytes:
        """See `Artist`."""
        return self._drawn("state", *args)

    def steps(self, dump: object, *args: Any) -> bytes:
        """See `Artist`."""
        return self._drawn("steps", *args)

    def _drawn(self, *words: Any) -> bytes:
        self.asked.append(words)
        return b"<svg/>"


def everything(tmp_path: Path, painter: Painter | None = None, **more: Any) -> Files:
    """All files there are."""
    outputs = Outputs(
        str(tmp_path), tx=True, log=True, clients=True, graph=True, call_log=True, **more
    )
    return Files(at(3), ViewState(log_level=3), outputs, painter)


@pytest.mark.realtime
async def test_s211_texts(tmp_path: Path) -> None:
    files = everything(tmp_path)
    await files.write()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "call-log", "clients.txt", "diagrams", "graph.md", "graph.xml", "log.md", "tx.md",
    ]  # fmt: skip
    text = (tmp_path / "tx.md").read_text()
    assert text.startswith(f"# mach://lamp/{3:016x}\n")
    for word in ("## Steps", "6. handler OnState", "## Executed", "machine time: 4 (+2)"):
        assert word in text
    assert "[state] +On -Off (by=hand)" in (tmp_path / "log.md").read_text()
    assert (tmp_path / "clients.txt").read_text() == "lamp |3+ #home #addr:1\n"
    assert "### States" in (tmp_path / "graph.md").read_text()
    assert (tmp_path / "graph.xml").read_text().startswith("<graph>")
    assert "OnState(e)" in (tmp_path / "call-log" / "lamp" / "0.go").read_text()


@pytest.mark.realtime
async def test_s211_texts_follow_the_cursor(tmp_path: Path) -> None:
    files = everything(tmp_path)
    await files.write()
    files.session.first()
    await files.write()
    assert "before the first transition" in (tmp_path / "tx.md").read_text()
    assert tx_text(files.session) == (tmp_path / "tx.md").read_text()


@pytest.mark.realtime
async def test_s211_diagrams_are_cached_and_links_lead_to_them(tmp_path: Path) -> None:
    painter = Painter()
    files = everything(tmp_path, painter, diagrams=2)
    files.session.select_state("On")
    await files.write()
    assert [words[0] for words in painter.asked] == ["machine", "state", "graph", "steps"]
    for link in ("mach", "state", "graph", "steps"):
        assert (tmp_path / f"am-vis-{link}.svg").read_text() == "<svg/>"
    await files.write()
    assert len(painter.asked) == 4
    files.session.move(1)
    await files.write()
    assert painter.asked[4:] == [("steps", "lamp", f"{4:016x}", None, True)]


@pytest.mark.realtime
async def test_s211_a_group_leaves_states_out(tmp_path: Path) -> None:
    painter = Painter()
    files = everything(tmp_path, painter, diagrams=1)
    files.session.select_group("self")
    await files.write()
    group = frozenset({"Plugged", "On"})
    assert painter.asked[0] == ("machine", "lamp", 1, group)
    assert painter.asked[-1] == ("steps", "lamp", f"{3:016x}", group, True)
    files.outputs.diag_group = "skip"
    files.session.set_filters(files.session.filters)
    files.session.move(1)  # calls Off, which is in another group
    painter.asked.clear()
    await files.write()
    assert "steps" not in [words[0] for words in painter.asked]


@pytest.mark.parametrize(
    ("kind", "states"),
    [
        ("called", {"On"}),
        ("mutated", {"On", "Off"}),
        ("touched", None),
        ("relations", None),
    ],
)
def test_diag_tx(kind: Any, states: set[str] | None) -> None:
    record = at(3).record
    assert record is not None
    assert steps_of(record, kind) == states


def test_next_of_goes_round() -> None:
    assert next_of(DIAG_TX, "off") == "called"
    assert next_of(DIAG_TX, "relations") == "off"


@pytest.mark.realtime
async def test_what_can_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "diagrams").write_text("in the way")
    files = everything(tmp_path)
    await files.write()
    assert "diagrams" in files.trouble


async def test_without_a_folder_nothing_is_written() -> None:
    files = Files(at(3), ViewState(), Outputs())
    await files.write()
    assert files.trouble == ""


@pytest.mark.realtime
async def test_s28_tools_of_files(tmp_path: Path) -> None:
    bar = Toolbar()
    app = Stage(bar)
    app.outputs = Outputs(str(tmp_path))
    async with app.run_test(size=(130, 8)) as pilot:
        await pilot.pause()
        assert "[ ]diagrams  [R]diag-tx  [H]diag-group  [X]out-tx  [ ]out-log" in lines_of(bar)[2]
        for action in ("diagrams", "diag_tx", "diag_group", "out_tx", "out_log", "call_log"):
            await app.run_action(action)
        await pilot.pause()
        assert "[1]diagrams  [ ]diag-tx  [S]diag-group  [ ]out-tx  [X]out-log" in lines_of(bar)[2]
        assert app.outputs.call_log
        app._start_files()
        await app.workers.wait_for_complete()
        assert (tmp_path / "log.md").exists()
