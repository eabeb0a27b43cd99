"""Arguments by name: texts are read as their field's type, values are checked."""

from __future__ import annotations

import base64
import contextlib
import json
import struct
from collections.abc import Mapping, Sequence  # noqa: TC003  # fields are read at run time
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.machine import AException, Args, ArgsError, RemoteError
from amctl.machine.argtext import fit_field, named_args
from amctl.rpc.payload import APayload
from nodes.states import DISPATCHER_ARGS, ORCHESTRATOR_ARGS


@dataclass(frozen=True)
class APart(Args):
    """A part of something."""

    size: int = 0
    blob: bytes = b""


@dataclass(frozen=True)
class AAll(Args):
    """One field of every kind."""

    payload: bytes = b""
    name: str = ""
    round: int = 0
    share: float = 0.0
    is_last: bool = False
    maybe: int | None = None
    title: str | None = None
    either: bool | int | bytes = False
    mode: Literal["hash", "burn", 3, None] = "hash"
    deps: tuple[str, ...] = ()
    pair: tuple[int, str] = (0, "")
    loose: tuple = ()  # type: ignore[type-arg]  # what a loose declaration takes
    sizes: Sequence[int] = ()
    blobs: list[bytes] = field(default_factory=list)
    items: list = field(default_factory=list)  # type: ignore[type-arg]
    table: Mapping[str, float] = field(default_factory=dict)
    slots: dict[int, str] = field(default_factory=dict)
    bag: dict = field(default_factory=dict)  # type: ignore[type-arg]
    part: APart = APart()
    parts: tuple[APart, ...] = ()
    none: None = None
    err: BaseException | None = None
    data: Any = None


@dataclass(frozen=True)
class AOdd(Args):
    """Fields of kinds that nobody is advised to use."""

    share: float = 0.0
    wave: complex = 0j
    errs: list[BaseException] = field(default_factory=list)


@dataclass(frozen=True)
class APicky(Args):
    """Has a check of its own."""

    low: int = 0
    high: int = 9

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("payload", "aGk=", b"hi"),
        ("payload", "0x00fF", b"\x00\xff"),
        ("payload", "", b""),
        ("payload", "0x", b""),
        ("name", " as it is ", " as it is "),
        ("name", "7", "7"),
        ("round", "-12", -12),
        ("round", " 007 ", 7),
        ("round", "0xff", 255),
        ("share", "1e3", 1000.0),
        ("share", "2", 2.0),
        ("is_last", "TRUE", True),
        ("is_last", "no", False),
        ("is_last", "0", False),
        ("maybe", "5", 5),
        ("maybe", "null", None),
        ("maybe", "", None),
        ("title", "null", "null"),
        ("either", "1", True),
        ("either", "2", 2),
        ("either", "0xzz", None),
        ("either", "aGk=", b"hi"),
        ("mode", "burn", "burn"),
        ("mode", "3", 3),
        ("mode", "None", None),
        ("deps", '["a", "b"]', ("a", "b")),
        ("pair", '[1, "x"]', (1, "x")),
        ("loose", "[1, null]", (1, None)),
        ("sizes", "[1, 2]", [1, 2]),
        ("blobs", '["aGk=", "0x01"]', [b"hi", b"\x01"]),
        ("items", '[1, {"a": "x"}]', [1, {"a": "x"}]),
        ("table", '{"a": 1, "b": 0.5}', {"a": 1.0, "b": 0.5}),
        ("slots", '{"1": "x"}', {1: "x"}),
        ("bag", '{"a": []}', {"a": []}),
        ("part", '{"size": 3, "blob": "0x01"}', APart(3, b"\x01")),
        ("parts", '[{"size": 3}, {}]', (APart(3), APart())),
        ("none", "none", None),
        ("data", '{"a": 1}', '{"a": 1}'),
    ],
)
def test_a_text_is_read_as_its_declared_type(name: str, text: str, value: object) -> None:
    if name == "either" and value is None:
        with pytest.raises(ArgsError):
            fit_field(AAll, name, text)
        return
    read = fit_field(AAll, name, text)
    assert (read, type(read)) == (value, type(value))


