"""Where machines are looked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from amctl.repl.errors import UsageError
from amctl.repl.finding import Found, Place, Target, name_of, read_token

DEFAULT = Path("run")


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.addr").write_text(text)


def folder_target(folder: Path) -> Target:
    return Target.parse(str(folder), dir=True, default_dir=DEFAULT)


# -- what is meant


def test_without_a_word_it_is_the_folder_of_runs() -> None:
    for text in (None, "", " "):
        target = Target.parse(text, default_dir=DEFAULT)
        assert (target.place, target.path, target.folder) == (Place.FOLDER, DEFAULT, DEFAULT)


def test_a_word_is_what_exists_by_that_name_else_an_address(tmp_path: Path) -> None:
    write(tmp_path, a="localhost:1")
    odd = tmp_path / "odd:1"
    odd.write_text("localhost:2")
    assert Target.parse(str(tmp_path), default_dir=DEFAULT).place is Place.FOLDER
    assert Target.parse(str(tmp_path / "a.addr"), default_dir=DEFAULT).place is Place.FILE
    assert Target.parse(str(odd), default_dir=DEFAULT).place is Place.FILE
    target = Target.parse(" localhost:1/x ", default_dir=DEFAULT)
    assert (target.place, target.addr, str(target)) == (
        Place.ADDRESS,
        "localhost:1/x",
        "localhost:1/x",
    )
    assert target.folder is None


def test_flags_say_what_a_word_is_although_nothing_is_there_yet() -> None:
    folder = Target.parse("later:1", dir=True, default_dir=DEFAULT)
    assert (folder.place, folder.path, str(folder)) == (Place.FOLDER, Path("later:1"), "later:1")
    file = Target.parse("later", file=True, default_dir=DEFAULT)
    assert (file.place, file.path, file.folder) == (Place.FILE, Path("later"), Path())
    assert Target.parse("later.addr", default_dir=DEFAULT).place is Place.FILE


def test_a1_file_and_folder_at_once_is_an_error() -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        Target.parse("x", file=True, dir=True, default_dir=DEFAULT)


def test_other_words_are_errors_with_hints(tmp_path: Path) -> None:
    write(tmp_path, a="localhost:1")
    with pytest.raises(UsageError, match="--file needs the name"):
        Target.parse(None, file=True, default_dir=DEFAULT)
    with pytest.raises(UsageError, match="is a file, no folder"):
        Target.parse(str(tmp_path / "a.addr"), dir=True, default_dir=DEFAULT)
    with pytest.raises(UsageError, match="is a folder, no file"):
        Target.parse(str(tmp_path), file=True, default_dir=DEFAULT)
    with pytest.raises(UsageError, match="there is no file or folder 'no/where'"):
        Target.parse("no/where", default_dir=DEFAULT)
    with pytest.raises(UsageError, match="no file or folder 'orchestrator'") as caught:
        Target.parse("orchestrator", default_dir=DEFAULT)
    assert "a port is missing" in caught.value.hint


# -- what is found


def test_f1_one_file_is_one_address_without_the_space_around_it(tmp_path: Path) -> None:
    path = tmp_path / "odd name"
    path.write_text("\n  localhost:1/ \r\n\n")
    target = Target.parse(str(path), file=True, default_dir=DEFAULT)
    assert target.find() == [Found("odd name", "localhost:1/", path)]
    assert target.addresses() == [("odd name", "localhost:1/")]


def test_f2_a_folder_is_looked_through_with_all_folders_in_it(tmp_path: Path) -> None:
    write(tmp_path, b="localhost:2 \n", a10="localhost:10", a9="localhost:9")
    write(tmp_path / "deep" / "er", c="localhost:3")
    (tmp_path / "token").write_text("x")
    (tmp_path / ".a.addr.123").write_text("localhost:99")
    (tmp_path / "d.txt").write_text("localhost:98")
    assert folder_target(tmp_path).addresses() == [
        ("a9.addr", "localhost:9"),
        ("a10.addr", "localhost:10"),
        ("b.addr", "localhost:2"),
        ("deep/er/c.addr", "localhost:3"),
    ]


def test_files_of_one_name_in_two_folders_have_two_keys(tmp_path: Path) -> None:
    write(tmp_path / "one", x="localhost:1")
    write(tmp_path / "two", x="localhost:2")
    assert [key for key, _ in folder_target(tmp_path).addresses()] == ["one/x.addr", "two/x.addr"]


def test_an_address_in_two_files_is_one_machine(tmp_path: Path) -> None:
    write(tmp_path, a="localhost:1", b="localhost:1", c="localhost:2")
    assert [key for key, _ in folder_target(tmp_path).addresses()] == ["a.addr", "c.addr"]
    (tmp_path / "a.addr").unlink()
    assert [key for key, _ in folder_target(tmp_path).addresses()] == ["b.addr", "c.addr"]


def test_nothing_there_is_nothing_found(tmp_path: Path) -> None:
    assert folder_target(tmp_path).find() == []
    assert folder_target(tmp_path / "later").find() == []
    gone = Target.parse(str(tmp_path / "later"), file=True, default_dir=DEFAULT)
    assert gone.find() == []


def test_a_file_that_cannot_be_used_is_told_and_others_are_found(tmp_path: Path) -> None:
    write(tmp_path, a="localhost:1", b="", c="nonsense", d="\x00\x01")
    (tmp_path / "e.addr").mkdir()
    (tmp_path / "f.addr").write_bytes(b"\xff\xfe")
    (tmp_path / "g.addr").symlink_to(tmp_path / "gone")
    target = folder_target(tmp_path)
    found = target.find()
    assert [one.key for one in found] == ["a.addr", "b.addr", "c.addr", "d.addr", "f.addr"]
    assert target.addresses() == [("a.addr", "localhost:1")]
    assert found[1].problem == f"{tmp_path / 'b.addr'} is empty"
    assert "address 'nonsense' can't be read; a port is missing" in found[2].problem


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    loop = tmp_path / "loop.addr"
    loop.symlink_to(loop)
    (found,) = folder_target(tmp_path).find()
    assert (found.key, found.addr) == ("loop.addr", "")
    assert "can't be read: " in found.problem


def test_what_should_be_a_folder_and_is_a_file_is_an_error(tmp_path: Path) -> None:
    target = folder_target(tmp_path / "x")
    (tmp_path / "x").write_text("")
    with pytest.raises(NotADirectoryError):
        target.find()


def test_a_folder_that_goes_while_it_is_looked_through_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, a="localhost:1")
    write(tmp_path / "deep", b="localhost:2")
    real = os.scandir

    def scandir(path: str) -> object:
        if os.path.basename(path) == "deep":
            raise FileNotFoundError(2, "gone", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert folder_target(tmp_path).addresses() == [("a.addr", "localhost:1")]


# -- names and tokens


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("worker0-repl.addr", "worker0"),
        ("repl-browser1.addr", "browser1"),
        ("worker0.addr", "worker0"),
        ("deep/er/worker0-repl.addr", "worker0"),
        ("repl-x-repl.addr", "repl-x"),
        ("-repl.addr", "-repl"),
        ("repl-.addr", "repl-"),
        (".addr", ".addr"),
        ("localhost:6452", "localhost:6452"),
    ],
)
def test_f4_names_before_the_handshake(key: str, name: str) -> None:
    assert name_of(key) == name


def test_tokens_stand_beside_address_files_or_above_or_in_the_folder_of_runs() -> None:
    target = Target.parse("tmp", dir=True, default_dir=DEFAULT)
    deep = Found("a/b/x.addr", "localhost:1", Path("tmp/a/b/x.addr"))
    assert [str(path) for path in target.token_files(deep)] == [
        "tmp/a/b/token",
        "tmp/a/token",
        "tmp/token",
        "run/token",
    ]
    file = Target.parse("tmp/x", file=True, default_dir=DEFAULT)
    found = Found("x", "localhost:1", Path("tmp/x"))
    assert [str(path) for path in file.token_files(found)] == ["tmp/token", "run/token"]
    plain = Target.parse("localhost:1", default_dir=DEFAULT)
    assert [str(p) for p in plain.token_files(plain.find()[0])] == ["run/token"]


def test_the_first_token_that_can_be_read_counts(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("gone", "empty", "binary", "good", "late")]
    paths[1].write_text(" \n")
    paths[2].write_bytes(b"\xff")
    paths[3].write_text("secret\n")
    paths[4].write_text("other")
    assert read_token(paths) == "secret"
    assert read_token(paths[:3]) == ""
