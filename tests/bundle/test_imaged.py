"""What is done before an image is taken and after it woke up; the same code runs inside Pyodide."""

from __future__ import annotations

import ast
import importlib
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from amctl.bundle import imaged
from amctl.bundle.sources import closure
from amctl.machine import transition

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SOURCE = "times = 0\ndef __restored__():\n    global times\n    times += 1\n"


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A module that renews something, one that can't be imported, and one that isn't there."""
    (tmp_path / "imaged_entry.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "imaged_broken.py").write_text("1 / 0\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    state = random.getstate()
    yield ["imaged_entry", "imaged_broken", "imaged_absent"]
    random.setstate(state)
    sys.modules.pop("imaged_entry", None)
    imaged.prepare("", "json", [])


def test_everything_that_can_be_imported_is(names: list[str]) -> None:
    imaged.prepare("the-key", names[0], names[1:])
    assert "imaged_entry" in sys.modules
    assert "imaged_broken" not in sys.modules
    assert imaged.restored() == "the-key"


def test_an_entry_that_cannot_be_imported_is_an_error(names: list[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        imaged.prepare("the-key", "imaged_broken", [])


def test_who_wakes_up_draws_other_numbers_and_renews_what_modules_keep(names: list[str]) -> None:
    imaged.prepare("the-key", names[0], ["amctl.machine.transition"])
    random.seed(1)
    asleep, ids = random.getstate(), transition._heads
    drawn = []
    for _ in range(2):
        random.setstate(asleep)
        imaged.restored()
        drawn.append(random.getrandbits(64))
    assert len(set(drawn)) == 2
    assert transition._heads is not ids
    assert importlib.import_module("imaged_entry").times == 2


DRAWS = ("random", "secrets", "uuid", "time", "datetime", "os.urandom", "os.getpid", "tempfile")


def test_whoever_draws_or_reads_a_clock_at_import_renews_it() -> None:
    """Else all threads that wake up from one image would have the same."""
    kept = {
        name: found
        for name, path in closure(ROOT, "nodes.browser").items()
        if (found := _drawn_at_import(ast.parse(path.read_bytes())))
    }
    assert set(kept) == {"amctl/machine/transition.py"}, kept
    for name in kept:
        module = importlib.import_module(name.removesuffix(".py").replace("/", "."))
        assert callable(module.__restored__)


def _drawn_at_import(tree: ast.AST) -> list[str]:
    """Calls that run when the module is imported and whose result may differ each time."""
    found = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called.startswith(tuple(f"{name}." for name in DRAWS)) or called in DRAWS:
                found.append(called)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            # its body runs later; what stands in its head runs now
            waiting += [*node.decorator_list, *node.args.defaults]
            waiting += [each for each in node.args.kw_defaults if each]
        elif not isinstance(node, ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return found
