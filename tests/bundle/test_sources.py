from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from amctl.bundle import EntryMissingError
from amctl.bundle.sources import closure, locate, module_name, outside

ROOT = Path(__file__).parents[2]
LATER = {"amctl.machine.compiled", "amctl.rpc.transports.tcp"}
"""What the browser's code imports inside functions, and may; besides what records a run."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    files = {
        "pkg/__init__.py": "def door():\n    from pkg import server\n",
        "pkg/entry.py": """
from __future__ import annotations
from typing import TYPE_CHECKING
from . import sibling
from .sub import leaf as alias
import pkg.dotted
if TYPE_CHECKING:
    from pkg import only_types
else:
    from pkg import at_run_time
try:
    from pkg import tried
except ImportError:
    pass
def f():
    from pkg import later
""",
        "pkg/sibling.py": "def f():\n    from pkg import in_function\n",
        "pkg/sub/__init__.py": "from .. import above\nfrom .leaf import Thing\n",
        "pkg/sub/leaf.py": "class Thing:\n    from pkg import in_class\n",
        **{
            f"pkg/{name}.py": ""
            for name in (
                "dotted",
                "only_types",
                "at_run_time",
                "tried",
                "later",
                "in_function",
                "above",
                "in_class",
                "server",
                "unused",
            )
        },
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_all_imports_but_those_of_type_checkers_are_followed(tree: Path) -> None:
    names = {module_name(name) for name in closure(tree, "pkg.entry")}
    wanted = "entry sibling sub sub.leaf dotted at_run_time tried later above in_class in_function"
    assert names == {"pkg"} | {f"pkg.{name}" for name in wanted.split()}


def test_paths_are_those_of_the_zip(tree: Path) -> None:
    files = closure(tree, "pkg.sub")
    assert files["pkg/sub/__init__.py"] == tree / "pkg/sub/__init__.py"
    assert list(files) == sorted(files)
    assert locate(tree, "pkg/sub/__init__.py") == tree / "pkg/sub/__init__.py"
    assert locate(tree, "pkg/none.py") is None


def test_what_comes_from_elsewhere_is_named_once_wherever_it_is_imported(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        """
from __future__ import annotations
import json, os.path
from typing import TYPE_CHECKING
from theirs import leaf
import theirs
if TYPE_CHECKING:
    from collections.abc import Callable
def f():
    import json, decimal
    from xml.etree import ElementTree
""",
        encoding="utf-8",
    )
    (tmp_path / "theirs.py").write_text("import heapq\n", encoding="utf-8")
    named = outside(closure(tmp_path, "mine"))
    assert named == ["decimal", "heapq", "json", "os.path", "typing", "xml.etree"]


def test_amctl_is_found_from_any_project(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import amctl.machine\nimport json\n", encoding="utf-8")
    files = closure(tmp_path, "mine")
    assert "amctl/machine/__init__.py" in files
    assert not any(name.startswith("json") for name in files)


def test_no_entry_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EntryMissingError, match=r"'none\.browser'"):
        closure(tmp_path, "none.browser")


ON_DEMAND = (
    "amctl.machine.explain",
    "amctl.rpc.asking",
    "amctl.rpc.transports.tunnel",
    "amctl.telemetry.dbgstream",
    "amctl.telemetry.otellight",
    "amctl.telemetry.otelpost",
    "amctl.telemetry.oteltracer",
    "amctl.telemetry.profiling.answering",
)
"""What questions, REPLs, recording, tracing and profiling load when they begin."""


def test_the_bundle_holds_what_the_browser_entry_imports() -> None:
    """What a bare interpreter loads for it, what that imports later, and nothing of the server."""
    loaded = _loaded("nodes.browser")
    on_demand = [_loaded(name) for name in ON_DEMAND]
    shipped = {module_name(name) for name in closure(ROOT, "nodes.browser")}
    assert loaded - shipped == set()
    assert shipped - loaded <= LATER.union(*on_demand)
    rooms = {name.split(".")[1] for name in shipped if name.startswith("amctl.")}
    assert rooms == {"machine", "rpc", "states", "telemetry"}


def _loaded(module: str) -> set[str]:
    """Our modules that a bare interpreter loads for one of them."""
    code = (
        f"import sys, json, {module}; "
        "print(json.dumps([m for m in sys.modules if m.split('.')[0] in ('amctl', 'nodes')]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(json.loads(ran.stdout))
