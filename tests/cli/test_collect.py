"""`amctl collect` and `amctl relay rotate-dbg` as programs of their own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest
import typer

from amctl.cli._collecting import (
    dump_path,
    gob_target,
    parse_bytes,
    parse_seconds,
    target,
    targets,
)
from amctl.cli.main import run
from tests.support.house import ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "size"), [("10", 10), ("2k", 2000), ("100MB", 100_000_000), ("2GB", 2_000_000_000)]
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_bytes(text) == size


def test_what_cant_be_read_is_named() -> None:
    for parse, text in ((parse_bytes, "1TB"), (parse_seconds, "soon"), (target, "6831")):
        with pytest.raises(typer.BadParameter, match=text):
            parse(text)
    assert target("localhost:1") == ("localhost", 1)
    assert parse_seconds("2m") == 120


def test_debuggers_of_the_original_are_told_apart() -> None:
    assert targets(["a:1", "gob://b:2"]) == ([("a", 1)], [("b", 2)])
    assert gob_target("gob://[::1]:0") == ("::1", 0)


def test_a_dump_is_named_with_or_without_its_suffix() -> None:
    assert dump_path("tmp", "a") == dump_path("tmp", "a.sqlite")


@pytest.mark.parametrize(
    "words",
    [
        ["collect", "-l", "0.0.0.0:0"],
        ["collect", "-l", "0.0.0.0:0", "--allow-remote", "--no-token"],
        ["collect", "--token-file", "no-such-file"],
        ["collect", "--gob-addr", "0.0.0.0:0"],
        ["collect", "--gob-addr", "0.0.0.0:0", "--allow-remote"],
        ["collect", "--gob-addr", "6831"],
        ["relay", "rotate-dbg", "-l", "0.0.0.0:0"],
    ],
)
def test_nobody_from_outside_gets_in_by_mistake(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, "-d", str(tmp_path)]) == 2
    assert "error: " in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@contextlib.asynccontextmanager
async def running(*words: str, **env: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "amctl.cli.main",
        *words,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**{k: v for k, v in os.environ.items() if k != "AMCTL_TOKEN"}, **env},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def said(process: asyncio.subprocess.Process, part: str) -> str:
    assert process.stderr is not None
    async with asyncio.timeout(30):
        while line := await process.stderr.readline():
            if part in line.decode():
                return line.decode()
    raise AssertionError(f"it never said {part!r}")


async def ended(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    async with asyncio.timeout(30):
        out = await process.stdout.read()
        assert await process.wait() == 0
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.parametrize("words", [("collect",), ("relay", "rotate-dbg")])
async def test_it_makes_a_token_and_takes_it_away_again(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    own = [*words, "-l", "127.0.0.1:0", "-d", str(tmp_path), "--json"]
    async with running(*own) as process:
        await said(process, "collector.token")
        await said(process, "collecting on 127.0.0.1:")
        token = tmp_path / "collector.token"
        assert token.stat().st_mode & 0o777 == 0o600
        assert len(token.read_text()) > 20
        process.send_signal(signal.SIGINT)
        done = await ended(process)
    assert done["path"] == str(tmp_path / "am-dbg-dump.sqlite")
    assert (done["transitions"], done["missing"], done["parts"]) == (0, 0, [])
    assert {path.name for path in tmp_path.iterdir()} == {"am-dbg-dump.sqlite"}


@pytest.mark.slow
@pytest.mark.realtime
async def test_it_ends_with_whoever_started_it(tmp_path: Path) -> None:
    own = ["collect", "-l", "127.0.0.1:0", "-d", str(tmp_path), "--end-with-stdin", "--json"]
    async with running(*own, AMCTL_TOKEN="chosen") as process:
        await said(process, "collecting on")
        assert process.stdin is not None
        process.stdin.close()
        assert (await ended(process))["streams"] == 0
    assert {path.name for path in tmp_path.iterdir()} == {"am-dbg-dump.sqlite"}