def test_the_text_of_an_error_becomes_one() -> None:
    read = fit_field(AAll, "err", "it broke")
    assert (type(read), str(read)) == (RemoteError, "it broke")
    (inner,) = fit_field(AOdd, "errs", ["it broke"])
    assert (type(inner), str(inner)) == (RemoteError, "it broke")
    assert fit_field(AAll, "err", None) is None


@pytest.mark.parametrize(
    ("name", "value", "fit"),
    [
        ("payload", b"\x00", b"\x00"),
        ("round", 3, 3),
        ("share", 3, 3.0),
        ("is_last", True, True),
        ("maybe", None, None),
        ("mode", 3, 3),
        ("deps", ["a"], ("a",)),
        ("pair", [1, "x"], (1, "x")),
        ("blobs", ["0x01", b"\x02"], [b"\x01", b"\x02"]),
        ("slots", {"1": "x", 2: "y"}, {1: "x", 2: "y"}),
        ("part", {"size": 3}, APart(3)),
        ("data", {"a": [1]}, {"a": [1]}),
    ],
)
def test_a_value_is_checked(name: str, value: object, fit: object) -> None:
    found = fit_field(AAll, name, value)
    assert (found, type(found)) == (fit, type(fit))


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("payload", "0xz", "can't be '0xz': it should be bytes: base64, or hex digits after 0x"),
        ("payload", "a", "can't be 'a': it should be bytes: base64, or hex digits after 0x"),
        ("payload", 5, "can't be 5: it should be bytes: base64, or hex digits after 0x"),
        ("name", 5, "can't be 5: it should be a text"),
        ("round", "many", "can't be 'many': it should be a whole number"),
        ("round", "1.5", "can't be '1.5': it should be a whole number"),
        ("round", "0x" + "f" * 17, f"can't be '0x{'f' * 17}': it should be a whole number"),
        ("round", True, "can't be True: it should be a whole number"),
        ("round", 1 << 64, f"can't be {1 << 64}: it should be a whole number"),
        ("share", "fast", "can't be 'fast': it should be a number"),
        ("share", True, "can't be True: it should be a number"),
        ("is_last", "maybe", "can't be 'maybe': it should be true or false"),
        ("is_last", 1, "can't be 1: it should be true or false"),
        ("maybe", "x", "can't be 'x': it should be a whole number or none"),
        ("mode", "cook", "can't be 'cook': it should be 'hash' or 'burn' or 3 or None"),
        ("mode", True, "can't be True: it should be 'hash' or 'burn' or 3 or None"),
        ("deps", "a,b", "can't be 'a,b': it should be a JSON list, each a text"),
        ("deps", "[1]", "can't be '[1]': it should be a JSON list, each a text"),
        ("pair", "[1]", "can't be '[1]': it should be a JSON list of a whole number, a text"),
        ("loose", "{}", "can't be '{}': it should be a JSON list"),
        ("table", "[]", "can't be '[]': it should be a JSON map, each a number"),
        ("slots", {"x": "y"}, "can't be {'x': 'y'}: it should be a JSON map, each a text"),
        ("bag", "1", "can't be '1': it should be a JSON map"),
        ("part", "[]", "can't be '[]': it should be a JSON map of size, blob"),
        ("none", "some", "can't be 'some': it should be none"),
        ("err", 5, "can't be 5: it should be an error's text or none"),
    ],
)
def test_what_does_not_fit_is_told_with_what_would(name: str, value: object, problem: str) -> None:
    with pytest.raises(ArgsError) as caught:
        fit_field(AAll, name, value)
    assert str(caught.value) == f"arguments 'All': field {name!r} {problem}"


def test_what_no_field_of_its_kind_can_hold_is_told_too() -> None:
    with pytest.raises(ArgsError, match="it should be a number"):
        fit_field(AOdd, "share", 10**400)
    with pytest.raises(ArgsError, match="it should be complex"):
        fit_field(AOdd, "wave", [])


def test_long_values_are_cut_in_messages() -> None:
    for value in ("9" * 10_000, b"x" * 10_000, ["x"] * 10_000):
        with pytest.raises(ArgsError) as caught:
            fit_field(AAll, "is_last", value)
        assert len(str(caught.value)) < 200


