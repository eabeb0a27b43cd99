from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.relay.addrfile import AddressFile
from amctl.relay.security import Target

if TYPE_CHECKING:
    from pathlib import Path


def test_rel_t5_file_is_written_whole_and_removed(tmp_path: Path) -> None:
    file = AddressFile(tmp_path / "deep" / "dir", "repl-a")
    file.write(Target("127.0.0.1", 14011))
    path = tmp_path / "deep" / "dir" / "repl-a.addr"
    assert path.read_text() == "127.0.0.1:14011"
    assert list(path.parent.iterdir()) == [path]
    file.remove()
    assert list(path.parent.iterdir()) == []
    file.remove()


def test_removing_leaves_a_newer_address_alone(tmp_path: Path) -> None:
    old, new = AddressFile(tmp_path, "repl-a"), AddressFile(tmp_path, "repl-a")
    old.write(Target("127.0.0.1", 1))
    new.write(Target("127.0.0.1", 2))
    old.remove()
    assert (tmp_path / "repl-a.addr").read_text() == "127.0.0.1:2"


def test_what_could_not_be_written_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    file = AddressFile(tmp_path / "file", "repl-a")
    with pytest.raises(OSError, match="exists"):
        file.write(Target("127.0.0.1", 1))
    file.remove()
    written = AddressFile(tmp_path / "dir", "repl-a")
    written.write(Target("127.0.0.1", 1))
    (tmp_path / "dir").rename(tmp_path / "moved")
    (tmp_path / "dir").touch()
    written.remove()
    assert (tmp_path / "moved" / "repl-a.addr").exists()


def test_removing_what_was_never_written_does_nothing(tmp_path: Path) -> None:
    (tmp_path / "repl-a.addr").write_text("")
    AddressFile(tmp_path, "repl-a").remove()
    assert (tmp_path / "repl-a.addr").exists()
