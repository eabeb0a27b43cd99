"""The completion table of the REPL, position by position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from amctl.machine import Machine, State, States
from amctl.repl.command import Command, Kind, Param
from amctl.repl.completing import NOT_CONNECTED, Completing, Offer
from amctl.repl.outcome import Outcome
from amctl.rpc.answers import About, ArgField, ArgType
from tests.support.shell_fleet import ShellFleet, ShellPeer

if TYPE_CHECKING:
    from pathlib import Path


class WorkStates(States):
    Start = State()
    Ready = State(require=["Start"], auto=True)
    Work = State(multi=True, require=["Start"])
    Failed = State(remove=["Ready"])


class OtherStates(States):
    Ready = State()
    Extra = State()


async def nothing(*_: Any) -> Outcome:
    return Outcome()


def command(name: str, group: str, *params: Param) -> Command:
    return Command(name, group, f"What {name} does.", nothing, params)


MACH = Param("mach", Kind.PATTERN, "Machines.", required=True)
ARG = Param("arg", Kind.ARG_NAME, "An argument.", ("--arg",), many=True)
VAL = Param("val", Kind.TEXT, "Its value.", ("--val",), many=True)
WAIT = Param("wait", Kind.SWITCH, "Wait.", ("--wait",), default=False)
STATE = Param("state", Kind.STATE, "A state.", many=True, required=True)
TIMEOUT = Param("timeout", Kind.DURATION, "Give up.", ("--timeout",))


def states(kind: Kind) -> Param:
    return Param("states", kind, "States.", many=True, required=True)


def filters() -> tuple[Param, ...]:
    return (
        Param("active", Kind.STATE, "All active.", ("-a", "--active"), many=True),
        Param("inactive", Kind.STATE, "All inactive.", ("-i", "--inactive"), many=True),
        Param("tag", Kind.TAG, "With this tag.", ("--tag",)),
        Param("parent", Kind.MACHINE, "Of this parent.", ("-P", "--parent")),
        Param("disconn", Kind.SWITCH, "Those gone too.", ("-d", "--disconn"), default=True),
    )


COMMANDS = [
    command("add", "mutating", MACH, states(Kind.TO_ADD), ARG, VAL, WAIT),
    command("remove", "mutating", MACH, states(Kind.TO_REMOVE), ARG, VAL),
    command("group-add", "mutating", states(Kind.STATE), ARG, VAL, *filters()),
    command("when", "waiting", MACH, STATE, TIMEOUT),
    command("when-not", "waiting", MACH, STATE, TIMEOUT),
    command(
        "when-time",
        "waiting",
        MACH,
        Param("state", Kind.STATE, "A state.", ("-s", "--state"), many=True),
        Param("tick", Kind.NUMBER, "Its tick.", ("-t", "--time"), many=True),
    ),
    command("list", "checking", *filters()),
    command("inspect", "checking", MACH),
    command("mach", "checking", MACH, Param("all", Kind.SWITCH, "All.", ("--all",), default=False)),
    command("script", "repl", Param("file", Kind.FILE, "A file.", required=True)),
    command(
        "can",
        "mutating",
        Param("op", Kind.TEXT, "Which.", required=True, choices=("add", "remove")),
        MACH,
        states(Kind.STATE),
    ),
    command("help", "repl", Param("command", Kind.COMMAND, "A command.")),
]
KIND = ArgField("kind", "Literal['fast', 'slow sort'] | None", "None")
ABOUT = About(
    "alpha",
    args=(
        ArgType("Start", "start", (ArgField("trace_id", "str", "''"),)),
        ArgType(
            "Work", "work", (ArgField("dry", "bool", "False"), KIND, ArgField("n", "int", "3"))
        ),
    ),
)


@pytest.fixture
def fleet() -> ShellFleet:
    alpha, beta = Machine("alpha", WorkStates), Machine("Beta", OtherStates)
    alpha.add(["Start", "Work"])
    never = ShellPeer(Machine("never", WorkStates), is_ready=False, was_ready=False)
    return ShellFleet(
        [
            never,
            ShellPeer(beta, is_ready=False, problem="refused", tags=("red",), parent_id="alpha"),
            ShellPeer(alpha, tags=("red", "blue")),
        ]
    )


@pytest.fixture
def completing(fleet: ShellFleet, tmp_path: Path) -> Completing:
    return make(fleet, tmp_path)


def make(fleet: ShellFleet, cwd: Path | None = None) -> Completing:
    commands = {command.name: command for command in COMMANDS}
    return Completing(commands, fleet, lambda peer: ABOUT if peer.id == "alpha" else None, cwd)


def texts(offer: Offer) -> list[str]:
    return [candidate.text for candidate in offer.candidates]


def help_of(offer: Offer, text: str) -> str:
    return next(one.help for one in offer.candidates if one.text == text)


COMMON = ["--json", "--help"]
FIRST = ["Beta", "alpha", "."]


# -- commands


def test_completion_commands_come_in_groups_with_their_help(completing: Completing) -> None:
    offer = completing.offer("")
    assert sorted(texts(offer)) == sorted(command.name for command in COMMANDS)
    assert texts(offer)[:5] == ["add", "remove", "group-add", "can", "when"]
    groups = [one.group for one in offer.candidates]
    assert groups[:5] == ["mutating commands"] * 4 + ["waiting commands"]
    assert help_of(offer, "add") == "What add does."
    assert offer.usage == ""


@pytest.mark.parametrize(
    ("line", "expected"),
    [("gr", ["group-add"]), ("WHEN", ["when", "when-not", "when-time"]), ("nope", []), ("#", [])],
)
def test_completion_of_commands_ignores_case(
    completing: Completing, line: str, expected: list[str]
) -> None:
    assert texts(completing.offer(line)) == expected


# -- add, remove, when, when-not


@pytest.mark.parametrize("name", ["add", "remove", "when", "when-not"])
def test_completion_add_first_word(completing: Completing, name: str) -> None:
    offer = completing.offer(f"{name} ")
    assert texts(offer) == FIRST
    assert help_of(offer, ".") == "the first connected one: alpha"
    assert help_of(offer, "Beta") == "t0 not connected: refused"
    assert offer.usage.startswith(f"{name} MACH STATE")
    assert offer.start == len(name) + 1


def test_completion_add_first_word_ignores_case(completing: Completing) -> None:
    assert texts(completing.offer("add AL")) == ["alpha"]
    assert texts(completing.offer("add bet")) == ["Beta"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("add alpha ", ["Work", "Failed", "Exception"]),
        ("add . ", ["Work", "Failed", "Exception"]),
        ("add alpha Work ", ["Failed", "Exception", "--arg", "--wait", *COMMON]),
        ("add alpha Work fa", ["Failed"]),
        ("remove alpha ", ["Start", "Ready", "Work"]),
        ("remove alpha Work ", ["Start", "Ready", "--arg", *COMMON]),
        ("when alpha ", ["Start", "Ready", "Work", "Failed", "Exception"]),
        ("when-not alpha Start R", ["Ready"]),
        ("when Beta ", ["Ready", "Extra", "Exception"]),
        ("when all,!Beta ", ["Start", "Ready", "Work", "Failed", "Exception"]),
        ("when tag:red ", ["Start", "Ready", "Work", "Failed", "Exception"]),
        ("when re:( ", []),
        ("add nobody ", []),
    ],
)
def test_completion_add_later_words(completing: Completing, line: str, expected: list[str]) -> None:
    """`add` hides what is active already unless it is multi, `remove` what is inactive."""
    assert sorted(texts(completing.offer(line))) == sorted(expected)


def test_completion_states_tell_their_tick_and_relations(completing: Completing) -> None:
    offer = completing.offer("when alpha ")
    assert help_of(offer, "Work") == "active t1; multi; require Start"
    assert help_of(offer, "Failed") == "inactive t0; remove Ready"


@pytest.mark.parametrize(
    ("words", "has_arg", "has_val"),
    [
        ("", True, False),
        ("--arg Work.n ", False, True),
        ("--arg Work.n --val 1 ", True, False),
        ("--arg Work.n --arg Work.dry --val 1 ", False, True),
        ("--arg=Work.n ", False, True),
    ],
)
def test_completion_add_offers_arg_and_val_in_turns(
    completing: Completing, words: str, has_arg: bool, has_val: bool
) -> None:
    found = texts(completing.offer(f"add alpha Work {words}"))
    assert ("--arg" in found, "--val" in found) == (has_arg, has_val)
    if has_val:
        assert found == ["--val"]


@pytest.mark.parametrize("line", ["add alpha Work --wait ", "add alpha Work --arg n --val 1 "])
def test_completion_add_after_a_flag_only_flags(completing: Completing, line: str) -> None:
    assert all(text.startswith("--") for text in texts(completing.offer(line)))


def test_completion_no_flags_before_all_words_are_there(completing: Completing) -> None:
    assert not any(text.startswith("-") for text in texts(completing.offer("add alpha ")))
    assert texts(completing.offer("add --w")) == ["--wait"]


# -- --arg and --val


def test_completion_arg_names_come_with_types_those_of_the_states_first(
    completing: Completing,
) -> None:
    offer = completing.offer("add alpha Work --arg ")
    assert texts(offer) == ["Work.dry", "Work.kind", "Work.n", "Start.trace_id"]
    assert help_of(offer, "Work.n") == "int = 3"
    offer = completing.offer("add alpha Start --arg ")
    assert texts(offer)[0] == "Start.trace_id"


def test_completion_arg_names_hide_those_that_were_given(completing: Completing) -> None:
    line = "add alpha Work --arg Work.n --val 1 --arg work."
    assert texts(completing.offer(line)) == ["Work.dry", "Work.kind"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("--arg Work.dry --val ", ["true", "false"]),
        ("--arg Work.dry --val F", ["false"]),
        ("--arg Work.dry --val=", ["--val=true", "--val=false"]),
        ("--arg Work.kind --val ", ["fast", "'slow sort'", "None"]),
        ("--arg Work.kind --val 'sl", ["'slow sort'"]),
        ("--arg Work.n --val ", []),
        ("--arg Work.n --val 1 --arg Work.dry --val ", ["true", "false"]),
        ("--arg other --val ", []),
    ],
)
def test_completion_val_offers_what_a_field_may_be(
    completing: Completing, line: str, expected: list[str]
) -> None:
    found = texts(completing.offer(f"add alpha Work {line}"))
    assert found == [text for text in expected if text != "None"]


def test_completion_of_arguments_waits_for_nobody(fleet: ShellFleet) -> None:
    commands = {command.name: command for command in COMMANDS}
    completing = Completing(commands, fleet, lambda _: None)
    offer = completing.offer("add alpha Work --arg ")
    assert [peer.id for peer in offer.unknown] == ["alpha"]
    assert offer.note == "asking alpha what it takes"
    assert offer.candidates == ()
    assert completing.offer("add Beta Extra --arg ").unknown == ()


# -- inspect, mach, time


def test_completion_inspect_first_word_then_flags(completing: Completing) -> None:
    assert texts(completing.offer("inspect ")) == FIRST
    assert texts(completing.offer("inspect alpha ")) == COMMON
    assert texts(completing.offer("mach alpha ")) == ["--all", *COMMON]
    assert texts(completing.offer("mach alpha --all ")) == COMMON


# -- when-time


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("when-time ", FIRST),
        ("when-time Beta --state ", ["Ready", "Extra", "Exception"]),
        ("when-time Beta -s ", ["Ready", "Extra", "Exception"]),
        ("when-time Beta -s Ready ", ["--time"]),
        ("when-time Beta -sReady ", ["--time"]),
        ("when-time Beta -s Ready -t 3 ", ["--state", *COMMON]),
        ("when-time Beta -s Ready -t ", []),
        ("when-time Beta -s Ready -t 3 --state E", ["Extra", "Exception"]),
    ],
)
def test_completion_when_time(completing: Completing, line: str, expected: list[str]) -> None:
    assert texts(completing.offer(line)) == expected


# -- groups and lists


ALL_STATES = ["Ready", "Extra", "Exception", "Start", "Work", "Failed"]
FILTERS = ["--active", "--inactive", "--tag", "--parent", "--no-disconn"]


def test_completion_group_offers_the_states_of_all_machines(completing: Completing) -> None:
    assert sorted(texts(completing.offer("group-add "))) == sorted(ALL_STATES)
    found = texts(completing.offer("group-add Ready "))
    assert found[-len(COMMON) :] == COMMON
    assert set(found) == {*ALL_STATES, "--arg", *FILTERS, *COMMON} - {"Ready"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("list ", [*FILTERS, *COMMON]),
        ("list --active ", ALL_STATES),
        ("list -a ", ALL_STATES),
        ("list --active Ready --active ", [s for s in ALL_STATES if s != "Ready"]),
        ("list --inactive e", ["Extra", "Exception"]),
        ("list --tag ", ["blue", "red"]),
        ("list --parent ", ["Beta", "alpha"]),
        ("list --tag red ", ["--active", "--inactive", "--parent", "--no-disconn", *COMMON]),
        ("list --no", ["--no-disconn", "--no-json", "--no-help"]),
        ("list --ACT", ["--active"]),
        ("list -P", ["--parent"]),
        ("list -p", []),
    ],
)
def test_completion_list(completing: Completing, line: str, expected: list[str]) -> None:
    assert sorted(texts(completing.offer(line))) == sorted(expected)


# -- patterns


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("inspect a", ["alpha"]),
        ("inspect !al", ["!alpha"]),
        ("inspect alpha,al", ["alpha,alpha"]),
        ("inspect all", ["all"]),
        ("inspect t", ["tag:"]),
        ("inspect tag:", ["tag:blue", "tag:red"]),
        ("inspect parent:", ["parent:alpha"]),
        ("inspect state:st", ["state:Start"]),
        ("inspect !", ["!Beta", "!alpha", "!."]),
        ("inspect alpha,b", ["alpha,Beta"]),
        ("inspect all,!tag:r", ["all,!tag:red"]),
    ],
)
def test_completion_patterns_follow_what_is_begun(
    completing: Completing, line: str, expected: list[str]
) -> None:
    assert texts(completing.offer(line)) == expected


def test_completion_of_a_pattern_that_is_open_puts_no_blank_behind(completing: Completing) -> None:
    (only,) = completing.offer("inspect ta").candidates
    assert only.is_open
    assert not completing.offer("inspect alp").candidates[0].is_open


# -- files and commands


def test_completion_script_offers_files(completing: Completing, tmp_path: Path) -> None:
    for name in ("one.am", "Two words.am", ".hidden"):
        (tmp_path / name).touch()
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "inner.am").touch()
    assert texts(completing.offer("script ")) == ["'Two words.am'", "more/", "one.am"]
    assert texts(completing.offer("script tw")) == ["'Two words.am'"]
    assert texts(completing.offer("script 'Two w")) == ["'Two words.am'"]
    assert texts(completing.offer("script more/")) == ["more/inner.am"]
    assert texts(completing.offer("script .h")) == [".hidden"]
    assert texts(completing.offer("script nowhere/")) == []
    assert texts(completing.offer(f"script {tmp_path}/on")) == [f"{tmp_path}/one.am"]


def test_completion_can_offers_what_it_asks_for(completing: Completing) -> None:
    assert texts(completing.offer("can ")) == ["add", "remove"]
    assert texts(completing.offer("can R")) == ["remove"]
    assert texts(completing.offer("can add ")) == FIRST
    assert texts(completing.offer("can add alpha f")) == ["Failed"]


def test_completion_help_offers_commands(completing: Completing) -> None:
    assert texts(completing.offer("help w")) == ["when", "when-not", "when-time"]


# -- nothing connected


@pytest.mark.parametrize("line", ["add ", "add alpha ", "list ", "when-time alpha -s "])
def test_completion_nothing_is_offered_when_not_connected(fleet: ShellFleet, line: str) -> None:
    fleet.lose(fleet.peers[2], "gone")
    offer = make(fleet).offer(line)
    assert (offer.candidates, offer.note) == ((), NOT_CONNECTED)


def test_completion_of_commands_and_files_needs_no_connection(tmp_path: Path) -> None:
    (tmp_path / "one.am").touch()
    completing = make(ShellFleet(), tmp_path)
    assert texts(completing.offer("he")) == ["help"]
    assert texts(completing.offer("help li")) == ["list"]
    assert texts(completing.offer("script o")) == ["one.am"]


# -- lines


@pytest.mark.parametrize(
    ("line", "start"), [("", 0), ("  ad", 2), ("add  al", 5), ("add 'al", 4), ("add a\\", 4)]
)
def test_a_candidate_replaces_the_word_it_completes(
    completing: Completing, line: str, start: int
) -> None:
    assert completing.offer(line).start == start


def test_behind_two_dashes_nothing_is_a_flag(completing: Completing) -> None:
    assert sorted(texts(completing.offer("add alpha -- "))) == ["Exception", "Failed", "Work"]


def test_nothing_is_completed_in_a_comment_or_behind_an_unknown_command(
    completing: Completing,
) -> None:
    assert texts(completing.offer("add alpha # st")) == []
    assert texts(completing.offer("frobnicate ")) == []


def test_a_duplicate_id_is_offered_once(fleet: ShellFleet) -> None:
    fleet.add(ShellPeer(Machine("alpha", OtherStates), key="other"))
    assert texts(make(fleet).offer("inspect al")) == ["alpha"]
