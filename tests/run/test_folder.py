"""A folder for one run at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.run.errors import FolderTakenError, RunFolderError
from amctl.run.folder import own_folder

if TYPE_CHECKING:
    from pathlib import Path


def test_a_second_owner_is_turned_away_and_the_next_one_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "tmp"
    with own_folder(folder):
        with pytest.raises(FolderTakenError) as caught, own_folder(folder, "tmp"):
            pass
        assert str(caught.value) == "tmp: another run is using it"
        assert "REPL_DIR=tmp/2" in caught.value.hint
        with own_folder(tmp_path / "other"):
            pass
    with own_folder(folder):
        assert list(folder.iterdir()) == []


def test_a_file_in_its_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "tmp").write_text("")
    with pytest.raises(RunFolderError, match="tmp: can't be used"), own_folder(tmp_path / "tmp"):
        pass
