"""YAML as plain data with places, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from amctl.repl.playbook.errors import Place, PlaybookError
from amctl.repl.playbook.reading import LARGEST_FILE, MOST_VALUES, parse, read, walk

if TYPE_CHECKING:
    from pathlib import Path


def refused(text: str) -> tuple[str, str]:
    """The first problem with its place, and the hint."""
    with pytest.raises(PlaybookError) as caught:
        parse(text, "f.yml")
    return str(caught.value.problems[0]), caught.value.hint


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"), ("no", "no"), ("yes", "yes"), ("true", True), ("False", False),
        ("~", None), ("", None), ("null", None), ("12", 12), ("-3", -3), ("0x1F", 31),
        ("0o17", 15), ("017", 17), ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("1:30", "1:30"),
        ("2026-01-31", "2026-01-31"), ("'12'", "12"), ("!!str 12", "12"), ("!!int '12'", 12),
        ("1_000", "1_000"), ("[a, {b: c}]", ["a", {"b": "c"}]), ("=", "="), ("30s", "30s"),
    ],
)  # fmt: skip
def test_words_mean_what_yaml_1_2_says(text: str, value: Any) -> None:
    found = parse(f"x: {text}", "f.yml").data["x"]
    assert (found, type(found)) == (value, type(value))


def test_every_value_and_key_has_its_place() -> None:
    text = "- name: go\n  add:\n    - 'Foo'\n    - Bar\n  args: {a.b: \"x y\"}\n"
    document = parse(text, "f.yml")
    assert document.place((0, "name")) == Place("f.yml", 1, 9)
    assert document.place((0, "add", 1)) == Place("f.yml", 4, 7)
    assert document.key_place((0, "args", "a.b")) == Place("f.yml", 5, 10)
    assert document.place((0, "args", "a.b"), 2) == Place("f.yml", 5, 18), "behind the quote"
    assert document.place((0, "add", 0), 1) == Place("f.yml", 3, 9)
    assert document.place((0, "nope", 7)) == Place("f.yml", 1, 3), "what is nearest around"
    assert document.at((0, "add", 1)) == "Bar"
    assert document.at((0, "add", 9)) is None


def test_places_in_a_block_of_text_are_those_of_its_beginning() -> None:
    document = parse("x: >\n  some\n  text\n", "f.yml")
    assert document.place(("x",), 6) == Place("f.yml", 1, 4)


def test_anchors_and_merges_may_be_used() -> None:
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a\nd: {<<: [*a, {z: 4, x: 9}]}"
    data = parse(text, "f.yml").data
    assert data["b"] == {"x": 1, "y": 3}
    assert data["c"] == {"x": 1, "y": 2}
    assert data["d"] == {"x": 1, "y": 2, "z": 4}


@pytest.mark.parametrize(
    ("text", "where", "what", "hint"),
    [
        ("a: 1\na: 2", "f.yml:2:1", "second time, after line 1", "would be lost"),
        ("a:\n\t- b", "f.yml:2:1", "a tab stands here", "indent with spaces"),
        ("a: *b", "f.yml:1:4", "undefined alias 'b'", "&name"),
        ("a: &a [*a]", "f.yml:1:4", "an anchor holds itself", ""),
        ("a: &a {<<: *a}", "f.yml:1:4", "an anchor holds itself", ""),
        ("if: {{ x }}", "f.yml:1:6", "a key has to be a text", "quote a variable"),
        ("1: 2", "f.yml:1:1", "a key has to be a text, not 1", 'quote it: "1"'),
        ("a: !!python/object:os.system x", "f.yml:1:4", "tag '!!python/object:os", "plain value"),
        ("a: !!python/object/apply:os.system [x]", "f.yml:1:4", "isn't taken", "plain value"),
        ("a: !!set {x, y}", "f.yml:1:4", "isn't taken", "plain value"),
        ("a: !!int x", "f.yml:1:4", "'x' is no int", ""),
        ("a: !!bool x", "f.yml:1:4", "'x' is no bool", ""),
        ("a: " + "9" * 5000, "f.yml:1:4", "no int that can be used", ""),
        ("a: .inf", "f.yml:1:4", "'.inf' is no float", ""),
        ("a: b: c", "f.yml:1:5", "mapping values are not allowed here", ""),
        ("a: [1", "f.yml:1:6", "expected ',' or ']'", ""),
        ("- a\n---\n- b", "f.yml:2:1", "a second document begins here", "---"),
        ("a: {<<: 3}", "f.yml:1:9", "only a mapping can be merged", ""),
        ("", "f.yml", "is empty", "list of plays"),
        ("# nothing", "f.yml", "is empty", "list of plays"),
        ("[" * 3000, "f.yml", "nested too deeply", ""),
        ("[" * 60 + "]" * 60, "f.yml:1:42", "levels deep", ""),
        ("a: 1\nb: \x07", "f.yml:2:1", "a character that YAML takes none of: 0x7", ""),
    ],
)  # fmt: skip
def test_what_is_refused_has_a_place_and_a_hint(
    text: str, where: str, what: str, hint: str
) -> None:
    said, advice = refused(text)
    assert said.startswith(f"{where}: ")
    assert what in said
    assert hint in advice
    assert len(said) < 200


def test_a_billion_laughs_are_not_expanded() -> None:
    lines, before = ["a: &a [x, x, x, x, x, x, x, x, x, x]"], "a"
    for name in "bcdefghij":
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]")
        before = name
    said, _ = refused("\n".join(lines))
    assert said == f"f.yml: holds more than {MOST_VALUES} values, with its anchors expanded"


def test_several_problems_are_told_at_once() -> None:
    with pytest.raises(PlaybookError) as caught:
        parse("a: !x 1\nb: !y 2", "f.yml")
    assert [one.place.line for one in caught.value.problems] == [1, 2]
    assert caught.value.problems[1].source == "b: !y 2"
    assert str(caught.value).endswith("(and 1 more)")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    def said(name: str) -> str:
        with pytest.raises(PlaybookError) as caught:
            read(tmp_path / name, name)
        return str(caught.value)

    assert said("no.yml") == "no.yml: can't be read: No such file or directory"
    assert "can't be read" in said(".")
    (tmp_path / "big.yml").write_bytes(b"#" * (LARGEST_FILE + 1))
    assert said("big.yml") == "big.yml: is larger than 512 KiB"
    (tmp_path / "latin.yml").write_bytes(b"a: 1\nb: \xe4")
    assert said("latin.yml") == "latin.yml:2:1: is no UTF-8: byte 0xe4"


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "bom.yml").write_bytes("\ufeffa: 1".encode())
    assert read(tmp_path / "bom.yml").data == {"a": 1}


def test_walk_finds_every_text() -> None:
    found = dict(walk({"a": ["x", {"b": "y"}], "c": 3}))
    assert found == {("a", 0): "x", ("a", 1, "b"): "y"}
