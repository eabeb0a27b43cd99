"""Typed arguments (section 26): objects here, plain maps on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence  # noqa: TC003  # fields are read at run time
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.machine import ERROR_KEY, ACheck, AException, Args, ArgsError, RemoteError, Result
from amctl.machine.args import as_args, loggable, parse_args
from tests.machine.tools import mach


@dataclass(frozen=True)
class APart(Args):
    """A part of something."""

    size: int = 0


@dataclass(frozen=True)
class AWorking(Args):
    """One field of every kind."""

    payload: bytes = b""
    name: str = ""
    round: int = 0
    share: float = 0.0
    is_last: bool = False
    maybe: int | None = None
    mode: Literal["hash", "burn"] = "hash"
    deps: tuple[str, ...] = ()
    pair: tuple[int, str] = (0, "")
    loose: tuple = ()  # type: ignore[type-arg]  # what a loose declaration takes
    sizes: Sequence[int] = ()
    items: list[Any] = field(default_factory=list)
    table: Mapping[str, int] = field(default_factory=dict)
    anything: dict = field(default_factory=dict)  # type: ignore[type-arg]  # as above
    part: APart = APart()
    nothing: None = None
    free: Any = None


@dataclass(frozen=True)
class Bare(Args):
    """A name without the letter, of another package."""

    prefix: ClassVar[str] = "mine"

    value: int = 0


def test_arg_1_keys() -> None:
    assert AWorking.key() == "am__Working"
    assert Bare.key() == "mine__Bare"
    assert (ERROR_KEY, ACheck.key()) == ("_am__Exception", "_am__Any")


def test_arg_1_whatever_a_caller_passes_becomes_one_map() -> None:
    work, bare, plain = AWorking(round=1), Bare(2), {"x": 1}
    assert as_args(None) == {}
    assert as_args(work) == {"am__Working": work}
    assert as_args([work, bare]) == {"am__Working": work, "mine__Bare": bare}
    assert as_args(plain) is plain


def test_arg_1_objects_come_back_and_maps_are_parsed() -> None:
    work = AWorking(round=1)
    assert parse_args(AWorking, as_args(work)) is work
    assert parse_args(AWorking, {"am__Working": {"round": 1}}) == work
    assert parse_args(AWorking, {"am__Other": {"round": 1}}) == AWorking()


def test_the_wire_leaves_defaults_out_and_has_plain_types_only() -> None:
    assert AWorking(items=[]).to_wire() == {"items": [], "table": {}, "anything": {}}
    work = AWorking(deps=("a",), part=APart(3), items=[APart(1), (2,)], table={"x": 1})
    wire = work.to_wire()
    assert wire["deps"] == ["a"]
    assert wire["part"] == {"size": 3}
    assert wire["items"] == [{"size": 1}, [2]]
    assert wire["table"] == {"x": 1}


_text = st.text(max_size=5)
_works = st.builds(
    AWorking,
    payload=st.binary(max_size=5),
    name=_text,
    round=st.integers(),
    share=st.floats(allow_nan=False),
    is_last=st.booleans(),
    maybe=st.none() | st.integers(),
    mode=st.sampled_from(["hash", "burn"]),
    deps=st.lists(_text, max_size=3).map(tuple),
    pair=st.tuples(st.integers(), _text),
    loose=st.lists(st.integers(), max_size=3).map(tuple),
    sizes=st.lists(st.integers(), max_size=3),
    items=st.lists(_text, max_size=3),
    table=st.dictionaries(_text, st.integers(), max_size=3),
    anything=st.dictionaries(_text, _text, max_size=3),
    part=st.builds(APart, st.integers()),
    free=st.none() | _text,
)


@pytest.mark.slow
@given(_works)
def test_what_goes_over_the_wire_comes_back(work: AWorking) -> None:
    back = AWorking.from_wire(work.to_wire())
    # a default is left out and so comes back as the default's type
    assert (list(back.sizes), back) == (list(work.sizes), AWorking.from_wire(back.to_wire()))
    assert {n: v for n, v in vars(back).items() if n != "sizes"} == {
        n: v for n, v in vars(work).items() if n != "sizes"
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("payload", "text"),
        ("name", b"bytes"),
        ("round", 1.5),
        ("round", True),
        ("share", "1"),
        ("is_last", 1),
        ("maybe", "no"),
        ("mode", "other"),
        ("deps", "abc"),
        ("deps", [1]),
        ("pair", [1]),
        ("pair", [1, 2]),
        ("sizes", ["a"]),
        ("items", {}),
        ("table", {"x": "y"}),
        ("table", {1: 1}),
        ("table", []),
        ("anything", []),
        ("part", 3),
        ("nothing", 0),
    ],
)
def test_other_types_than_declared_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ArgsError) as caught:
        AWorking.from_wire({name: value})
    assert (caught.value.args_name, caught.value.field) == ("AWorking", name)


def test_nested_arguments_are_checked_too() -> None:
    assert AWorking.from_wire({"part": {"size": 2}, "share": 1, "sizes": [1]}).part == APart(2)
    with pytest.raises(ArgsError, match="field 'part' can't be"):
        AWorking.from_wire({"part": {"size": "big"}})


@pytest.mark.parametrize("junk", [3, [], "text", None])
def test_only_a_map_makes_arguments(junk: Any) -> None:
    with pytest.raises(ArgsError, match="can't be made of"):
        AWorking.from_wire(junk)


def test_unknown_fields_are_ignored() -> None:
    assert AWorking.from_wire({"newer": 1, "round": 2}) == AWorking(round=2)


def test_err_4_the_error_travels_as_its_text() -> None:
    args = AException(ValueError("broken"), "AState", ("A",), ("A", "B"))
    wire = args.to_wire()
    assert wire == {
        "err": "ValueError: broken", "handler": "AState", "called": ["A"], "targets": ["A", "B"],
    }  # fmt: skip
    back = AException.from_wire(wire)
    assert isinstance(back.err, RemoteError)
    assert str(back.err) == "ValueError: broken"
    assert (back.handler, back.called, back.targets) == ("AState", ("A",), ("A", "B"))


def test_err_4_an_error_alone_or_its_text_will_do() -> None:
    error = ValueError("broken")
    assert AException.from_wire(error).err is error
    assert str(AException.from_wire("broken").err) == "broken"
    assert AException.from_wire({"handler": "AState"}).err is None
    assert "err" not in AException().to_wire()


@pytest.mark.parametrize("junk", [3, [], None, {"handler": 3}, {"called": "A"}])
def test_err_4_junk_is_no_error(junk: Any) -> None:
    with pytest.raises(ArgsError):
        AException.from_wire(junk)


def test_err_4_the_traceback_is_text() -> None:
    m = mach("A", handlers={"AState": lambda _: 1 // 0})
    got: list[AException] = []
    m.bind({"ExceptionState": lambda e: got.append(e.args(AException))})
    m.add("A")
    assert (got[0].handler, got[0].called, got[0].targets) == ("AState", ("A",), ("A",))
    assert "1 // 0" in got[0].trace
    assert AException().trace == ""


def test_can_2_only_the_first_answer_counts() -> None:
    check, heard = ACheck(), list[bool | None]()
    check.done.add_done_callback(lambda _: heard.append(check.canceled))
    check.answer(True)
    check.answer(False)
    assert (check.canceled, heard) == (True, [True])


@dataclass(frozen=True)
class AShown(Args):
    id: str = ""
    port: int = 0
    path: tuple[str, ...] = ()
    secret: str = ""


def test_log_4_what_is_shown_of_arguments() -> None:
    given = {"name": "n", "addr": "h:1", "url": "u", "uri": "v", "token": "secret"}
    assert loggable(given) == {"name": "n", "addr": "h:1", "url": "u", "uri": "v"}
    assert loggable({}) == {}


def test_arg_2_typed_arguments_by_their_fields() -> None:
    args = as_args([AShown("x", 7, ("a", "b c"), "secret")])
    assert loggable(args) == {"id": "x", "port": "7", "path": '"a", "b c"'}
    assert loggable(as_args(AShown())) == {}


def test_arg_2_typed_arguments_that_came_over_the_wire() -> None:
    wire = {AShown.key(): AShown("x", secret="s").to_wire(), "plain": {"id": "y"}}
    assert loggable(wire) == {"id": "x"}


def test_log_4_further_names() -> None:
    assert loggable({"id": 1, "round": 2, "x": 3}, ["round"]) == {"id": "1", "round": "2"}


def test_err_4_errors_are_shown_by_their_text() -> None:
    assert loggable(as_args(AException(ValueError("boom")))) == {"err": "boom"}
    assert loggable(as_args(AException(ValueError()))) == {"err": "ValueError"}
    assert loggable({ERROR_KEY: ValueError("alone")}) == {"err": "alone"}
    assert loggable({ERROR_KEY: AException(ValueError("far")).to_wire()}) == {
        "err": "ValueError: far"
    }


def test_hlp_5_texts() -> None:
    class Odd:
        def __str__(self) -> str:
            raise ValueError("no text")

    values = {
        "name": "two\nlines",
        "id": Result(1),
        "port": 0,
        "addr": b"12345",
        "path": Odd(),
        "url": [1, 2],
        "uri": True,
        "err": None,
    }
    assert loggable(values) == {
        "name": "two lines",
        "id": "canceled",
        "addr": "5 bytes",
        "path": "<Odd>",
        "url": "1, 2",
        "uri": "True",
    }
    assert loggable({"name": "x" * 99}) == {"name": "x" * 99}
