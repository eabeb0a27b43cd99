"""Loading a nodes package by name."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from amctl.run.errors import WorkflowLoadError
from amctl.run.settings import Settings, load_settings
from amctl.run.workflow import load_workflow

if TYPE_CHECKING:
    from pathlib import Path

OWN = """
def workflow(settings, *, home, token):
    if settings["WORKFLOW"] == "bad":
        raise ValueError("it has a cycle")
    return settings["MAX_ROUNDS"], home, token
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a nodes package of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "own_nodes.py").write_text(OWN)
    return tmp_path


def settings(home: Path, *sets: str) -> Settings:
    return load_settings(None, sets, environ={}, home=home)


def test_a_projects_own_nodes_are_found_in_its_folder(home: Path) -> None:
    made: object = load_workflow(settings(home, "NODES_PACKAGE=own_nodes"), token="t")
    assert made == ("50", home, "t")


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        (["NODES_PACKAGE=nowhere"], "NODES_PACKAGE 'nowhere': there is no such package"),
        (["NODES_PACKAGE=nowhere.at.all"], "there is no such package"),
        (["NODES_PACKAGE=json"], r"no function workflow\(\)"),
        (["NODES_PACKAGE=own_nodes", "WORKFLOW=bad"], "WORKFLOW 'bad': it has a cycle"),
    ],
)
def test_what_cant_be_loaded_is_named(home: Path, sets: list[str], words: str) -> None:
    with pytest.raises(WorkflowLoadError, match=words) as caught:
        load_workflow(settings(home, *sets), token="t")
    assert "config.env" in caught.value.hint


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        ("import no_such_module_at_all", "isn't here, No module named 'no_such_module_at_all'"),
        ("import broken.no_such_part", "isn't here, No module named 'broken.no_such_part'"),
        ("def broken(", "importing it failed, SyntaxError:"),
        ("1 / 0", "importing it failed, ZeroDivisionError:"),
    ],
)
def test_a_package_that_is_broken_inside_is_its_authors_to_mend(
    home: Path, monkeypatch: pytest.MonkeyPatch, inside: str, words: str
) -> None:
    (home / "broken").mkdir()
    (home / "broken" / "__init__.py").write_text(inside)
    monkeypatch.delitem(sys.modules, "broken", raising=False)
    with pytest.raises(WorkflowLoadError, match=f"NODES_PACKAGE 'broken': .*{words}"):
        load_workflow(settings(home, "NODES_PACKAGE=broken"), token="t")


def test_a_file_is_named_once(home: Path) -> None:
    (home / "dag.json").write_text("[]")
    with pytest.raises(WorkflowLoadError, match=r"^WORKFLOW: dag\.json: "):
        load_workflow(settings(home, "NODES_PACKAGE=nodes", "WORKFLOW=dag.json"), token="t")
