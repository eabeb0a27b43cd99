"""Files for the original's tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.dump.errors import DumpFormatError, DumpFullError, UnknownMachineError
from amctl.dump.gob import GobWriter, encode_gob, read_gob
from amctl.telemetry.messages import SchemaMsg, TxMsg
from tests.dump.gob.samples import FIXTURE, VERSION, dump_of, everything, packed

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.dump.model import DumpWriter
    from amctl.telemetry.messages import Message

SCHEMA = SchemaMsg("m", ("A",), {})


def test_the_same_recording_makes_the_same_bytes() -> None:
    first = packed(everything())
    assert packed(everything()) == first
    assert encode_gob(read_gob(first), VERSION) == first


def test_the_format_has_not_changed() -> None:
    """If it has to: keep the old file as one more that can be read."""
    assert FIXTURE.read_bytes() == packed(everything())


def test_a_writer_leaves_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "x.gob.br"
    writer: DumpWriter = GobWriter(path)
    writer.write(SCHEMA)
    writer.write(TxMsg("m", "1", (1,)))
    assert [*tmp_path.iterdir()] == []
    writer.finish()
    assert [*tmp_path.iterdir()] == [path]
    found = read_gob(path)
    assert found.count("m") == 1
    assert found.meta["version"].startswith("amctl")


def test_a_writer_takes_everything(tmp_path: Path) -> None:
    dump, writer = everything(), GobWriter(tmp_path / "x.gob.br", version=VERSION)
    for machine in dump.machines():
        writer.write(dump.schema(machine))
    messages: list[Message] = [*dump.transitions(), *dump.pipes(), *dump.gaps()]
    for message in messages:
        writer.write(message)
    with pytest.raises(UnknownMachineError):
        writer.write(TxMsg("x", "1", ()))
    writer.finish()
    assert read_gob(tmp_path / "x.gob.br").count() == dump.count()


def test_an_abandoned_writer_leaves_nothing(tmp_path: Path) -> None:
    writer = GobWriter(tmp_path / "x.gob.br")
    writer.write(SCHEMA)
    writer.abandon()
    assert [*tmp_path.iterdir()] == []


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.gob.br").mkdir()
    writer = GobWriter(tmp_path / "x.gob.br")
    with pytest.raises(DumpFullError, match=r"x\.gob\.br: Is a directory"):
        writer.finish()
    assert [one.name for one in tmp_path.iterdir()] == ["x.gob.br"]


def test_an_interrupted_writer_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupted)
    writer = GobWriter(tmp_path / "x.gob.br")
    writer.write(SCHEMA)
    with pytest.raises(KeyboardInterrupt):
        writer.finish()
    writer.abandon()
    assert [*tmp_path.iterdir()] == []


def test_a_number_that_does_not_fit_is_told() -> None:
    with pytest.raises(DumpFormatError, match="dump test: can't be a gob: Clocks: -1 where"):
        packed(dump_of(SCHEMA, TxMsg("m", "1", (-1,))))
