"""Addresses: read, printed, refused with a hint."""

from __future__ import annotations

import pytest

from amctl.graph.errors import MachUrlError
from amctl.graph.machurl import MachUrl, parse_machurl, parse_time

TX = "a59d994dd6efb726a1cd3ef1b7f384fd"
NS = 1721654969_660639040


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("mach://orchestrator", MachUrl("orchestrator")),
        ("mach://orchestrator/", MachUrl("orchestrator")),
        (f"  MACH://PS-2/{TX}\n", MachUrl("PS-2", TX)),
        (f"mach://ps-2/{TX}/3", MachUrl("ps-2", TX, 3)),
        ("mach://ps-2/-0", MachUrl("ps-2", "-0")),
        ("mach://ps-2?t=20&q=7", MachUrl("ps-2", time=20, queue=7)),
        ("mach://ps-2/t20", MachUrl("ps-2", time=20)),
        (f"mach://ps-2/{TX}/3/t20", MachUrl("ps-2", TX, 3, time=20)),
        ("mach://a%2Fb/x%20y", MachUrl("a/b", "x y")),
        ("mach://a?state=Ready&group=self", MachUrl("a", state="Ready", group="self")),
        ("mach://a?ht=2024-07-22T13:29:29.66063904Z", MachUrl("a", wall_ns=NS)),
        ("mach://a?ht=2024-07-22T15:29:29.66063904+02:00", MachUrl("a", wall_ns=NS)),
        ("mach://a?ht=2024-07-22T15:29:29.66063904%2B02:00", MachUrl("a", wall_ns=NS)),
    ],
)
def test_addresses_are_read(text: str, url: MachUrl) -> None:
    assert parse_machurl(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "mach://orchestrator",
        f"mach://ps-2/{TX}/3",
        f"mach://ps-2/{TX}?state=Ready",
        "mach://a?group=self&ht=2024-07-22T13:29:29.66063904Z&q=7&state=Ready&t=20",
        "mach://a%2Fb/x%20y",
    ],
)
def test_an_address_is_printed_as_it_is_read(text: str) -> None:
    assert str(parse_machurl(text)) == text


def test_a_moment_is_more_than_a_machine() -> None:
    assert not parse_machurl("mach://a?state=Ready").is_moment
    assert all(parse_machurl(f"mach://a{t}").is_moment for t in ("/x", "?t=0", "?q=0", "/t0"))


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("browser2/77", "doesn't begin with mach://", "did you mean 'mach://browser2/77'?"),
        ("match://browser2", "doesn't begin with mach://", "did you mean 'mach://browser2'?"),
        ("http://example/", "doesn't begin with mach://", "mach://MACHINE[/TX[/STEP]]"),
        ("mach:///x", "the machine's id is missing", "mach://MACHINE"),
        ("mach://a/b/c", "the step is no number: 'c'", "mach://MACHINE"),
        ("mach://a/b/1/x", "'x' is one part too many", "mach://MACHINE"),
        ("mach://a?t=x", "t is no number: 'x'", "mach://MACHINE"),
        ("mach://a?ht=monday", "it is no time like 2024", "mach://MACHINE"),
        ("mach://a?ht=2024-13-22T13:29:29Z", "it is no time: ", "mach://MACHINE"),
        ("mach://a?stat=Ready", "unknown part 'stat'", "did you mean 'state'?"),
        ("mach://a?" + "t=1&" * 40, "too many parts", "mach://MACHINE"),
    ],
)
def test_a_bad_address_is_told_with_a_hint(text: str, problem: str, hint: str) -> None:
    with pytest.raises(MachUrlError) as caught:
        parse_machurl(text)
    assert problem in str(caught.value)
    assert caught.value.hint.startswith(hint)


def test_leniently_what_is_bad_is_ignored() -> None:
    text = "mach://a/tx/c/d?t=x&q=7&ht=monday&nonsense=1"
    assert parse_machurl(text, lenient=True) == MachUrl("a", "tx", queue=7)
    assert parse_machurl("mach://a?" + "t=1&" * 40, lenient=True) == MachUrl("a")


def test_without_a_zone_a_time_is_utc() -> None:
    assert parse_time("1970-01-01 00:00:01") == 10**9
    assert parse_time("1969-12-31T23:59:59.5Z") == -(10**9) // 2
