"""The bundle holds the nodes that the settings name."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from amctl.bundle import BuildFailedError, NodeMissingError
from amctl.run import bundling as room
from amctl.run.bundling import build_bundle, clean_bundle, manifest_reader, stale_reasons
from amctl.run.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path


def test_the_entry_is_the_nodes_packages_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(room, "build", lambda home, **options: asked.append((home, options)))
    settings = load_settings(None, ["NODES_PACKAGE=mine"], environ={}, home=tmp_path)
    build_bundle(settings, print, prod=True)
    assert asked == [(tmp_path, {"prod": True, "entry": "mine.browser", "progress": print})]


def test_what_was_never_built_is_stale_whatever_the_entry(tmp_path: Path) -> None:
    settings = load_settings(None, ["NODES_PACKAGE=mine"], environ={}, home=tmp_path)
    assert stale_reasons(settings) == ["it was never built"]


def test_cleaning_what_is_not_there_is_fine(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    assert clean_bundle(load_settings(None, environ={}, home=tmp_path)) is False


def test_a_missing_manifest_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="manifest"):
        manifest_reader(load_settings(None, environ={}, home=tmp_path))()


def test_a_folder_that_cant_be_written_is_no_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied", "web/dist")

    monkeypatch.setattr(room, "build", refuse)
    monkeypatch.setattr(room, "clean", refuse)
    settings = load_settings(None, environ={}, home=tmp_path)
    words = "web/dist can't be written: Permission denied: web/dist"
    with pytest.raises(BuildFailedError, match=words):
        build_bundle(settings, lambda *_: None)
    with pytest.raises(BuildFailedError, match=words):
        clean_bundle(settings)


def test_what_is_missing_stays_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def miss(*_: object, **__: object) -> NoReturn:
        raise NodeMissingError

    monkeypatch.setattr(room, "build", miss)
    with pytest.raises(NodeMissingError):
        build_bundle(load_settings(None, environ={}, home=tmp_path), lambda *_: None)
