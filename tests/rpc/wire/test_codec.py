from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from amctl.rpc.wire import DecodeError, EncodeError, Sync, codec
from amctl.rpc.wire.codec import Codec, decode, decode_ints, encode, native_codec, pure_codec
from amctl.rpc.wire.limits import MAX_DEPTH
from amctl.rpc.wire.messages import (
    ARRAYS,
    MAPS,
    ByeBody,
    CallBody,
    FiredBody,
    Hello,
    ReplyBody,
    Welcome,
)

PURE = pure_codec()
NATIVE = native_codec()
needs_native = pytest.mark.skipif(NATIVE is None, reason="msgspec isn't installed")

INT64 = st.integers(-(2**63), 2**64 - 1)
SCALARS = (
    st.none() | st.booleans() | INT64 | st.floats() | st.text(max_size=40) | st.binary(max_size=40)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=8) | INT64, inner)
    ),
    max_leaves=40,
)


def same(one: Any, other: Any) -> bool:
    """Equal in type too, and NaN equals NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return struct.pack("d", one) == struct.pack("d", other) or (
            math.isnan(one) and math.isnan(other)
        )
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[k], other[k]) for k in one)
    return bool(one == other)


def outcome(raw: Codec, data: bytes, body: type) -> Any:
    """What `decode` makes of bytes with this raw codec: a body, or the class of the error."""
    before = codec._codec
    codec._use(raw)
    try:
        return decode(data, body)
    except DecodeError:
        return DecodeError
    finally:
        codec._use(before)


@needs_native
@given(VALUES)
def test_both_codecs_write_the_same_bytes_and_read_them_back(value: Any) -> None:
    assert NATIVE is not None
    data = PURE.pack(value)
    assert data == NATIVE.pack(value)
    assert same(PURE.unpack(data), value)
    assert same(NATIVE.unpack(data), value)


@needs_native
@pytest.mark.parametrize("size", [15, 16, 31, 32, 255, 256, 65535, 65536])
def test_both_codecs_agree_at_every_border_of_a_length(size: int) -> None:
    assert NATIVE is not None
    for value in ("x" * size, b"x" * size, [0] * size, dict.fromkeys(range(size)), "é" * size):
        data = PURE.pack(value)
        assert data == NATIVE.pack(value)
        assert PURE.unpack(data) == value


@needs_native
@settings(max_examples=400)
@given(st.binary(max_size=60), st.sampled_from(ARRAYS + MAPS))
@example(b"\x92\x01\xd6\xff\x00\x00\x00\x00", CallBody)
@example(b"\x93\x00\x90\xd6\xff\x00\x00\x00\x00", CallBody)
@example(b"\x93\x00\x90\xd4\x05\x00", CallBody)
@example(b"\x93\x00\x90\x81\x90\x00", CallBody)
@example(b"\x93\x00\x90\x81\xc0\x00", CallBody)
@example(b"\x93\x00\x90" + b"\x91" * 100 + b"\x00", CallBody)
@example(b"\x93\x00\x90" + b"\x91" * 100_000 + b"\x00", CallBody)
@example(b"\x93\x00\x90\xc1", CallBody)
@example(b"\x92\x00\x90\x00", CallBody)
@example(b"\x92\x00\xdd\xff\xff\xff\xff", CallBody)
@example(b"\x93\x00\x90\xa1\xff", CallBody)
@example(b"", CallBody)
@example(b"\x81\xa1x\xd6\xff\x00\x00\x00\x00", Hello)
@example(b"\x81\xcb\x00\x00\x00\x00\x00\x00\x00\x00\x00", Hello)
def test_both_codecs_agree_on_garbage(data: bytes, body: type) -> None:
    assert NATIVE is not None
    one, other = outcome(PURE, data, body), outcome(NATIVE, data, body)
    assert one is other or same(list(one), list(other))


@needs_native
@settings(max_examples=150)
@given(VALUES, st.sampled_from(ARRAYS + MAPS), st.data())
def test_both_codecs_agree_on_damaged_values(value: Any, body: type, data: st.DataObject) -> None:
    """Well-formed but wrong values, then the same with a byte changed or cut off."""
    raw = bytearray(PURE.pack([value, value] if data.draw(st.booleans()) else value))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] = data.draw(st.integers(0, 255))
    for one in (bytes(raw), bytes(raw[:at])):
        assert NATIVE is not None
        left, right = outcome(PURE, one, body), outcome(NATIVE, one, body)
        assert left is right or same(list(left), list(right))


@pytest.mark.parametrize("raw", [PURE, NATIVE])
@pytest.mark.parametrize(
    "value",
    [object(), {1.5: 2}, {(1,): 2}, 2**64, -(2**63) - 1, "\ud800", {1, 2}, 1j, [object()]],
    ids=lambda value: type(value).__name__,  # a repr may hold an address, and workers must agree
)
def test_what_has_no_place_on_the_wire_is_refused(raw: Codec | None, value: Any) -> None:
    if raw is None:
        pytest.skip("msgspec isn't installed")
    before = codec._codec
    codec._use(raw)
    try:
        with pytest.raises(EncodeError):
            encode(value)
        with pytest.raises(EncodeError):
            encode(CallBody(0, [], value))
    finally:
        codec._use(before)


def test_an_encode_error_is_a_type_error_that_names_the_type() -> None:
    with pytest.raises(TypeError, match="complex"):
        encode([1j])


@pytest.mark.parametrize("raw", [PURE, NATIVE])
def test_nesting_is_bounded_in_both_directions(raw: Codec | None) -> None:
    if raw is None:
        pytest.skip("msgspec isn't installed")
    good, bad = b"\x91" * MAX_DEPTH + b"\0", b"\x91" * (MAX_DEPTH + 1) + b"\0"
    deep = raw.unpack(good)
    assert outcome(raw, b"\x93\0\x90" + good, CallBody) == CallBody(0, [], deep)
    assert outcome(raw, b"\x93\0\x90" + bad, CallBody) is DecodeError
    assert outcome(raw, b"\x97\0\x90\xc0\xa0\0\xc4\0" + good, CallBody) == CallBody(0, [])
    assert outcome(raw, b"\x97\0\x90\xc0\xa0\0\xc4\0" + bad, CallBody) is DecodeError
    assert outcome(raw, b"\x81\xa5later" + bad, Hello) is DecodeError
    assert outcome(raw, b"\x81\xa4sync\x81\xa5later" + good, Hello) == Hello()
    assert outcome(raw, b"\x81\xa4sync\x81\xa5later" + bad, Hello) is DecodeError
    assert encode(deep)
    for too_deep in ([deep], [[[deep]]]):
        with pytest.raises(EncodeError, match="32 levels"):
            encode(too_deep)


def test_wir_2_fields_must_have_their_declared_types() -> None:
    good: list[Any] = [0, [1], None, "", 0, b""]
    assert decode(encode(good), CallBody) == CallBody(0, [1])
    for i, wrong in enumerate(("0", ["1"], None, 1, -1, "")):
        if wrong is not None:
            bad = [*good[:i], wrong, *good[i + 1 :]]
            with pytest.raises(DecodeError, match=CallBody._fields[i]):
                decode(encode(bad), CallBody)
    for bad in ([-1, []], [True, []], [0, [True]], [0], {}, 5, None):
        with pytest.raises(DecodeError):
            decode(encode(bad), CallBody)


def test_missing_fields_have_defaults_and_default_ones_are_not_sent() -> None:
    assert encode(ReplyBody(5)) == b"\x91\x05"
    assert encode(CallBody(0, [3])) == b"\x92\x00\x91\x03"
    assert decode(encode([5, 1]), ReplyBody) == ReplyBody(5, 1)
    assert encode(CallBody(0, [], 0)) == b"\x93\x00\x90\x00"
    assert decode(encode(CallBody(0, [], False)), CallBody).args is False


def test_newer_peers_may_send_more() -> None:
    assert decode(encode([1, 2, "more"]), FiredBody) == FiredBody(1, 2)
    assert decode(encode({"v": 1, "news": 5}), Welcome).v == 1
    assert decode(encode({"sync": {"steps": True, "more": 1}}), Hello).sync == Sync(steps=True)


def test_sync_options_compare_equal_after_the_journey() -> None:
    sync = Sync(schema=False, allowed=("a",), skipped=(), shallow=True)
    assert decode(encode(Hello(sync=sync)), Hello).sync == sync


def test_floats_may_come_as_integers() -> None:
    assert decode(encode([33, "", 5]), ByeBody).after == 5


@given(VALUES)
def test_only_flat_lists_of_integers_are_diffs(value: Any) -> None:
    flat = type(value) is list and all(type(one) is int for one in value)
    if flat:
        assert decode_ints(encode(value)) == value
    else:
        with pytest.raises(DecodeError):
            decode_ints(encode(value))


@needs_native
@given(st.lists(st.integers(-40, 140), max_size=20) | st.lists(INT64, max_size=20))
def test_lists_of_numbers_are_written_as_one_by_one(values: list[int]) -> None:
    assert NATIVE is not None
    assert PURE.pack(values) == NATIVE.pack(values)
    assert PURE.unpack(PURE.pack(values)) == values


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1])
def test_no_list_hides_a_number_that_is_too_big(value: int) -> None:
    with pytest.raises(EncodeError):
        PURE.pack([0] * 9 + [value])
