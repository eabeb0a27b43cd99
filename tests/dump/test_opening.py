"""Any recording, by what it is and not by how it is called."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from amctl.dump import opening
from amctl.dump.copying import copy
from amctl.dump.errors import DumpError, DumpFormatError, DumpNotFoundError
from amctl.dump.jsonl import TextLimits
from amctl.dump.opening import open_dump
from amctl.dump.writing import new_writer
from tests.dump.test_fetching import says, served
from tests.support.recordings import lamp

if TYPE_CHECKING:
    from collections.abc import Callable

FORMATS = ("sqlite", "gob.br", "jsonl.zst", "jsonl")


def lay(path: Path, format: str | None = None) -> Path:
    writer = new_writer(path, format)
    copy(lamp(), writer)
    writer.finish()
    return path


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", ["x", "x.sqlite", "x.gob.br"])
def test_the_content_says_what_it_is(tmp_path: Path, format: str, name: str) -> None:
    dump = open_dump(lay(tmp_path / name, format))
    assert (dump.format, dump.count(), dump.name) == (format, 3, str(tmp_path / name))
    dump.close()


@pytest.mark.realtime
@pytest.mark.parametrize("format", FORMATS)
def test_a_url_is_fetched_and_goes_when_it_is_closed(
    tmp_path: Path, temporary: Path, format: str
) -> None:
    body = lay(tmp_path / "x", format).read_bytes()
    with served(says(body=body)) as url:
        dump = open_dump(url)
    assert (dump.format, dump.count(), dump.name) == (format, 3, url)
    dump.close()
    assert list(temporary.iterdir()) == []


@pytest.mark.realtime
@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"SQLite format 3\0nope", b"\x28\xb5\x2f\xfdxxxx"]
)
def test_a_url_that_is_no_recording_leaves_nothing(temporary: Path, body: bytes) -> None:
    with served(says(body=body)) as url, pytest.raises(DumpFormatError, match=url):
        open_dump(url)
    assert list(temporary.iterdir()) == []


@pytest.mark.realtime
def test_a_url_is_capped(temporary: Path) -> None:
    with served(says()) as url, pytest.raises(DumpFormatError, match="more than 10 bytes"):
        open_dump(url, max_bytes=10)
    assert list(temporary.iterdir()) == []


def test_the_originals_name_stands_for_ours_beside_it(tmp_path: Path) -> None:
    lay(tmp_path / "am-dbg-dump.sqlite")
    said: list[str] = []
    dump = open_dump(tmp_path / "am-dbg-dump.gob.br", say=said.append)
    assert dump.format == "sqlite"
    dump.close()
    assert len(said) == 1
    assert "am-dbg-dump.gob.br is not there: opening" in said[0]
    assert said[0].endswith("am-dbg-dump.sqlite")
    lay(tmp_path / "am-dbg-dump.gob.br")
    assert open_dump(tmp_path / "am-dbg-dump.gob.br", say=said.append).format == "gob.br"
    assert len(said) == 1


def test_a_folder_stands_for_its_newest(tmp_path: Path) -> None:
    for at, format in enumerate(FORMATS):
        os.utime(lay(tmp_path / f"x.{format}"), (at, at))
    (tmp_path / "newer.txt").write_text("not me")
    said: list[str] = []
    dump = open_dump(tmp_path, say=said.append)
    assert dump.format == "jsonl"
    assert said == [f"{tmp_path} is a folder: opening {tmp_path / 'x.jsonl'}"]
    (tmp_path / "x.sqlite-wal").touch()  # a collector writes here first
    dump = open_dump(tmp_path)
    assert dump.format == "sqlite"
    dump.close()


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(DumpNotFoundError, match="that folder holds no recording"):
        open_dump(tmp_path)


WRONG: dict[str, tuple[Callable[[Path], object], type[DumpError], str]] = {
    "missing": (lambda path: None, DumpNotFoundError, "there is no such file"),
    "empty": (lambda path: path.touch(), DumpFormatError, "is empty"),
    "text": (lambda path: path.write_text("hello\n"), DumpFormatError, "is text"),
    "noise": (lambda path: path.write_bytes(b"\xff" * 9), DumpFormatError, "no brotli stream"),
    "some json": (lambda path: path.write_text("\n {}\n"), DumpFormatError, "isn't a jsonl"),
    "a page": (lambda path: path.write_text("\n <!doctype html>"), DumpFormatError, "a page of"),
    "gzip": (lambda path: path.write_bytes(gzip.compress(b"x")), DumpFormatError, "unpack it"),
    "other json": (lambda path: path.write_text('{"a": 1}'), DumpFormatError, "isn't a jsonl"),
    "a pipe": (lambda path: os.mkfifo(path), DumpNotFoundError, "that is no file"),
    "half a sqlite": (
        lambda path: path.write_bytes(b"SQLite format 3\0" * 300),
        DumpFormatError,
        "not a database",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_recording_is_told(tmp_path: Path, what: str) -> None:
    make, kind, text = WRONG[what]
    make(tmp_path / "x")
    with pytest.raises(kind, match=text) as caught:
        open_dump(tmp_path / "x")
    assert str(tmp_path / "x") in str(caught.value)


def test_nothing_of_a_name_is_a_url_but_the_web(tmp_path: Path) -> None:
    for scheme in ("file", "ftp", "S3"):
        with pytest.raises(DumpNotFoundError, match=f"dump {scheme}://.*only http and https"):
            open_dump(f"{scheme}://{tmp_path}")


@pytest.mark.parametrize("name", ["x" * 5000, f"{'x' * 300}.gob.br"])
def test_a_name_that_no_file_can_have_is_told(name: str) -> None:
    with pytest.raises(DumpNotFoundError, match="File name too long"):
        open_dump(name)


def test_limits_hold_for_what_unpacks(tmp_path: Path) -> None:
    lay(tmp_path / "x.jsonl.zst")
    with pytest.raises(DumpFormatError, match="unpacks to more than 100 bytes"):
        open_dump(tmp_path / "x.jsonl.zst", limits=TextLimits(size=100))


def test_a_file_that_cant_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    lay(tmp_path / "x.jsonl")
    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(DumpNotFoundError, match="Permission denied"):
        opening.sniff(tmp_path / "x.jsonl", "x")