def test_an_unknown_field_has_a_near_match() -> None:
    with pytest.raises(ArgsError) as caught:
        named_args([AAll], {"All.paylod": "0x00"})
    assert str(caught.value) == "arguments 'All': field 'paylod' is unknown"
    assert caught.value.hint == "did you mean 'payload'?"
    with pytest.raises(ArgsError) as caught:
        named_args([APart], {"Part.zzz": "1"})
    assert caught.value.hint == "it has size, blob"


def test_an_unknown_type_has_a_near_match() -> None:
    with pytest.raises(ArgsError) as caught:
        named_args([AAll, APart], {"Prat.size": "1"}, "m1")
    assert str(caught.value) == "arguments 'Prat' are unknown (Prat.size)"
    assert caught.value.hint == "did you mean 'Part'?"
    with pytest.raises(ArgsError) as caught:
        named_args([AAll, APart], {"x.y": "1"}, "m1")
    assert caught.value.hint == "machine 'm1' takes All, Part"
    with pytest.raises(ArgsError) as caught:
        named_args([], {"x.y": "1"})
    assert caught.value.hint == "it takes no typed arguments"


def test_fields_of_one_type_come_together_and_plain_names_stay() -> None:
    given = {"Part.size": "3", "note": "3", "Part.blob": b"x", "n": 3}
    assert named_args([APart], given) == {"am__Part": APart(3, b"x"), "note": "3", "n": 3}


def test_a_types_own_key_takes_a_map_of_its_fields() -> None:
    assert named_args([APart], {"am__Part": {"size": 3}}) == {"am__Part": APart(3)}
    with pytest.raises(ArgsError, match="can't be made of 5, only of a map"):
        named_args([APart], {"am__Part": 5})
    with pytest.raises(ArgsError, match="'Part' have a field without a name"):
        named_args([APart], {"Part.": "1"})
    with pytest.raises(ArgsError, match="field '7' is unknown"):
        named_args([APart], {"am__Part": {7: 3}})


def test_a_types_own_check_counts() -> None:
    assert named_args([APicky], {"Picky.low": "3"}) == {"am__Picky": APicky(3)}
    with pytest.raises(ArgsError) as caught:
        named_args([APicky], {"Picky.low": "10"})
    assert str(caught.value) == "arguments 'Picky' can't be made: low 10 is above high 9"


# ---- every type that nodes, payloads and the engine declare


NUMBERS = st.integers(-(1 << 63), (1 << 64) - 1)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "bytes": st.binary(),
    "str": st.text(),
    "int": NUMBERS,
    "bool": st.booleans(),
    "tuple[str, ...]": st.lists(st.text()).map(tuple),
    "Any": st.text(),
}


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value if isinstance(value, str) else json.dumps(value)


class _Known:
    types: ClassVar[list[type[Args]]] = [
        *dict.fromkeys((*DISPATCHER_ARGS, *ORCHESTRATOR_ARGS, APayload, AException))
    ]


@pytest.mark.parametrize("cls", _Known.types)
@given(data=st.data())
def test_every_declared_field_comes_back_from_its_text(cls: type[Args], data: Any) -> None:
    for one in fields(cls):  # type: ignore[arg-type]  # they are dataclasses
        if "BaseException" in str(one.type):
            continue
        value = data.draw(VALUES[str(one.type)])
        named = {f"{cls.label()}.{one.name}": _as_text(value)}
        assert getattr(named_args([cls], named)[cls.key()], one.name) == value
        as_value = {f"{cls.label()}.{one.name}": value}
        if not isinstance(value, str):
            assert getattr(named_args([cls], as_value)[cls.key()], one.name) == value


JUNK = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | NUMBERS, inner),
)


@given(name=st.sampled_from([f.name for f in fields(AAll)]), value=JUNK)
def test_nothing_but_an_args_error_comes_of_any_value(name: str, value: Any) -> None:
    with contextlib.suppress(ArgsError):
        fit_field(AAll, name, value)


@given(st.floats(allow_nan=False))
def test_numbers_come_back_from_their_text(value: float) -> None:
    read = fit_field(AAll, "share", repr(value))
    assert struct.pack("d", read) == struct.pack("d", value)
