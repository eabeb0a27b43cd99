"""Lists of names (NAM-8, NAM-9, HLP-13)."""

from __future__ import annotations

import pytest

from amctl.machine import names
from amctl.machine.names import handler_states, tag_number, tag_value


def test_nam_8_sums_and_differences() -> None:
    assert names.union(["B", "A"], ["A", "C"], ["B"]) == ("B", "A", "C")
    assert names.without(["A", "B", "C", "A"], ["A"], ["C"]) == ("B",)
    assert names.without(["A", "B"], ["A"]) == ("B",)  # the original would delete nothing
    assert names.shared(["C", "A", "B"], ["A", "C"]) == ("C", "A")
    assert names.union() == ()


def test_nam_8_equality_as_sets_and_in_order() -> None:
    assert names.equal(["A", "B"], ["B", "A"])
    assert not names.equal(["A", "B"], ["B", "A"], ordered=True)
    assert names.equal(["A", "B"], ("A", "B"), ordered=True)
    assert not names.equal(["A"], ["A", "B"])


def test_nam_8_filters() -> None:
    found = ["FooA", "BarA", "FooB"]
    assert names.prefixed(["A", "B"], "X") == ("XA", "XB")
    assert names.filter_prefix(found, "Foo") == ("FooA", "FooB")
    assert names.filter_match(found, "A$") == ("FooA", "BarA")
    assert names.filter_index(found, [2, 0, 7, -1]) == ("FooB", "FooA")
    with pytest.raises(ValueError, match="no regular expression"):
        names.filter_match(found, "(")


def test_nam_8_the_hash_is_that_of_the_original() -> None:
    assert names.hashed(["A", "B"]) == "6c30"  # of md5("A,B")
    assert names.hashed(["B", "A"]) != names.hashed(["A", "B"])


@pytest.mark.parametrize(
    ("handler", "states"),
    [
        ("FooEnter", ("Foo", "")),
        ("FooExit", ("Foo", "")),
        ("FooState", ("Foo", "")),
        ("FooEnd", ("Foo", "")),
        ("FooAny", ("Foo", "")),
        ("AnyFoo", ("Foo", "")),
        ("FooBar", ("Foo", "Bar")),
        ("FooFoo", ("Foo", "Foo")),
        ("AnyEnter", ("", "")),
        ("AnyState", ("", "")),
        ("NopeEnter", ("", "")),
        ("Foo", ("", "")),
    ],
)
def test_nam_9_the_states_of_a_handler(handler: str, states: tuple[str, str]) -> None:
    assert handler_states(["Foo", "Bar"], handler) == states


def test_hlp_13_values_of_tags() -> None:
    tags = ["a:1", "b", "c:x:y", "d:"]
    assert [tag_value(tags, key) for key in "abcde"] == ["1", "b", "x:y", "", ""]
    assert [tag_number(tags, key) for key in "abce"] == [1, -1, -1, -1]
