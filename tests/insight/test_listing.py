"""Dependencies as text and as data."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from amctl.insight.bundled import Bundle
from amctl.insight.listing import chain_json, chain_text, markdown, size_text, to_json
from amctl.insight.outside import ThirdParty

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.insight.deps import Deps


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (21_486_945, "21.5 MB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert size_text(count) == text


def test_the_listing_by_package_and_by_module(
    small: Deps, golden: Callable[[str, str], None]
) -> None:
    golden("insight/small.md", markdown(small))
    golden("insight/small-modules.md", markdown(small, modules=True))


def test_the_bundle_is_told_with_its_age(small: Deps) -> None:
    bundle = Bundle(True, "314.0.7", 1_300_000, 21_000_000, 5_000_000, False)
    text = markdown(replace(small, bundle=bundle))
    assert (
        "The prod bundle in web/dist: 1.3 MB ours, 21.0 MB Pyodide's; 5.0 MB sent. It is stale:"
        in text
    )
    assert "stale" not in markdown(replace(small, bundle=replace(bundle, fresh=True)))


def test_third_parties(small: Deps) -> None:
    text = markdown(replace(small, third_party=(ThirdParty("a", needed_by=("b", "c")),)))
    assert "| a |  |  | unknown | b, c | not installed |" in text
    assert "## Third-party packages\n\nNone.\n" in markdown(replace(small, third_party=()))


def test_many_roots_are_counted(small: Deps) -> None:
    text = markdown(replace(small, roots=("m", "b", "c", "d", "e")))
    assert "Begins with m and 4 modules loaded by name." in text


def test_imports_against_the_order_are_listed(small: Deps) -> None:
    assert "Against" not in markdown(small)
    small.__dict__["against"] = frozenset({("shop.cart", "zz")})
    assert markdown(small).endswith("## Against the order of rooms\n\n- shop.cart -> zz\n")


def test_the_document(small: Deps) -> None:
    data: dict[str, Any] = json.loads(json.dumps(to_json(small)))
    assert set(data) == {
        "target",
        "roots",
        "size",
        "bundle",
        "packages",
        "third_party",
        "standard",
        "against",
    }
    assert data["packages"][1] == {
        "name": "shop.stock",
        "modules": ["shop.stock", "shop.stock.shelf"],
        "size": small.packages[1].size,
        "bundled": None,
        "imports": ["notthere", "pyodide"],
        "deferred": ["pyodide"],
        "room": "shop",
    }
    assert data["third_party"][0]["licence"] == "unknown"


def test_the_document_with_modules_and_their_chains(small: Deps) -> None:
    modules = {one["name"]: one for one in to_json(small, modules=True)["modules"]}
    assert modules["shop.labels"]["chain"] == ["shop.browser", "shop.cart", "shop.labels"]
    assert modules["shop.browser"]["chain"] == ["shop.browser"]
    assert modules["shop.cart"]["imports"][0] == {
        "name": "shop.labels",
        "line": 5,
        "deferred": True,
        "optional": False,
    }


def test_a_chain_in_words(small: Deps) -> None:
    assert chain_text(small, "shop.labels").splitlines() == [
        "shop.browser: browser begins with it",
        "  -> shop.cart: shop/browser.py:4",
        "  -> shop.labels: shop/cart.py:5, in a function",
    ]
    assert "  -> shop: the package of shop.browser\n" in chain_text(small, "shop")
    assert chain_text(small, "shop.browser") == "shop.browser: browser begins with it\n"


def test_a_chain_as_data(small: Deps) -> None:
    data = chain_json(small, "shop")
    assert data == {
        "target": "browser",
        "name": "shop",
        "chain": [
            {
                "importer": "shop.browser",
                "name": "shop",
                "line": 0,
                "deferred": False,
                "parent": True,
            }
        ],
    }
