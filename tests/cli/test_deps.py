"""`amctl deps`: listings, chains, graphs."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from amctl.cli import deps as room
from amctl.cli.exitcodes import ExitCode
from amctl.cli.main import run
from amctl.insight.deps import Deps, read_deps
from amctl.insight.errors import NoGraphvizError
from tests.support.house import ROOT
from tests.support.small_program import write_project

if TYPE_CHECKING:
    from pathlib import Path

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz isn't installed")


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The small program in place of ours; a list of the programs that were asked for."""
    programs: list[str] = []
    project = write_project(tmp_path / "project")

    def read(shared: Any, program: room.Program) -> Deps:
        programs.append(program.value)
        return read_deps(project, program.value, ["shop.browser"], browser=program == "browser")

    monkeypatch.setattr(room, "_read", read)
    monkeypatch.chdir(tmp_path)
    return programs


def out(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(["deps", *words]) == 0
    return capsys.readouterr().out


def test_the_browser_is_the_default(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert out(capsys, "list").startswith("# Dependencies of browser\n")
    assert out(capsys, "list", "amctl").startswith("# Dependencies of amctl\n")
    out(capsys, "graph", "orchestrator", "--json")
    assert asked == ["browser", "amctl", "orchestrator"]


def test_list_by_package_and_by_module(asked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert re.search(
        r"^- `shop\.stock` \d+ B `\[notthere \(pyodide\)\]`$", out(capsys, "list"), re.M
    )
    assert "\n- `shop.stock.shelf` " in out(capsys, "list", "--modules")


@pytest.mark.parametrize("words", [["--json"], ["--format", "json"], ["--json=true"]])
def test_list_as_one_document(
    asked: Any, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert "modules" not in json.loads(out(capsys, "list", *words))
    assert len(json.loads(out(capsys, "list", "--modules", *words))["modules"]) == 6
    chain = json.loads(out(capsys, "list", "--why", "shop.labels", *words))["chain"]
    assert [link["name"] for link in chain] == ["shop.cart", "shop.labels"]


def test_why_shows_the_chain(asked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert "  -> shop.labels: shop/cart.py:5, in a function\n" in out(
        capsys, "list", "--why", "shop.labels"
    )


def test_why_of_what_is_not_in_is_exit_3(asked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["deps", "list", "--why", "shop.cert"]) == ExitCode.NOTHING_MATCHED
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "error: browser imports no 'shop.cert'\nhint: did you mean 'shop.cart'?\n"


def test_a_listing_goes_into_a_file(
    asked: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert out(capsys, "list", "-o", "new/deps.md") == ""
    text = (tmp_path / "new" / "deps.md").read_text(encoding="utf-8")
    assert text == out(capsys, "list", "-o", "-")


@pytest.mark.parametrize(
    ("words", "name", "first"),
    [
        (["--format", "dot"], "deps-graph.dot", "digraph deps {"),
        (["--format", "mermaid"], "deps-graph.mmd", "---"),
        (["-o", "x.gv"], "x.gv", "digraph deps {"),
        (["-o", "x.mmd"], "x.mmd", "---"),
        (["-o", "x.txt", "--format", "dot"], "x.txt", "digraph deps {"),
    ],
)
def test_graph_files_and_formats(
    asked: Any, tmp_path: Path, words: list[str], name: str, first: str
) -> None:
    assert run(["deps", "graph", *words]) == 0
    assert (tmp_path / name).read_text(encoding="utf-8").splitlines()[0] == first


@needs_dot
@pytest.mark.realtime
def test_the_default_is_a_picture(
    asked: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["deps", "graph"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("wrote deps-graph.svg")
    picture = (tmp_path / "deps-graph.svg").read_text(encoding="utf-8")
    assert "<svg" in picture
    assert out(capsys, "graph", "-o", "-") == picture


def test_graph_flags(asked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["graph", "--format", "dot", "-o", "-"]
    plain = out(capsys, *words)
    assert "cluster" not in plain
    assert plain != out(capsys, *words, "--theme", "light")
    fewer = out(capsys, *words, "--modules")
    assert 'subgraph "cluster_shop.stock"' in fewer
    assert fewer.count(" -> ") <= out(capsys, *words, "--modules", "--all").count(" -> ")


def test_graph_as_one_document(
    asked: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = json.loads(out(capsys, "graph", "--json"))
    assert [box["name"] for box in data["boxes"]] == ["shop", "shop.stock", "notthere", "pyodide"]
    assert out(capsys, "graph", "--json", "-o", "g.json") == ""
    assert json.loads((tmp_path / "g.json").read_text(encoding="utf-8")) == data


def test_without_graphviz_it_says_what_to_do(
    asked: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(*_: Any) -> bytes:
        raise NoGraphvizError

    monkeypatch.setattr("amctl.insight.drawing.svg", missing)
    assert run(["deps", "graph"]) == ExitCode.FAILED
    said = capsys.readouterr().err
    assert "error: dot (Graphviz) isn't installed\nhint: amctl setup installs it" in said


def test_alone_it_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert "graph" in out(capsys)


def test_unknown_programs_are_usage_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["deps", "list", "server"]) == ExitCode.USAGE
    assert "'server'" in capsys.readouterr().err


@pytest.mark.slow
def test_a_nodes_package_without_entry_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NODES_PACKAGE", "no_such_nodes")
    assert run(["deps", "list"]) == ExitCode.FAILED
    said = capsys.readouterr().err
    assert "error: browser: its entry 'no_such_nodes.browser'" in said
    assert "hint: see NODES_PACKAGE" in said


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.parametrize("inner", [[], ["list"], ["graph"]])
def test_the_examples_of_the_help_work(
    inner: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = " ".join(out(capsys, *inner, "--help").split())
    found = re.search(r"Example: amctl (deps .*?)(?: Arguments:| Options:|$| [╭│])", text)
    assert found
    monkeypatch.chdir(tmp_path)
    assert run(shlex.split(found[1])) == 0
    assert capsys.readouterr().out


@pytest.mark.slow
def test_our_own_browser_bundle(capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(out(capsys, "list", "--modules", "--json"))
    assert data["roots"] == ["nodes.browser"]
    assert data["against"] == []
    (entry,) = [one for one in data["modules"] if one["name"] == "nodes.browser"]
    assert entry["size"] == (ROOT / "nodes" / "browser.py").stat().st_size
