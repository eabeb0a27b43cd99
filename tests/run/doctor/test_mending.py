"""What is mended without asking."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from amctl.run.doctor.mending import tidy
from amctl.run.folder import own_folder

if TYPE_CHECKING:
    from pathlib import Path


def leftovers(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "a.addr").write_text("localhost:1")
    (folder / "token").write_text("x")
    (folder / "token").chmod(0o644)
    (folder / "amctl.log").write_text("kept")


def test_leftovers_of_a_killed_run_go(tmp_path: Path) -> None:
    leftovers(tmp_path)
    done = list(tidy(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {"amctl.log"}
    assert len(done) == 3


def test_what_a_run_uses_stays_and_its_token_becomes_private(tmp_path: Path) -> None:
    leftovers(tmp_path)
    with own_folder(tmp_path):
        (done,) = tidy(tmp_path)
    assert "owner only" in done
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    assert (tmp_path / "a.addr").exists()


def test_no_folder_no_work(tmp_path: Path) -> None:
    assert list(tidy(tmp_path / "none")) == []
