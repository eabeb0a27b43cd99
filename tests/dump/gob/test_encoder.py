"""What is written is what Go's encoder writes, and reads back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.dump.gob.decoder import Decoder, Iface
from amctl.dump.gob.encoder import GobValueError, encode_stream
from amctl.dump.gob.types import (
    BOOL,
    BYTES,
    COMPLEX,
    FLOAT,
    INT,
    INTERFACE,
    STRING,
    UINT,
    Field,
    TypeDef,
)
from tests.dump.gob.samples import stream_of
from tests.support.house import ROOT

BY_GO = json.loads((ROOT / "tests" / "cases" / "gob_streams.json").read_text(encoding="utf-8"))
NODE = 76
EVERYTHING = [
    TypeDef(70, "struct", "All", fields=(
        Field("Flag", BOOL), Field("Int", INT), Field("Uint", UINT), Field("Float", FLOAT),
        Field("Bytes", BYTES), Field("Text", STRING), Field("Complex", COMPLEX),
        Field("Any", INTERFACE), Field("List", 71), Field("Map", 72), Field("Opaque", 73),
        Field("Self", 70), Field("Array", 74),
    )),
    TypeDef(71, "slice", elem=INTERFACE),
    TypeDef(72, "map", key=STRING, elem=71),
    TypeDef(73, "opaque", codec="GobEncoderT"),
    TypeDef(74, "array", elem=INT, length=2),
]  # fmt: skip

_INT, _UINT = st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**64 - 1)
_FACE = st.none() | st.builds(Iface, st.text(min_size=1, max_size=5), st.text(max_size=5) | _INT)
_FACES = st.lists(_FACE, min_size=1, max_size=3)


def _fields(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "Flag": st.just(True),
            "Int": _INT.filter(bool),
            "Uint": _UINT.filter(bool),
            "Float": st.floats(allow_nan=False).filter(bool),
            "Bytes": st.binary(min_size=1, max_size=300),
            "Text": st.text(min_size=1),
            "Complex": st.complex_numbers(allow_nan=False).filter(bool),
            "Any": _FACE.filter(lambda face: face is not None),
            "List": _FACES,
            "Map": st.dictionaries(st.text(), _FACES, min_size=1, max_size=3),
            "Opaque": st.binary(min_size=1, max_size=20),
            "Self": inner,
            "Array": st.tuples(_INT, _INT).map(list),
        },
    )


@pytest.mark.slow
@given(st.recursive(st.just({}), _fields, max_leaves=4))
def test_any_value_comes_back(value: dict[str, Any]) -> None:
    stream = stream_of(value, EVERYTHING, 70)
    assert Decoder(stream).decode() == value
    assert stream_of(Decoder(stream).decode(), EVERYTHING, 70) == stream


def test_a_list_of_itself_is_written_as_by_go() -> None:
    table = [
        TypeDef(
            76, "struct", "Node", fields=(Field("V", INT), Field("Next", 76), Field("Kids", 77))
        ),
        TypeDef(77, "slice", "[]*main.Node", elem=76),
    ]
    value = {"V": 1, "Next": {"V": 2}, "Kids": [{"V": 3}, {}]}
    assert stream_of(value, table, 76).hex() == BY_GO["list of itself"]


def test_a_basic_value_is_written_as_by_go() -> None:
    assert encode_stream("héllo", STRING, {}).hex() == BY_GO["string"]
    numbers = encode_stream(-129, INT, {}) + encode_stream(256, UINT, {})
    assert numbers.hex() == BY_GO["two numbers"]


def test_a_struct_within_a_struct_is_written_even_if_it_is_empty() -> None:
    stream = stream_of({"Self": {}, "Map": {}, "List": [], "Text": ""}, EVERYTHING, 70)
    assert Decoder(stream).decode() == {"Self": {}}


def test_half_of_a_surrogate_pair_is_spelled_out() -> None:
    stream = stream_of({"Text": "a\udc80"}, EVERYTHING, 70)
    assert Decoder(stream).decode() == {"Text": "a\\udc80"}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"Uint": -1}, "Uint: -1 where an unsigned integer of 64 bits should be"),
        ({"Uint": 2**64}, "Uint: 18446744073709551616 where an unsigned"),
        ({"Self": {"Int": 2**63}}, "Int: 9223372036854775808 where an integer of 64 bits"),
        ({"Array": [0, -(2**63) - 1]}, "Array: -9223372036854775809 where an integer"),
    ],
)
def test_a_number_that_does_not_fit_is_named(value: dict[str, Any], problem: str) -> None:
    with pytest.raises(GobValueError, match=problem):
        stream_of(value, EVERYTHING, 70)
