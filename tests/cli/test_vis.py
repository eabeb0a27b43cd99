"""`amctl vis`: flags in any place, formats, listings, sequences; the drawing itself is a fake."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

from amctl.cli import _vis_files, main, vis
from amctl.cli.exitcodes import ExitCode
from amctl.cli.options import GlobalOptions
from amctl.dump.errors import DumpNotFoundError
from amctl.telemetry.messages import GoneMsg
from amctl.vis.errors import NoGraphvizError
from amctl.vis.presets import options_for
from tests.graph.made import GOLDEN
from tests.support.recordings import BEGAN, lamp, recording, schema, tx
from tests.support.shared import SHARED, needs_shared

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.dump.memory import MemoryDump
    from amctl.vis.view import View


def run(*words: str) -> int:
    return main.run(["vis", *words])


def net() -> MemoryDump:
    """A boss with two kids and a client."""
    states = ["Start", "Ready", "Exception", "Work"]
    return recording(
        schema("boss", states, time_ns=BEGAN),
        schema("kid-1", states, parent="boss", tags=("x",), time_ns=BEGAN),
        schema("kid-2", states, parent="boss", time_ns=BEGAN),
        tx("boss", 1, (1, 0, 0, 0), called=(0,)),
        tx("kid-1", 2, (1, 1, 0, 0), called=(1,)),
        tx("boss", 3, (1, 1, 0, 0), called=(1,)),
    )


@dataclass
class World:
    """Which recordings were opened, and what was drawn."""

    dump: MemoryDump
    opened: list[str | None] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def open(self, ctx: Any, source: str | None, options: Any) -> MemoryDump:
        self.opened.append(source)
        return self.dump

    def draw(self, view: View) -> str:
        self.views.append(view)
        return "drawing"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    made = World(net())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(vis, "_open", made.open)
    monkeypatch.setattr("amctl.vis.draw.draw", made.draw)
    monkeypatch.setattr(
        "amctl.vis.render.render", lambda drawing, fmt, theme: f"{drawing} {fmt} {theme}".encode()
    )
    monkeypatch.setattr(
        "amctl.vis.page.page",
        lambda view, drawing, history, title, theme: f"page {title} {len(history.moments)}",
    )
    monkeypatch.setattr("webbrowser.open", lambda url: not made.shown.append(url))
    return made


# -- where flags stand


@pytest.mark.parametrize(
    "words",
    [
        "--bird --render-detailed-pipes --render-pipes render-dump a.gob.br",
        "render-dump a.gob.br --bird --render-pipes=true --render-detailed-pipes",
        "--bird render-dump --render-pipes a.gob.br --render-detailed-pipes=1",
        "--bird=true --no-render-pipes render-dump a.gob.br --render-pipes",
    ],
)
def test_flags_stand_before_and_behind_the_command(world: World, words: str) -> None:
    assert run(*words.split()) == 0
    assert world.opened == ["a.gob.br"]
    assert world.views[0].options == options_for("bird", {"pipes": True, "detailed_pipes": True})


@pytest.mark.parametrize(
    ("words", "preset", "given"),
    [
        ("render-dump", "", {}),
        ("render-dump --map --render-pipes --render-start=false", "map", {"pipes": True}),
        ("render-dump --single", "single", {}),
        ("-d 2 render-dump", "", {"distance": 2}),
        ("render-dump -d -1 --bird", "bird", {"distance": -1}),
        ("--render-distance 4 render-dump -d 1", "", {"distance": 1}),
        ("render-dump --bird --render-pipes=false --output-elk=false", "bird", {"pipes": False}),
        (
            "render-dump --bird --render-after --no-render-bundles --render-depth=2",
            "bird",
            {"after": True, "collapse": False, "depth": 2},
        ),
    ],
)
def test_flags_beat_the_preset(
    world: World, words: str, preset: str, given: dict[str, Any]
) -> None:
    run(*words.split())
    assert world.views[0].options == options_for(preset, given)


def test_two_presets_are_one_too_many(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--bird", "render-dump", "--map") == ExitCode.USAGE
    assert "--bird and --map: choose one" in capsys.readouterr().err


def test_a_preset_before_the_command_may_be_taken_back(world: World) -> None:
    run("--bird", "render-dump", "--no-bird", "--map")
    assert world.views[0].options.map


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    out = capsys.readouterr().out
    assert all(f"\n  {name} " in out for name in ("render-dump", "inspect-dump", "tx", "live"))
    assert "..." not in out.split("Commands:")[1]


# -- which machines


def test_an_address_requests_its_machine_and_needs_no_dump(world: World) -> None:
    run("render-dump", "mach://kid-1")
    run("render-dump", "x.sqlite", "mach://kid-1")
    assert world.opened == [None, "x.sqlite"]
    assert [view.requested for view in world.views] == [{"kid-1"}, {"kid-1"}]
    assert (world.views[0].full, world.views[0].half) == (("kid-1",), ("boss",))
    assert world.views[0].title == "test, mach://kid-1"


def test_a_moment_in_the_address_is_honoured(world: World) -> None:
    run("render-dump", "-d", "-1", f"mach://kid-1/{2:016x}")
    graph = world.views[0].graph
    assert [machine.time_sum for machine in graph.machines.values()] == [1, 2, 0]


def test_a_moment_may_be_named_without_requesting_a_machine(world: World) -> None:
    assert run("render-dump", "--at", "kid-1:Ready") == 0
    assert run("render-dump", "mach://kid-1", "--at", "boss:Start") == 0
    first, second = world.views
    assert [machine.time_sum for machine in first.graph.machines.values()] == [1, 2, 0]
    assert [machine.time_sum for machine in second.graph.machines.values()] == [1, 0, 0]
    assert (first.requested, second.requested) == (set(), {"kid-1"})
    assert first.title == "test, at kid-1:Ready"
    assert run("render-dump", "mach://kid-1?t=1", "--at", "boss:Start") == ExitCode.USAGE


def test_machines_and_states_are_chosen_by_patterns(world: World) -> None:
    run(
        "render-dump", "--render-machs", "kid-*", "--render-skip-machs", "tag:x",
        "--render-allowlist", "Work, Start", "--render-start",
    )  # fmt: skip
    view = world.views[0]
    assert view.requested == {"kid-1", "kid-2"}
    assert view.full == ("kid-2",)
    assert view.states == {"kid-2": {"Work", "Start"}}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("render-dump mach://kid-3", "no machine 'kid-3'"),
        ("render-dump mach://boss/nowhere", "machine 'boss' has no transition 'nowhere'"),
        ("render-dump --render-machs x*", "no machine matches 'x*', of 3"),
        ("live x*", "no machine matches 'x*', of 3"),
        ("tx mach://kid-3/abcd", "no machine 'kid-3'"),
        ("tx mach://kid-2", "machine 'kid-2' has no transition"),
        ("inspect-dump mach://kid-3", "no machine 'kid-3'"),
    ],
)
def test_what_is_not_there_ends_with_exit_code_3(
    world: World, words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words.split()) == ExitCode.NOTHING_MATCHED
    assert said in capsys.readouterr().err
    assert world.views == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("render-dump x.sqlite boss", "did you mean 'mach://boss'?"),
        ("render-dump --render-machs re:(", "bad regular expression"),
    ],
)
def test_a_bad_address_or_pattern_is_told(
    world: World, words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words.split()) in (ExitCode.USAGE, ExitCode.BAD_INPUT)
    assert said in capsys.readouterr().err


# -- what is written


def test_a_picture_is_am_vis_svg(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    run("render-dump", "--bird")
    with open("am-vis.svg", "rb") as file:
        assert file.read() == b"drawing svg auto"
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "read 3 machines, 12 states, 0 pipes and 0 RPC connections from test",
        "wrote am-vis.svg (0.0 kB)",
    ]


@pytest.mark.parametrize(
    ("words", "files"),
    [
        ("-o net render-dump", ["net.svg"]),
        ("render-dump -o net.png", ["net.png"]),
        ("render-dump -o out/net.PNG --theme light", ["out/net.png"]),
        ("render-dump -o net.svg --format png --format dot", ["net.dot", "net.png", "net.svg"]),
        ("render-dump -o v1.2", ["v1.2.svg"]),
        ("--format pdf render-dump", ["am-vis.pdf"]),
        ("render-dump --format html", ["am-vis.html"]),
        ("render-dump -o out/", ["out/am-vis.svg"]),
        ("render-dump -o net.gif --format svg", ["net.gif.svg"]),
    ],
)
def test_names_and_formats(world: World, words: str, files: list[str], tmp_path: Path) -> None:
    run(*words.split())
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(str(path.relative_to(tmp_path)) for path in found) == files
    for path in found:
        theme = "light" if "light" in words else "auto"
        expected = f"drawing {path.suffix[1:]} {theme}"
        assert path.read_text() == ("page test 3" if path.suffix == ".html" else expected)


def test_files_have_the_usual_mode_and_keep_one_that_they_have(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "plain").touch()
    run("render-dump")
    path = tmp_path / "am-vis.svg"
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode
    path.chmod(0o600)
    run("render-dump")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_picture_on_stdout_is_alone(
    world: World, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    run("-q", "render-dump", "-o", "-", "--format", "png")
    assert capfdbinary.readouterr() == (b"drawing png auto", b"")
    two = ("--format", "svg", "--format", "png")
    assert run("render-dump", "-o", "-", *two) == ExitCode.USAGE
    assert b"one format, not svg and png" in capfdbinary.readouterr().err


def test_a_file_that_cannot_be_written_is_told(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "am-vis.svg").mkdir()
    for name in ("file/net", "am-vis"):
        assert run("render-dump", "-o", name) == ExitCode.FAILED
        assert f"can't write {name}.svg: " in capsys.readouterr().err
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("render-dump -o net.gif", "can't write gif; known formats: svg, png, pdf, dot, html"),
        ("live -o net.TXT", "can't write txt; known formats: svg"),
        ("inspect-dump -o net.svg", "can't write svg; known formats: md, xml, json"),
        ("tx mach://boss/1 -o tx.png", "can't write png; known formats: svg"),
        ("render-dump --format svg --format png -o /dev/null", "/dev/null takes one format"),
        ("render-dump -d -2", "greater than or equal to -1"),
        ("render-dump --render-depth=-1", "greater than or equal to 0"),
        ("render-dump --bird --single", "--bird and --single: choose one"),
    ],
)
def test_bad_flags_are_told_before_anything_is_read(
    world: World, words: str, problem: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(*words.split()) == ExitCode.USAGE
    err = capsys.readouterr().err
    assert problem in " ".join(err.split())
    assert world.opened == []
    assert not list(tmp_path.iterdir())


def test_a_device_is_an_output_as_it_is(world: World, tmp_path: Path) -> None:
    assert run("render-dump", "-o", "/dev/null") == 0
    assert run("inspect-dump", "--json", "-o", "/dev/null") == 0
    assert not list(tmp_path.iterdir())


def test_states_that_nobody_has_are_told(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("render-dump", "--render-allowlist", "Wrok,Zzz") == ExitCode.NOTHING_MATCHED
    err = capsys.readouterr().err
    assert "no machine has a state 'Wrok' or 'Zzz'" in err
    assert "did you mean Work?" in err
    assert run("render-dump", "--render-allowlist", "Work,Redy") == 0
    assert "warning: no machine has a state 'Redy'; did you mean Ready?" in capsys.readouterr().err
    assert world.views[0].states["boss"] == {"Work"}


def test_live_without_a_run_says_how_to_start_one(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nothing(*_: object) -> MemoryDump:
        raise DumpNotFoundError("tmp/x.sqlite", "no run is recorded there")

    monkeypatch.setattr(vis, "_open", nothing)
    assert run("live") == ExitCode.UNREACHABLE
    err = capsys.readouterr().err
    assert "there is no recording tmp/x.sqlite" in err
    assert "amctl start" in err


def test_a_device_is_written_to_and_not_replaced(world: World) -> None:
    target = _vis_files.Target("svg", _vis_files.Path("/dev/null"))
    _vis_files.put(target, b"x", GlobalOptions(quiet=True))
    assert target.path is not None
    assert target.path.is_char_device()


def test_open_shows_the_first_file(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    run("render-dump", "--open", "--format", "html", "--format", "svg")
    assert world.shown == [(tmp_path / "am-vis.html").as_uri()]
    monkeypatch.setattr("webbrowser.open", lambda url: False)
    run("render-dump", "--open")
    assert "nothing here can show am-vis.svg" in capsys.readouterr().err


def test_what_keeps_a_picture_from_being_drawn_is_passed_on(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: Any) -> bytes:
        raise NoGraphvizError

    monkeypatch.setattr("amctl.vis.render.render", fail)
    assert run("render-dump") == ExitCode.FAILED
    assert "hint: amctl setup installs it" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_what_is_missing_is_told(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    from amctl.telemetry.messages import GapMsg

    world.dump.write(GapMsg(7, "outbox full"))
    run("render-dump")
    assert "warning: 7 messages are known to be missing in test" in capsys.readouterr().err


# -- live


def test_live_draws_the_newest_state_of_what_fits(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    run("live", "kid-*", "--bird", "-d", "0")
    run("live", "-o", "all.svg")
    assert [sorted(view.requested) for view in world.views] == [["kid-1", "kid-2"], []]
    assert world.opened == [None, None]
    assert "its newest transition happened" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.34, "0.3 s"),
        (90, "90.0 s"),
        (125, "2 min"),
        (5000, "83 min"),
        (7200, "2 h"),
        (400_000, "5 days"),
    ],
)
def test_ages(seconds: float, text: str) -> None:
    assert vis._age(seconds) == text


def test_watch_draws_again_when_something_happened(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:
            world.dump.write(tx("boss", 9, (2, 2, 0, 0)))
        if len(looks) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(vis.time, "sleep", sleep)
    assert run("live", "--watch", "--interval", "0.5") == ExitCode.INTERRUPTED
    assert looks == [0.5] * 4
    times = [[m.time_sum for m in view.graph.machines.values()] for view in world.views]
    assert times == [[2, 2, 0], [4, 2, 0]]


def test_a_run_that_has_ended_is_not_drawn_as_running(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def sleep(_: float) -> None:
        if said:
            raise KeyboardInterrupt
        world.dump.write(GoneMsg("boss", BEGAN + 10**9))
        world.dump.write(tx("boss", 9, (2, 2, 0, 0)))
        said.append("waiting")

    said: list[str] = []
    monkeypatch.setattr(vis.time, "sleep", sleep)
    assert run("live", "--watch") == ExitCode.INTERRUPTED
    assert len(world.views) == 1
    assert "the run has ended; waiting for the next one" in capsys.readouterr().err
    assert run("live") == ExitCode.UNREACHABLE
    assert "the run recorded in test has ended" in capsys.readouterr().err
    assert len(world.views) == 1


# -- listings


def test_the_listing_is_markdown_on_stdout(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("inspect-dump", "a.gob.br") == 0
    out = capsys.readouterr().out
    assert out.startswith("# am-vis inspect-dump\n\n## boss\nTime: t2\n\n### States\n- Exception\n")
    assert out.endswith("\n-----\n\n")


def test_json_is_one_document(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    run("inspect-dump", "--json")
    document = json.loads(capsys.readouterr().out)
    assert [m["id"] for m in document["machines"]] == ["boss", "kid-1", "kid-2"]
    assert document["parents"] == [["kid-1", "boss"], ["kid-2", "boss"]]
    assert list(document) == ["machines", "parents", "rpc_edges", "pipes"]


def test_xml_is_nested(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    run("inspect-dump", "--xml")
    (boss,) = ElementTree.fromstring(capsys.readouterr().out)
    assert [one.get("id") for one in boss.findall("machine")] == ["kid-1", "kid-2"]


@pytest.mark.parametrize(
    ("words", "files"),
    [
        ("inspect-dump -o net", "net.md net.xml"),
        ("-o net inspect-dump", "net.md net.xml"),
        ("inspect-dump -o net.md", "net.md"),
        ("inspect-dump -o net --json", "net.json"),
    ],
)
def test_listings_go_to_files(world: World, words: str, files: str, tmp_path: Path) -> None:
    run(*words.split())
    assert sorted(path.name for path in tmp_path.iterdir()) == files.split()


def test_an_address_lists_one_machine_at_its_moment(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    run("inspect-dump", f"mach://boss/{1:016x}")
    assert capsys.readouterr().out.count("\n## ") == 1
    run("inspect-dump", f"mach://kid-1/{2:016x}", "-d", "1")
    out = capsys.readouterr().out
    assert "## boss\nTime: t1\n" in out
    assert "## kid-1\nTime: t2\nParent: boss\n" in out
    assert "## kid-2" not in out
    run("inspect-dump", "--render-skip-machs", "boss")
    assert "## boss" not in capsys.readouterr().out
    run("inspect-dump", "--render-machs", "boss")
    assert capsys.readouterr().out.count("\n## ") == 1


# -- one transition

ON = f"mach://lamp/{2:016x}"


def test_a_sequence_is_text_on_stdout(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.dump = lamp()
    assert run("tx", ON) == 0
    assert run("tx", "x.sqlite", "mach://lamp?t=5") == 0
    text, again = capsys.readouterr().out.split("lamp [add] On")[1:]
    assert "Plugged" in text
    assert text.strip() == again.strip()
    assert world.opened == [None, "x.sqlite"]


@pytest.mark.parametrize(
    ("words", "file", "begins"),
    [
        ("tx {} -o tx.svg", "tx.svg", "<svg"),
        ("-o tx.svg tx {} --theme light --brief --group self", "tx.svg", "<svg"),
        ("tx {} -o tx.mmd", "tx.mmd", "sequenceDiagram"),
        ("tx {} -o tx.txt", "tx.txt", "lamp"),
        ("tx {} -o steps --format mermaid", "steps", "sequenceDiagram"),
        ("--format svg tx {} -o steps", "steps", "<svg"),
    ],
)
def test_sequences_go_to_files(
    world: World, words: str, file: str, begins: str, tmp_path: Path
) -> None:
    world.dump = lamp()
    run(*words.format(ON).split())
    text = (tmp_path / file).read_text(encoding="utf-8")
    assert any(line.startswith(begins) for line in text.splitlines())


def test_a_machine_time_that_never_was_is_told(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    run("tx", "mach://boss?t=77")
    run("render-dump", "mach://boss?t=77")
    warning = "warning: boss never had machine time 77; its first transition stands for it"
    assert capsys.readouterr().err.count(warning) == 2


def test_a_sequence_needs_an_address(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("tx", "x.sqlite") == ExitCode.USAGE
    assert "which transition" in capsys.readouterr().err


# -- all of it


@needs_shared
@pytest.mark.slow
def test_the_originals_recording_becomes_pictures_and_listings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    dump = str(SHARED / "data" / "wasm-workflow.gob.br")
    flags = ("--bird", "--render-detailed-pipes", "--render-pipes")
    assert run(*flags, "render-dump", dump, "-o", "bird") == 0
    assert run("render-dump", dump, "--map", "--render-pipes", "-o", "map") == 0
    assert "read 27 machines, 593 states, 132 pipes and 4 RPC" in capsys.readouterr().err
    for name in ("bird.svg", "map.svg"):
        assert ElementTree.parse(tmp_path / name).getroot().tag.endswith("svg")
    assert run("inspect-dump", dump, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert sorted(document["pipes"]) == sorted(GOLDEN["pipes"])
    assert document["parents"] == GOLDEN["parents"]
