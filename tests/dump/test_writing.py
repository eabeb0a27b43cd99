"""New files of every format: whole or not there, and never in the place of another by accident."""

from __future__ import annotations

import errno
import io
import os
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from amctl.dump.copying import copy
from amctl.dump.errors import (
    DumpBusyError,
    DumpExistsError,
    DumpFullError,
    DumpPlaceError,
    UnknownFormatError,
)
from amctl.dump.opening import open_dump
from amctl.dump.sqlite._lock import WriterLock
from amctl.dump.writing import FORMATS, TEXT_FORMATS, format_of, new_writer, stream_writer
from amctl.telemetry.messages import TxMsg
from tests.support.recordings import lamp

if TYPE_CHECKING:
    from pathlib import Path

READABLE = ("sqlite", "gob.br", "jsonl.zst", "jsonl")


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_stands_under_its_name_when_it_is_finished(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"x.{format}"
    writer = new_writer(path)
    copy(lamp(), writer)
    assert not path.exists()
    writer.finish()
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert path.stat().st_size > 100


@pytest.mark.parametrize("format", READABLE)
def test_what_was_written_reads_back(tmp_path: Path, format: str) -> None:
    writer = new_writer(tmp_path / "noname", format, meta={"run": "r1"})
    copy(lamp(), writer)
    writer.finish()
    dump = open_dump(tmp_path / "noname")
    assert dump.format == format
    assert dump.meta.get("run", "r1") == "r1"
    assert [tx.clocks for tx in dump.transitions()] == [tx.clocks for tx in lamp().transitions()]
    dump.close()


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_abandoned_leaves_nothing(tmp_path: Path, format: str) -> None:
    writer = new_writer(tmp_path / f"x.{format}")
    copy(lamp(), writer)
    writer.abandon()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_is_replaced_unless_that_is_asked_for(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"x.{format}"
    path.write_text("mine")
    with pytest.raises(DumpExistsError, match="is there already"):
        new_writer(path)
    assert path.read_text() == "mine"
    writer = new_writer(path, force=True)
    copy(lamp(), writer)
    assert path.read_text() == "mine"
    writer.finish()
    assert path.read_bytes() != b"mine"


def test_a_file_that_came_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    writer = new_writer(path)
    path.write_text("mine")
    with pytest.raises(DumpExistsError):
        writer.finish()
    writer.abandon()
    assert [each.name for each in tmp_path.iterdir()] == ["x.jsonl"]
    assert path.read_text() == "mine"


@pytest.mark.parametrize("format", ["sqlite", "md"])
def test_a_file_that_a_collector_writes_is_left_alone(tmp_path: Path, format: str) -> None:
    path = tmp_path / "x.sqlite"
    path.write_text("its")
    lock = WriterLock(path, "x")
    with pytest.raises(DumpBusyError, match="another collector"):
        new_writer(path, format, force=True)
    lock.release()
    writer = new_writer(path, "sqlite", force=True)
    lock = WriterLock(path, "x")
    with pytest.raises(DumpBusyError):
        writer.finish()
    writer.abandon()
    lock.release()
    assert [each.name for each in tmp_path.iterdir()] == ["x.sqlite"]
    assert path.read_text() == "its"


def test_nothing_of_what_was_replaced_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    for name in ("x.sqlite", "x.sqlite-wal", "x.sqlite-shm"):
        (tmp_path / name).write_text("its")
    writer = new_writer(path, force=True)
    copy(lamp(), writer)
    writer.finish()
    assert [each.name for each in tmp_path.iterdir()] == ["x.sqlite"]
    with closing(open_dump(path)) as dump:
        assert dump.count() == lamp().count()


def test_only_files_are_replaced(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "null.jsonl"):
        if path != tmp_path:
            path.symlink_to(os.devnull)
        with pytest.raises(DumpPlaceError, match="that is no file"):
            new_writer(path, "jsonl", force=True)


@pytest.mark.parametrize("format", FORMATS)
def test_a_folder_that_isnt_there_is_told(tmp_path: Path, format: str) -> None:
    with pytest.raises(DumpPlaceError, match="there is no folder"):
        new_writer(tmp_path / "no" / f"x.{format}")
    with pytest.raises(DumpPlaceError, match="File name too long"):
        new_writer(tmp_path / f"{'x' * 300}.{format}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", FORMATS)
def test_a_folder_that_is_closed_is_told(
    tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # nothing is closed to root
    with pytest.raises(DumpPlaceError, match="closed to you"):
        new_writer(tmp_path / f"x.{format}")


@pytest.mark.parametrize(
    ("name", "format"),
    [("a.sqlite", "sqlite"), ("a.GOB.BR", "gob.br"), ("b.c/a.jsonl.zst", "jsonl.zst")],
)
def test_the_ending_says_the_format(name: str, format: str) -> None:
    assert format_of(name) == format
    assert format_of(name, "md") == "md"


@pytest.mark.parametrize(("name", "format"), [("a.txt", None), ("sqlite", None), ("a.md", "txt")])
def test_what_says_no_format_is_told_with_those_there_are(name: str, format: str | None) -> None:
    with pytest.raises(UnknownFormatError, match="doesn't say a format") as caught:
        format_of(name, format)
    assert "jsonl.zst" in caught.value.hint


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer: Any = new_writer(tmp_path / "x.jsonl")

    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writer._inner, "_stream", Full())
    copy(lamp(), writer)
    with pytest.raises(DumpFullError, match="No space left on device"):
        writer.finish()
    writer.abandon()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", TEXT_FORMATS)
def test_texts_go_into_any_stream(format: str) -> None:
    stream = io.BytesIO()
    writer = stream_writer(stream, format)
    copy(lamp(), writer)
    writer.finish()
    assert b"lamp" in stream.getvalue()


def test_files_of_their_own_dont() -> None:
    with pytest.raises(UnknownFormatError):
        stream_writer(io.BytesIO(), "sqlite")


@pytest.mark.parametrize("format", ["md", "html"])
def test_a_report_shows_so_many(format: str) -> None:
    stream = io.BytesIO()
    writer = stream_writer(stream, format, limit=1)
    copy(lamp(), writer)
    writer.finish()
    ids = [tx.id for tx in lamp().transitions() if isinstance(tx, TxMsg)]
    assert [id.encode() in stream.getvalue() for id in ids] == [True, False, False]
