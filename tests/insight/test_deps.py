"""The model: modules, packages, third parties, chains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.insight import deps as room
from amctl.insight.bundled import Bundle
from amctl.insight.deps import Deps, Link, read_deps
from amctl.insight.errors import NoEntryError, NotImportedError
from tests.support.small_program import write_project

if TYPE_CHECKING:
    from pathlib import Path


def test_modules_are_those_that_the_entry_reaches(small: Deps) -> None:
    assert list(small.modules) == [
        "shop",
        "shop.browser",
        "shop.cart",
        "shop.labels",
        "shop.stock",
        "shop.stock.shelf",
    ]
    cart = small.modules["shop.cart"]
    assert (cart.package, cart.file) == ("shop", "shop/cart.py")
    assert [(one.name, one.deferred) for one in cart.imports] == [
        ("shop.labels", True),
        ("shop.stock.shelf", False),
    ]
    assert small.size == sum(module.size for module in small.modules.values())


def test_packages_gather_what_their_modules_import(small: Deps) -> None:
    shop, stock = small.packages
    assert (shop.name, shop.imports, shop.deferred) == ("shop", ("shop.stock",), frozenset())
    assert shop.modules == ("shop", "shop.browser", "shop.cart", "shop.labels")
    assert (stock.name, stock.imports) == ("shop.stock", ("notthere", "pyodide"))
    assert stock.deferred == {"pyodide"}
    assert stock.bundled is None


def test_the_standard_library_is_apart(small: Deps) -> None:
    assert small.standard == ("importlib", "json", "os", "typing")


def test_a_browser_has_its_runtime_and_no_other_third_party(small: Deps) -> None:
    notthere, pyodide = small.third_party
    assert (notthere.name, notthere.optional, notthere.note) == (
        "notthere",
        True,
        "not in the bundle",
    )
    assert (pyodide.name, pyodide.imports, pyodide.note) == ("pyodide", ("js",), "the runtime")
    assert pyodide.needed_by == ("shop.stock",)


def test_elsewhere_the_runtime_is_a_browsers(tmp_path: Path) -> None:
    found = read_deps(write_project(tmp_path), "orchestrator", ["shop.browser"])
    notthere, pyodide = found.third_party
    assert notthere.note == ""
    assert (pyodide.note, pyodide.optional, pyodide.version) == ("only in browsers", True, "")


def test_the_chain_is_the_shortest(small: Deps) -> None:
    assert small.chain("shop.browser") == ()
    assert small.chain("shop.labels") == (
        Link("shop.browser", "shop.cart", 4),
        Link("shop.cart", "shop.labels", 5, deferred=True),
    )
    (to_package,) = small.chain("shop")
    assert to_package.is_parent


@pytest.mark.parametrize(
    ("name", "end"),
    [("os.path", "os"), ("notthere", "notthere"), ("pyodide", "js"), ("js", "js")],
)
def test_chains_lead_to_what_is_not_ours(small: Deps, name: str, end: str) -> None:
    assert small.chain(name)[-1].name == end


def test_nothing_leads_to_what_is_not_imported(small: Deps) -> None:
    with pytest.raises(NotImportedError) as caught:
        small.chain("shop.unused")
    assert caught.value.target == "browser"
    with pytest.raises(NotImportedError, match="sqlite3"):
        small.chain("sqlite3")
    with pytest.raises(NotImportedError) as caught:
        small.chain("shop.stock.shlf")
    assert caught.value.hint == "did you mean 'shop.stock.shelf'?"


def test_several_roots_make_one_program(tmp_path: Path) -> None:
    found = read_deps(write_project(tmp_path), "x", ["shop.labels", "shop.unused"])
    assert found.roots == ("shop.labels", "shop.unused")
    assert "shop.cart" in found.modules
    assert found.chain("shop.unused") == ()


def test_an_import_that_surely_runs_counts_before_one_that_may(tmp_path: Path) -> None:
    files = {
        "p/__init__.py": "",
        "p/a.py": "def f():\n    import p.b\nimport p.b\n",
        "p/b.py": "",
    }
    found = read_deps(write_project(tmp_path, files), "x", ["p.a"])
    (one,) = found.modules["p.a"].imports
    assert (one.line, one.deferred) == (3, False)


def test_a_missing_entry_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoEntryError, match=r"its entry 'shop\.nowhere'"):
        read_deps(write_project(tmp_path), "browser", ["shop.nowhere"])


def test_sizes_as_bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"shop/cart.py": 7, "shop/labels.py": 5}
    bundle = Bundle(False, "9.9", 12, 1000, 0, True, sizes)
    monkeypatch.setattr(room, "read_bundle", lambda root, entry: bundle)
    found = read_deps(write_project(tmp_path), "browser", ["shop.browser"], browser=True)
    assert found.modules["shop.cart"].bundled == 7
    assert [package.bundled for package in found.packages] == [12, None]
    (pyodide,) = [one for one in found.third_party if one.name == "pyodide"]
    assert (pyodide.version, pyodide.size) == ("9.9", 1000)


def test_imports_against_the_order_are_told(tmp_path: Path) -> None:
    files = {"a/__init__.py": "", "b/__init__.py": "", "b/x.py": "import a\n"}
    assert read_deps(write_project(tmp_path, files), "x", ["b.x"]).against == set()
    (tmp_path / "a" / "__init__.py").write_text("import b\n", encoding="utf-8")
    found = read_deps(tmp_path, "x", ["b.x"])
    assert found.against == {("a", "b"), ("b.x", "a")}
