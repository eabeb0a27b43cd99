"""What was typed before is there again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from amctl.repl.history import FILE_NAME, JsonHistory, history_file

if TYPE_CHECKING:
    from collections.abc import Callable

BEGAN = datetime(2026, 3, 25, 10, 4, 9, tzinfo=UTC)


def clock() -> Callable[[], datetime]:
    """A second passes with each look."""
    moments = iter(BEGAN + timedelta(seconds=n) for n in range(1000))
    return lambda: next(moments)


async def loaded(path: Path) -> list[str]:
    """Oldest first, as a new REPL reads it."""
    return [line async for line in JsonHistory(path).load()][::-1]


async def test_i2_what_one_repl_stored_the_next_one_reads(tmp_path: Path) -> None:
    path = tmp_path / "history"
    history = JsonHistory(path, clock())
    for line in ("list", "add . StartWork", 'add . X --arg n --val "grüße, \\"du\\""'):
        history.append_string(line)
    assert await loaded(path) == history.get_strings()
    first = json.loads(path.read_text().splitlines()[0])
    assert first == {"datetime": "2026-03-25T10:04:09+00:00", "block": "list"}


async def test_i2_the_file_comes_with_the_first_line_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "history"
    history = JsonHistory(path, clock())
    assert [line async for line in history.load()] == []
    assert not path.exists()
    history.append_string("list")
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    history.append_string("status")
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("line", ["", "   ", "\t", " add . Secret"])
async def test_i2_blank_and_indented_lines_are_not_kept(tmp_path: Path, line: str) -> None:
    path = tmp_path / "history"
    history = JsonHistory(path, clock())
    history.append_string(line)
    assert history.get_strings() == []
    assert not path.exists()


async def test_i2_consecutive_duplicates_are_remembered_once(tmp_path: Path) -> None:
    path = tmp_path / "history"
    history = JsonHistory(path, clock())
    for line in ("list", "list ", "status", "list"):
        history.append_string(line)
    assert history.get_strings() == ["list", "status", "list"]
    assert len(path.read_text().splitlines()) == 4
    assert await loaded(path) == ["list", "status", "list"]


MALFORMED = [b"{", b"[]", b'{"block": 7}', b'"x"', b"null", b"", b"\xff\xfe", b'{"datetime": "x"}']


@pytest.mark.parametrize("line", MALFORMED)
async def test_i2_malformed_lines_are_skipped(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "history"
    path.write_bytes(b'{"block": "one"}\n' + line + b'\n{"block": "two"}\n')
    assert await loaded(path) == ["one", "two"]


async def test_a_torn_last_line_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_bytes(b'{"block": "one"}\n{"block": "to')
    JsonHistory(path, clock()).append_string("three")
    assert await loaded(path) == ["one", "three"]


async def test_two_repls_append_to_one_file(tmp_path: Path) -> None:
    path = tmp_path / "history"
    one, two = JsonHistory(path, clock()), JsonHistory(path, clock())
    one.append_string("a")
    two.append_string("b")
    one.append_string("c")
    assert await loaded(path) == ["a", "b", "c"]


async def test_only_the_end_of_a_huge_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_text("".join(f'{{"block": "line {n:06}"}}\n' for n in range(100_000)))
    lines = await loaded(path)
    assert lines[-1] == "line 099999"
    assert 10_000 < len(lines) < 100_000


async def test_a_file_that_cannot_be_written_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    history = JsonHistory(tmp_path / "nowhere" / "history", clock())
    history.append_string("list")
    history.append_string("status")
    assert history.get_strings() == ["list", "status"]
    assert len(caplog.records) == 1
    assert "what is typed is not kept" in caplog.text


def test_it_stands_in_the_home_folder_else_in_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert history_file() == tmp_path / FILE_NAME
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    assert history_file() == Path(FILE_NAME)
