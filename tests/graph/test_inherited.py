"""A set counts only as a whole."""

from __future__ import annotations

from amctl.graph.inherited import SETS, inherited


def test_exception_is_always_inherited() -> None:
    assert inherited(["Foo", "Exception"]) == {"Exception"}
    assert inherited(["Foo"]) == set()


def test_a_whole_set_is_inherited() -> None:
    disposed = SETS["Disposed"]
    assert inherited(["Foo", *disposed]) == disposed


def test_a_part_of_a_set_is_not() -> None:
    names = SETS["Basic"] - {"Heartbeat"}
    assert inherited(["Foo", *names]) == {"Exception"}


def test_the_rpc_set_contains_the_basic_one() -> None:
    assert inherited(SETS["Rpc"] | {"RpcReady"}) == SETS["Rpc"] > SETS["Basic"]
