"""Where the debugging door is: kept for the owner alone, for as long as there is one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from amctl.run.devtools.door import DEVTOOLS_FILE, keep_door, read_door
from amctl.run.errors import NoDoorError

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = "ws://127.0.0.1:4711/devtools/browser/ab-12"


async def test_the_address_is_kept_while_the_browser_lives(tmp_path: Path) -> None:
    profile, folder = tmp_path / "profile", tmp_path / "run"
    profile.mkdir()
    task = asyncio.ensure_future(keep_door(profile, folder))
    await asyncio.sleep(1)
    assert not (folder / DEVTOOLS_FILE).exists()
    (profile / "DevToolsActivePort").write_text("4711\n")
    await asyncio.sleep(1)
    assert not (folder / DEVTOOLS_FILE).exists(), "half a file"
    (profile / "DevToolsActivePort").write_text("4711\n/devtools/browser/ab-12\n")
    await asyncio.sleep(1)
    path = folder / DEVTOOLS_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_door(folder) == ADDRESS
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not path.exists()


def test_a_run_without_one_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(NoDoorError, match="no debugging door") as caught:
        read_door(tmp_path)
    assert "--set BROWSER_DEBUG=1" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ws://example.org:4711/devtools/browser/ab",
        "wss://127.0.0.1:4711/devtools/browser/ab",
        "ws://127.0.0.1:4711/devtools/page/ab",
        "ws://127.0.0.1:4711@example.org:1/devtools/browser/ab",
        "ws://127.0.0.1:0/devtools/browser/ab",
        f"{ADDRESS}\nmore",
        "\u00e4",
    ],
)
def test_nothing_else_is_dialled(tmp_path: Path, text: str) -> None:
    (tmp_path / DEVTOOLS_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(NoDoorError):
        read_door(tmp_path)
