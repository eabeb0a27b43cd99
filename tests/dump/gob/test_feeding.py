"""A stream that arrives in pieces, and what it may ask for at most."""

from __future__ import annotations

import pytest

from amctl.dump.gob.decoder import GobError, Iface, Limits
from amctl.dump.gob.encoder import ValueWriter, encode_stream
from amctl.dump.gob.feeding import MAX_TYPES, FeedDecoder
from amctl.dump.gob.types import INT, INTERFACE, STRING, Field, TypeDef

PAIR = TypeDef(70, "struct", fields=(Field("A", INT), Field("B", STRING)))
LIST = TypeDef(71, "slice", elem=INTERFACE)
INTS = TypeDef(70, "slice", elem=INT)
NEST = TypeDef(72, "slice", elem=72)


def values(decoder: FeedDecoder, data: bytes) -> list[object]:
    decoder.feed(data)
    return [value for _, value in decoder.values()]


def defined(*types: TypeDef) -> bytes:
    """Definitions alone: of a stream whose value, an int, is cut off."""
    stream = bytes(encode_stream(0, INT, {one.id: one for one in types}))
    return stream.removesuffix(b"\x03\x04\x00\x00")


def test_values_come_out_when_they_are_whole() -> None:
    writer = ValueWriter({70: PAIR})
    data = writer.value(70, {"A": 1, "B": "x"}) + writer.value(70, {"A": 2})
    decoder = FeedDecoder()
    found = [(i, value) for i in range(len(data)) for value in values(decoder, data[i : i + 1])]
    assert [value for _, value in found] == [{"A": 1, "B": "x"}, {"A": 2}]
    assert found[-1][0] == len(data) - 1
    assert decoder.buffered == 0


def test_a_value_that_goes_on_in_the_next_message_waits_for_it() -> None:
    # dbg.md 6.4: an interface holds a struct that is defined in the middle of the value
    head = bytes((0xFF, 0x8E)) + b"\x00\x02" + b"\x01p" + b"\xff\x8b"
    definition = defined(PAIR)
    body = definition[1 + definition[0] // 255 :]
    assert body[:2] == b"\xff\x8b"
    first = head + body[2:]
    second = b"\xff\x8c" + b"\x06" + b"\x01\x02\x01\x01y\x00" + b"\x00"
    stream = defined(LIST) + bytes((len(first),)) + first + bytes((len(second),)) + second
    for size in (1, 3, len(stream)):
        decoder, found = FeedDecoder(), list[object]()
        for at in range(0, len(stream), size):
            found += values(decoder, stream[at : at + size])
        assert found == [[Iface("p", {"A": 1, "B": "y"}), None]]
        assert set(decoder.types) == {70, 71}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\xfc\x7f\xff\xff\xff", "is the most"),
        (b"\xf8" + b"\xff" * 8, "has 8 bytes"),
        (b"\x03\x04\x00\x00\x01\xff", "reserved|ends|integer"),
        (b"\x02\x04\x00", "ends in the middle"),
        (defined(PAIR) * 2, "second definition"),
        (defined(NEST) + b"\x40\xff\x90\x00" + b"\x01" * 61, "levels"),
        (
            defined(TypeDef(70, "slice", elem=INT)) + b"\x08\xff\x8c\x00\xfc\x7f\xff\xff\xff",
            "elements in",
        ),
    ],
)
def test_damage_and_greed_are_found(data: bytes, problem: str) -> None:
    with pytest.raises(GobError, match=problem):
        values(FeedDecoder(), data)


def test_there_are_only_so_many_types() -> None:
    decoder = FeedDecoder()
    for number in range(MAX_TYPES):
        assert values(decoder, defined(TypeDef(100 + number, "slice", elem=INT))) == []
    with pytest.raises(GobError, match=f"more than {MAX_TYPES} types"):
        values(decoder, defined(TypeDef(99, "slice", elem=INT)))


def test_definitions_have_only_so_many_bytes() -> None:
    fields = tuple(Field(f"{i:050}", INT) for i in range(200))
    stream = b"".join(
        defined(TypeDef(100 + number, "struct", fields=fields)) for number in range(MAX_TYPES)
    )
    with pytest.raises(GobError, match="definitions of more than"):
        values(FeedDecoder(), stream)


def test_each_value_has_limits_of_its_own() -> None:
    decoder = FeedDecoder(Limits(size=1000, values=50))
    writer = ValueWriter({71: TypeDef(71, "slice", elem=INT)})
    for _ in range(10):
        assert values(decoder, writer.value(71, [1] * 40)) == [[1] * 40]
    with pytest.raises(GobError, match="more than 50 values"):
        values(decoder, writer.value(71, [1] * 60))


def test_a_value_has_only_so_many_parts() -> None:
    stream = defined(LIST)
    first = b"\xff\x8e\x00\x64\x01p"
    stream += bytes((len(first),)) + first
    decoder = FeedDecoder()
    with pytest.raises(GobError, match=r"more than 32 messages|elements"):
        values(decoder, stream + defined(*(TypeDef(80 + i, "slice", elem=INT) for i in range(40))))
