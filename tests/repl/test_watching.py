"""Address files that come, go and change."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import watchfiles
from watchfiles import Change

from amctl.repl.finding import Place, Target
from amctl.repl.watching import find_in_thread, watch_files

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable
    from pathlib import Path

Batch = set[tuple[Change, str]]


def folder_target(path: Path) -> Target:
    return Target(Place.FOLDER, path=path)


# -- with a system that tells what the test says


class System:
    """Stands for the operating system: gives batches, and notes who watches what."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches: asyncio.Queue[Batch | Exception] = asyncio.Queue()
        self.calls: list[tuple[str, dict[str, Any]]] = []
        monkeypatch.setattr(watchfiles, "awatch", self.awatch)

    async def awatch(self, place: str, **options: Any) -> AsyncGenerator[Batch, None]:
        self.calls.append((place, options))
        while True:
            batch = await self.batches.get()
            if isinstance(batch, Exception):
                raise batch
            yield batch

    def say(self, *changes: tuple[Change, Path]) -> None:
        self.batches.put_nowait({(change, str(path)) for change, path in changes})


@contextlib.asynccontextmanager
async def watched(target: Target) -> AsyncIterator[Callable[[], Any]]:
    """Gives a function that waits for the next yield."""
    async with contextlib.aclosing(watch_files(target)) as changes:
        yield changes.__anext__


async def test_f5_address_files_tokens_and_folders_are_told_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = System(monkeypatch)
    deep = tmp_path / "deep"
    deep.mkdir()
    async with watched(folder_target(tmp_path)) as change:
        system.say()
        assert await change() == frozenset()  # what came while the watch was set up
        system.say((Change.modified, tmp_path / "log"), (Change.added, tmp_path / "x.txt"))
        system.say((Change.modified, tmp_path / "x.addr"), (Change.modified, tmp_path / "log"))
        assert await change() == {str(tmp_path / "x.addr")}
        system.say((Change.added, deep), (Change.modified, tmp_path / "token"))
        assert await change() == {str(deep), str(tmp_path / "token")}
        system.say((Change.deleted, tmp_path / "was-a-folder"))
        assert await change() == {str(tmp_path / "was-a-folder")}
    ((place, options),) = system.calls
    assert (place, options["recursive"], options["force_polling"]) == (str(tmp_path), True, None)


async def test_without_changes_all_is_looked_at_from_time_to_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = System(monkeypatch)

    async def tick() -> None:
        while True:
            await asyncio.sleep(1)
            system.say((Change.modified, tmp_path / "log"))

    ticking = asyncio.ensure_future(tick())
    async with watched(folder_target(tmp_path)) as change:
        began = asyncio.get_running_loop().time()
        for _ in range(7):
            assert await change() == frozenset()
        assert 60 <= asyncio.get_running_loop().time() - began <= 70
    ticking.cancel()


async def test_a_file_is_watched_however_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = System(monkeypatch)
    async with watched(Target(Place.FILE, path=tmp_path / "odd name")) as change:
        system.say()
        await change()
        system.say((Change.added, tmp_path / "other.addr"))
        system.say((Change.added, tmp_path / "odd name"))
        assert await change() == {str(tmp_path / "odd name")}
    assert system.calls[0][1]["recursive"] is False


async def test_a_folder_that_is_not_there_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = System(monkeypatch)
    folder = tmp_path / "a" / "b"
    async with watched(folder_target(folder)) as change:
        system.say()
        await change()
        system.say((Change.added, tmp_path / "other"))
        system.say((Change.added, tmp_path / "a"))
        assert await change() == {str(tmp_path / "a")}
        assert system.calls[-1][0] == str(tmp_path)
        folder.mkdir(parents=True)
        system.say()
        system.say()
        assert await change() == frozenset()
        assert system.calls[-1][0] == str(folder)
        assert system.calls[-1][1]["recursive"] is True


async def test_f5_what_cannot_be_watched_is_tried_again_by_polling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    system = System(monkeypatch)
    async with watched(folder_target(tmp_path)) as change:
        system.batches.put_nowait(OSError("no more watches"))
        system.batches.put_nowait(RuntimeError("no luck"))
        system.say((Change.added, tmp_path / "x.addr"))
        assert await change() == {str(tmp_path / "x.addr")}
    assert [options["force_polling"] for _, options in system.calls] == [None, True, True]
    assert asyncio.get_running_loop().time() == 2.0
    assert "can't be watched, trying again: no more watches" in caplog.text


# -- with the real system


class Eyes:
    """What was told, and waits for more of it."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self.looks = 0
        self._news = asyncio.Event()

    async def follow(self, target: Target) -> None:
        async with contextlib.aclosing(watch_files(target)) as changes:
            async for paths in changes:
                self.paths |= paths
                self.looks += 1
                self._news.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._news.clear()
            await self._news.wait()


@contextlib.asynccontextmanager
async def eyes_on(target: Target) -> AsyncIterator[Eyes]:
    eyes = Eyes()
    task = asyncio.ensure_future(eyes.follow(target))
    await eyes.until(lambda: eyes.looks > 0)
    yield eyes
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()


@pytest.mark.realtime
@pytest.mark.slow
async def test_files_in_folders_that_are_made_later(tmp_path: Path) -> None:
    target = folder_target(tmp_path)
    async with eyes_on(target) as eyes:
        (tmp_path / "new" / "er").mkdir(parents=True)
        await eyes.until(lambda: str(tmp_path / "new") in eyes.paths)
        file = tmp_path / "new" / "er" / "x.addr"
        file.write_text("localhost:1")
        await eyes.until(lambda: str(file) in eyes.paths)
        assert [one.addr for one in await find_in_thread(target)] == ["localhost:1"]
        eyes.paths.clear()
        shutil.rmtree(tmp_path / "new")
        await eyes.until(lambda: str(file) in eyes.paths)
        assert await find_in_thread(target) == []


@pytest.mark.realtime
@pytest.mark.slow
async def test_a_folder_that_comes_goes_and_comes_again(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    target = folder_target(folder)
    async with eyes_on(target) as eyes:
        for number in range(3):
            folder.mkdir()
            file = folder / f"m{number}.addr"
            file.write_text(f"localhost:{number + 1}")
            looks = eyes.looks
            await eyes.until(lambda n=looks: eyes.looks > n and bool(target.find()))  # type: ignore[misc]
            eyes.paths.clear()
            shutil.rmtree(folder)
            looks = eyes.looks
            await eyes.until(lambda n=looks: eyes.looks > n and not target.find())  # type: ignore[misc]


@pytest.mark.realtime
@pytest.mark.slow
async def test_a_file_that_is_replaced_in_one_step(tmp_path: Path) -> None:
    file, fresh = tmp_path / "odd name", tmp_path / ".fresh"
    file.write_text("localhost:1")
    async with eyes_on(Target(Place.FILE, path=file)) as eyes:
        fresh.write_text("localhost:2")
        fresh.replace(file)
        await eyes.until(lambda: str(file) in eyes.paths)
