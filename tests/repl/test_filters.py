"""Filters of `list` and the group commands."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from amctl.repl.errors import UsageError
from amctl.repl.filters import Filters, listed
from tests.repl.world import net, settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from amctl.repl.fleet import LiveFleet


@contextlib.asynccontextmanager
async def five() -> AsyncIterator[LiveFleet]:
    """boss: A:1 C:1; kid-1: none; kid-2: B:3 (gone since); dead: never ready; zoe: A:1 B:1."""
    async with net("boss") as n:
        await n.listen("localhost:2", "kid-1", parent_id="boss")
        await n.listen("localhost:3", "kid-2", parent_id="boss")
        await n.listen("localhost:5", "zoe", parent_id="kid-1")
        for number, key in enumerate(("kid-1", "kid-2", "dead", "zoe"), 2):
            n.files[f"{key}.addr"] = f"localhost:{number}"
        async with n.fleet() as fleet:
            boss, _, kid2, _, zoe = fleet.peers
            await boss.net.add(("A", "C"))
            await kid2.net.add("B")
            await kid2.net.add("B")
            await zoe.net.add(("A", "B"))
            await n.stop("localhost:3")
            await settle()
            yield fleet


CASES: list[tuple[dict[str, Any], str]] = [
    ({}, "boss kid-1 kid-2 zoe"),
    ({"active": ("A",)}, "boss zoe"),
    ({"active": ("A", "C")}, "boss"),
    ({"active": ("Nowhere",)}, ""),
    ({"inactive": ("A",)}, "kid-1 kid-2"),
    ({"inactive": ("A", "B")}, "kid-1"),
    ({"inactive": ("Nowhere",)}, ""),
    ({"active": ("A",), "inactive": ("C",)}, "zoe"),
    ({"active": ("A",), "inactive": ("A",)}, ""),
    ({"mtime_min": 1}, "boss kid-2 zoe"),
    ({"mtime_min": 3}, "kid-2"),
    ({"mtime_max": 2}, "boss kid-1 zoe"),
    ({"mtime_min": 2, "mtime_max": 2}, "boss zoe"),
    ({"mtime_min": 1, "mtime_states": ("C",)}, "boss"),
    ({"mtime_min": 2, "mtime_states": ("B", "B")}, "kid-2"),
    ({"mtime_max": 1, "mtime_states": ("A", "Nowhere")}, "boss kid-1 kid-2 zoe"),
    ({"mtime_states": ("A",)}, "boss kid-1 kid-2 zoe"),
    ({"parent": "boss"}, "kid-1 kid-2"),
    ({"parent": "kid-1"}, "zoe"),
    ({"parent": "kid"}, ""),
    ({"id_regexp": r"^k.*\d$"}, "kid-1 kid-2"),
    ({"id_regexp": "o"}, "boss zoe"),
    ({"id_partial": "-"}, "kid-1 kid-2"),
    ({"id_prefix": "z"}, "zoe"),
    ({"id_suffix": "s"}, "boss"),
    ({"id_prefix": "k", "id_suffix": "2", "id_partial": "d-", "id_regexp": "i"}, "kid-2"),
    ({"limit": 2}, "boss kid-1"),
    ({"limit": 9}, "boss kid-1 kid-2 zoe"),
    ({"from_": 1}, "kid-1 kid-2 zoe"),
    ({"from_": 3}, "zoe"),
    ({"from_": 5}, ""),
    ({"from_": 1, "limit": 1}, "kid-1"),
    ({"from_": 1, "limit": 1, "id_prefix": "z"}, "zoe"),
    ({"connected_only": True}, "boss kid-1 zoe"),
    ({"connected_only": True, "parent": "boss", "inactive": ("A",)}, "kid-1"),
    ({"active": ("A",), "mtime_max": 2, "id_partial": "o", "from_": 1, "limit": 1}, "zoe"),
]


async def test_each_filter_alone_and_with_others() -> None:
    async with five() as fleet:
        got = [" ".join(peer.id for peer in listed(fleet, Filters(**f))) for f, _ in CASES]
        assert got == [ids for _, ids in CASES]


async def test_l2_those_that_were_never_ready_bypass_all_but_from_and_limit() -> None:
    async with five() as fleet:

        def names(**filters: Any) -> list[str]:
            return [p.name for p in listed(fleet, Filters(**filters), no_schema=True)]

        assert names() == ["boss", "kid-1", "kid-2", "dead", "zoe"]
        assert names(id_prefix="z", active=("A",), connected_only=True) == ["dead", "zoe"]
        assert names(mtime_min=100) == ["dead"]
        assert names(limit=4) == ["boss", "kid-1", "kid-2", "dead"]
        assert names(from_=4) == ["zoe"]


async def test_l4_l5_without_filters_all_that_were_once_ready_in_order() -> None:
    async with five() as fleet:
        assert [peer.index for peer in listed(fleet)] == [0, 1, 2, 4]


def test_a_bad_regular_expression_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"--id-regexp '\(': bad regular expression") as caught:
        Filters(id_regexp="(")
    assert "quote it" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "flag"),
    [("mtime_min", "--mtime-min"), ("mtime_max", "--mtime-max"), ("limit", "--limit"),
     ("from_", "--from")],
)  # fmt: skip
def test_a_negative_number_is_a_usage_error(name: str, flag: str) -> None:
    with pytest.raises(UsageError, match=f"{flag} -1"):
        Filters(**{name: -1})
