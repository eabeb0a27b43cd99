"""Words and values of command lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from amctl.repl.command import Command, Kind, Param
from amctl.repl.errors import UsageError
from amctl.repl.outcome import Outcome
from amctl.repl.parsing import options_of, parse, parse_duration, split, usage_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amctl.repl.command import Context


async def nothing(context: Context, values: Mapping[str, Any]) -> Outcome:
    return Outcome()


PARAMS = (
    Param("mach", Kind.PATTERN, "", required=True),
    Param("state", Kind.STATE, "", many=True, required=True),
    Param("arg", Kind.ARG_NAME, "", ("--arg",), many=True),
    Param("limit", Kind.NUMBER, "How many.", ("-l", "--limit"), default=0),
    Param("timeout", Kind.DURATION, "", ("--timeout",)),
    Param("show", Kind.SWITCH, "", ("-z", "--show"), default=True),
    Param("all", Kind.SWITCH, "", ("-Z", "--all"), default=False),
)
COMMAND = Command("do", "repl", "Do it", nothing, PARAMS, "do . A")


def values(*words: str) -> dict[str, Any]:
    return parse(COMMAND, words)


def refused(*words: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        parse(COMMAND, words)
    return caught.value


def test_every_param_has_its_value_or_its_default() -> None:
    assert values(".", "A", "B") == {
        "mach": ".",
        "state": ["A", "B"],
        "arg": [],
        "limit": 0,
        "timeout": None,
        "show": True,
        "all": False,
        "json": False,
        "help": False,
    }


@pytest.mark.parametrize(
    "words",
    [["-l", "3"], ["-l3"], ["-l=3"], ["--limit", "3"], ["--limit=3"], ["-Zl3"], ["-l", "9", "-l3"]],
)
def test_an_option_may_be_spelled_in_many_ways(words: list[str]) -> None:
    assert values(*words, ".", "A")["limit"] == 3
    assert values(".", *words, "A")["limit"] == 3
    assert values(".", "A", *words)["limit"] == 3


@pytest.mark.parametrize(
    ("word", "name", "value"),
    [
        ("-Z", "all", True),
        ("--all", "all", True),
        ("--no-show", "show", False),
        ("--show=false", "show", False),
        ("-z=false", "show", False),
        ("--show=true", "show", True),
        ("--no-show=false", "show", True),
        ("--json", "json", True),
        ("-h", "help", True),
    ],
)
def test_a_switch_may_be_spelled_in_many_ways(word: str, name: str, value: bool) -> None:
    assert values(".", "A", word)[name] is value


def test_switches_may_share_a_word() -> None:
    assert values(".", "A", "-Zz")["all"] is True


def test_a_list_option_may_be_repeated() -> None:
    assert values(".", "A", "--arg", "x", "--arg=y=z", "--arg", "-1")["arg"] == ["x", "y=z", "-1"]


def test_behind_two_dashes_there_are_only_words() -> None:
    assert values("--", "--odd", "-l", "--")["state"] == ["-l", "--"]


def test_a_dash_is_a_word() -> None:
    assert values("-", "A")["mach"] == "-"


def test_s63_two_lines_share_nothing() -> None:
    first, second = values(".", "A", "--arg", "x"), values(".", "B")
    first["arg"].append("leak")
    assert second["arg"] == values(".", "A")["arg"] == []
    assert second["state"] == ["B"]


def test_what_is_missing_is_named() -> None:
    assert str(refused()) == "do needs MACH"
    assert str(refused(".")) == "do needs STATE"
    assert refused(".").hint == "usage: do MACH STATE... [OPTION...]"
    assert str(refused(".", "A", "--limit")) == "option --limit needs a value"


def test_help_needs_no_more() -> None:
    assert values("--help")["help"] is True


def test_an_unknown_option_has_a_near_one() -> None:
    assert str(refused(".", "A", "--limt", "3")) == "do has no option --limt"
    assert refused(".", "A", "--limt").hint == "did you mean --limit?"
    assert refused(".", "A", "--quite-other").hint == "see: amctl repl -- help do"
    assert str(refused(".", "A", "-Zx")) == "do has no option -x"
    assert str(refused(".", "A", "--no-limit")) == "do has no option --no-limit"


@pytest.mark.parametrize("word", ["--limit=x", "--limit=-1", "-l1.5", "--limit=", "--limit=\u0663"])
def test_a_bad_number_is_shown(word: str) -> None:
    assert "is no whole number, 0 or more" in str(refused(".", "A", word))


def test_a_bad_switch_is_shown() -> None:
    assert str(refused(".", "A", "--show=maybe")) == "--show: 'maybe' is neither true nor false"


def test_a_command_without_places_takes_no_word() -> None:
    bare = Command("bare", "repl", "", nothing)
    with pytest.raises(UsageError, match="bare takes no further word: 'x'"):
        parse(bare, ["x"])


def test_a_commands_own_flag_hides_a_common_one() -> None:
    own = Command("x", "repl", "", nothing, (Param("here", Kind.SWITCH, "", ("-h",)),))
    assert [param.name for param in options_of(own)] == ["here", "json"]
    assert parse(own, ["-h"])["here"] is True


def test_an_optional_word_stands_in_brackets() -> None:
    bare = Command("x", "repl", "", nothing, (Param("a_b", Kind.TEXT, ""),))
    assert usage_line(bare) == "x [A-B] [OPTION...]"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("2m", 120), ("1h", 3600), ("1.5", 1.5), ("0", 0)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds
    assert values(".", "A", "--timeout", text)["timeout"] == seconds


@pytest.mark.parametrize("text", ["", "s", "-1", "1d", "1 2", "nan", "inf"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="no duration such as"):
        parse_duration(text)
    assert "no duration" in str(refused(".", "A", f"--timeout={text}"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("add . Foo", ["add", ".", "Foo"]),
        ("  a\t b ", ["a", "b"]),
        ("a 'b c' \"d e\" f\\ g", ["a", "b c", "d e", "f g"]),
        ("# all", []),
        ("a # rest", ["a"]),
        ("a #'rest", ["a"]),
        ("a b#c", ["a", "b#c"]),
        ("a '# no' \"#n\" \\#x", ["a", "# no", "#n", "#x"]),
        ("""a '{"x": "y"}'""", ["a", '{"x": "y"}']),
        ("", []),
    ],
)
def test_lines_are_split_as_a_shell_does(text: str, words: list[str]) -> None:
    assert split(text) == words


@pytest.mark.parametrize("text", ["a 'b", 'a "b', "a \\", "it's"])
def test_a_line_that_isnt_closed_is_shown(text: str) -> None:
    with pytest.raises(UsageError, match=r"^no (closing quotation|escaped character): "):
        split(text)
