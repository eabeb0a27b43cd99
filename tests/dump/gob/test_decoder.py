"""Streams of Go's own encoder, and streams that nobody should have written."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest

from amctl.dump.gob.decoder import Decoder, GobError, Iface, Limits
from amctl.dump.gob.times import time_from_bytes
from amctl.dump.gob.types import INT, INTERFACE, STRING, UINT, Field, TypeDef
from tests.dump.gob.samples import stream_of
from tests.support.house import ROOT

BY_GO = json.loads((ROOT / "tests" / "cases" / "gob_streams.json").read_text(encoding="utf-8"))
"""Streams that Go's encoder wrote, as hex."""


def by_go(name: str) -> list[Any]:
    return decoded(Decoder(bytes.fromhex(BY_GO[name])))


def decoded(decoder: Decoder) -> list[Any]:
    values = [decoder.decode()]
    while not decoder.at_end():
        values.append(decoder.decode())
    return values


def problem(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(GobError) as caught:
        decoded(Decoder(data, limits))
    assert 0 <= caught.value.offset <= len(data)
    return str(caught.value)


def test_basic_values_stand_in_messages_of_their_own() -> None:
    assert by_go("string") == ["héllo"]
    assert by_go("two numbers") == [-129, 256]
    assert by_go("floats") == [[0, 1, -2.5, 1.7976931348623157e308, -math.inf]]


def test_a_struct_has_the_fields_that_are_not_zero() -> None:
    [shape] = by_go("shape")
    assert time_from_bytes(shape.pop("T")) == 1_700_000_000_000_000_042
    assert shape == {
        "P": {"X": 1, "Y": -1},
        "Tags": {"a": 0},
        "F": 17.0,
        "C": 1 - 2j,
        "B": b"\x01\x00\xff",
        "A": [0, 7, 0],
        "Any": Iface("main.Point", {"X": 3}),
        "L": [
            None,
            Iface("string", "x"),
            Iface("int", 5),
            Iface("bool", True),
            Iface("float64", 2.5),
        ],
        "M": [({"X": 1, "Y": 2}, "z")],
        "I": {-3: ["", "q"]},
        "U": 2**64 - 1,
        "N": -(2**63),
        "OK": True,
        "K": [([1, 2], True)],
    }
    assert by_go("zero shape") == [{"A": [0, 0, 0]}]


def test_a_type_may_refer_to_itself() -> None:
    assert by_go("list of itself") == [{"V": 1, "Next": {"V": 2}, "Kids": [{"V": 3}, {}]}]


def test_an_interface_may_define_types_in_the_middle_of_a_value() -> None:
    pi = Iface("map[string]float64", {"pi": 3.5})
    big = Iface("main.Big", {"S": [{"Name": "c", "In": pi}, {"Name": "d"}], "M": {"e": 1.0}})
    again = Iface("main.Big", {"S": [{"Name": "f", "In": Iface("[]string", ["g"])}]})
    assert by_go("nested interfaces") == [
        {"Name": "a", "In": Iface("main.Deep", {"Name": "b", "In": big})},
        {"Name": "again", "In": again},
    ]
    [moment] = by_go("times")
    assert time_from_bytes(moment["In"].value) == 1_000_000_005


@pytest.mark.parametrize("name", BY_GO)
def test_a_stream_that_ends_anywhere_is_an_error_there(name: str) -> None:
    data = bytes.fromhex(BY_GO[name])
    whole = Decoder(data)
    whole.decode()
    for size in range(whole.pos):
        with pytest.raises(GobError) as caught:
            Decoder(data[:size]).decode()
        assert caught.value.offset <= size


def test_elements_come_one_by_one() -> None:
    stream = stream_of(["a", "b"], [TypeDef(70, "slice", elem=STRING)], 70)
    decoder = Decoder(stream)
    top = decoder.top_type()
    found = decoder.elements(top)
    assert next(found) == "a"
    assert decoder.pos < len(stream)
    assert [*found] == ["b"]
    assert decoder.at_end()


def test_elements_are_those_of_a_slice() -> None:
    decoder = Decoder(bytes.fromhex(BY_GO["string"]))
    with pytest.raises(GobError, match="a value of string where a slice should be"):
        next(decoder.elements(decoder.top_type()))


def test_text_that_is_no_utf_8_can_be_seen() -> None:
    stream = stream_of(["ab"], [TypeDef(70, "slice", elem=STRING)], 70)
    assert Decoder(stream.replace(b"ab", b"\xffb")).decode() == ["\\xffb"]


def nested(depth: int) -> bytes:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return stream_of(value, [TypeDef(70, "slice", elem=70)], 70)


def test_nesting_has_a_limit() -> None:
    assert Decoder(nested(100)).decode()
    assert "more than 100 levels" in problem(nested(101))
    assert "more than 3 levels" in problem(nested(4), Limits(depth=3))


def test_interfaces_within_interfaces_have_the_same_limit() -> None:
    body = b"\x01x\x10\x01\x00" * 5000  # name x, type 8, a byte count, the zero byte
    data = b"\xfe" + (len(body) + 2).to_bytes(2, "big") + b"\x10\x00" + body
    assert "more than 100 levels" in problem(data)


def test_structs_within_structs_have_the_same_limit() -> None:
    chain = [TypeDef(i, "struct", fields=(Field("A", i + 1),)) for i in range(70, 300)]
    value: dict[str, Any] = {}
    for _ in range(229):
        value = {"A": value}
    table = [*chain, TypeDef(300, "struct")]
    assert "more than 100 levels" in problem(stream_of(value, table, 70))


def test_counts_are_never_believed_beyond_the_bytes() -> None:
    table = [TypeDef(70, "slice", elem=UINT), TypeDef(71, "map", key=UINT, elem=UINT)]
    for top in (70, 71):
        value: Any = [] if top == 70 else {}
        data = stream_of(value, table, top)
        # The last message is: length, id of the type, zero byte, count.
        assert data[-3:-1] == bytes((data[-3], 0))
        huge = data[:-5] + bytes((data[-5] + 8,)) + data[-4:-1] + b"\xf8" + b"\xff" * 8
        assert "elements in 0 bytes" in problem(huge)


def test_the_number_of_values_has_a_limit() -> None:
    stream = stream_of([1] * 50, [TypeDef(70, "slice", elem=INT)], 70)
    assert "more than 40 values" in problem(stream, Limits(values=40))
    assert len(Decoder(stream, Limits(values=60)).decode()) == 50


def test_a_small_file_may_have_fewer_values() -> None:
    limits = Limits(values=9_000_000)
    assert [limits.for_file(size).values for size in (1, 5_000, 10_000)] == [
        *(4_000_000, 5_000_000, 9_000_000)
    ]


def test_a_caller_can_count_values_of_its_own() -> None:
    decoder = Decoder(b"", Limits(values=5))
    decoder.charge(5)
    with pytest.raises(GobError, match="more than 5 values"):
        decoder.charge(1)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("", "no value in the stream"),
        ("ff", "the data ends"),
        ("f7", "an integer of 9 bytes"),
        ("05", "a message of 5 bytes, 0 are left"),
        ("f8ffffffffffffffff", "a message of 18446744073709551615 bytes"),
        ("00", "the data ends in the middle"),
        ("0106", "the data ends in the middle"),
        ("03060100", "no zero byte before a value"),
        ("0306000000", "a message of 0 bytes|the data ends"),
        ("04 06 00 01 00", "1 bytes too many in a message"),
        ("04 0c 00 09 61", "9 bytes of text or data, 1 are left"),
        ("03 ff 80 00", "a value of type 64, which isn't defined"),
        ("03 1e 00 00", "a value of type 15, which isn't defined"),
        ("02 1f 00", "a definition of type 16, which is reserved"),
        ("03 7f 00 00", "a type definition has 0 kinds"),
        ("03 7d 00 00", "a definition of type 63, which is reserved"),
        ("0d ffa102 0102ffa20001ff800000 0d ffa102 0102ffa20001ff800000", "second definition"),
        ("04 7f 01 09 00", "field 8 of a struct that has 7|field"),
    ],
)
def test_damage_is_told_with_its_place(data: str, expected: str) -> None:
    assert re.search(expected, problem(bytes.fromhex(data.replace(" ", ""))))


def test_a_type_that_is_never_defined_is_an_error_when_it_is_met() -> None:
    data = stream_of("x", [TypeDef(70, "slice", elem=99)], STRING) + bytes.fromhex("04ff8c0000")
    assert "a value of type 99, which isn't defined" in problem(data)


def test_an_array_has_the_length_of_its_type() -> None:
    data = stream_of([1, 2], [TypeDef(70, "array", elem=INT, length=3)], 70)
    assert "2 elements in an array of 3" in problem(data)


def test_names_of_interface_types_have_a_limit() -> None:
    data = stream_of([Iface("n" * 1025, 1)], [TypeDef(70, "slice", elem=INTERFACE)], 70)
    assert "a type name of 1025 bytes" in problem(data)
