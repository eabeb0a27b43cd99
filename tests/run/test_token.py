"""The run's secret."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from amctl.run.errors import RunFolderError, SettingsError
from amctl.run.token import make_token, token_file

if TYPE_CHECKING:
    from pathlib import Path


def test_each_run_has_another_token_unless_one_was_chosen() -> None:
    assert make_token({}) != make_token({})
    assert len(make_token({})) >= 32
    assert make_token({"AMCTL_TOKEN": "mine"}) == "mine"


@pytest.mark.parametrize("bad", ["a b", "ü", "a\nb", "x" * 600])
def test_a_chosen_token_must_fit_a_header(bad: str) -> None:
    with pytest.raises(SettingsError, match="AMCTL_TOKEN") as caught:
        make_token({"AMCTL_TOKEN": bad})
    assert bad not in str(caught.value), "it is a secret"


def test_the_file_is_its_owners_alone_and_goes_with_the_run(tmp_path: Path) -> None:
    with token_file(tmp_path / "new" / "tmp", "secret") as path:
        assert path.read_text() == "secret"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list((tmp_path / "new" / "tmp").iterdir()) == []


def test_what_a_killed_run_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("old")
    (tmp_path / "token").chmod(0o644)
    with token_file(tmp_path, "new") as path:
        assert path.read_text() == "new"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_another_runs_token_is_left_alone(tmp_path: Path) -> None:
    with token_file(tmp_path, "mine") as path:
        path.write_text("theirs")
    assert path.read_text() == "theirs"


def test_a_folder_in_the_way_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "token").mkdir()
    with pytest.raises(RunFolderError, match=r"token: can't be written") as caught:
        token_file(tmp_path, "x").__enter__()
    assert "REPL_DIR" in caught.value.hint
    assert [p.name for p in tmp_path.iterdir()] == ["token"]


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "tmp").write_text("")
    with pytest.raises(RunFolderError):
        token_file(tmp_path / "tmp", "x").__enter__()
