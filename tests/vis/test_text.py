from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.vis.text import LONGEST, clean, escape, key, label, shortened, squeezed, width

ANY = st.text(alphabet=st.characters())


@given(ANY, ANY)
def test_keys_of_different_names_differ(one: str, other: str) -> None:
    assert (key(one) == key(other)) == (one == other)


@given(ANY)
def test_a_key_holds_only_what_is_safe_everywhere(name: str) -> None:
    assert re.fullmatch(r"[\w.\-~]*", key(name))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rc-srv-browser1", "rc-srv-browser1"),
        ("a|b c", "a~7Cb~20c"),
        ('"<\n>\\', "~22~3C~0A~3E~5C"),
        ("Ωmega", "Ωmega"),
        ("\ud800", "~ED~A0~80"),
    ],
)
def test_keys_of_common_names_stay_readable(name: str, expected: str) -> None:
    assert key(name) == expected


@given(ANY)
def test_what_is_cleaned_and_escaped_is_xml(text: str) -> None:
    parsed = ElementTree.fromstring(f"<t>{escape(text)}</t>".encode())
    assert parsed.text
    ElementTree.fromstring(f'<t a="{escape(text)}"/>'.encode())


def test_cleaning_keeps_what_can_be_shown() -> None:
    assert clean("größe ♦ 機械") == "größe ♦ 機械"
    assert clean("a\nb\x00c\ud800d\ufdd0") == "a b\ufffdc\ufffdd\ufffd"


def test_long_names_lose_their_middle() -> None:
    name = "Start" + "x" * 100 + "End"
    short = shortened(name)
    assert len(short) == LONGEST
    assert short.startswith("Start")
    assert short.endswith("End")
    assert "…" in short
    assert shortened("Short") == "Short"


def test_a_label_is_escaped_after_it_is_shortened() -> None:
    assert label("<" * 100, 9) == "&lt;" * 5 + "…" + "&lt;" * 3
    assert label("") == "&#160;"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["Browser1Ready", "Browser2Ready", "Browser3Ready"], ["Browser[1-3]Ready"]),
        (["B1", "B3", "B4"], ["B[1,3,4]"]),
        (["Ready", "B2", "Start"], ["Ready", "B2", "Start"]),
        (["B01", "B02"], ["B01", "B02"]),
        (["m-wt-0@7", "m-wt-1@7"], ["m-wt-[0-1]@7"]),
        (["A1x", "B", "A2x"], ["A[1-2]x", "B"]),
        ([], []),
    ],
)
def test_numbered_names_are_squeezed(names: list[str], expected: list[str]) -> None:
    assert squeezed(names) == expected


def test_wider_texts_measure_wider() -> None:
    assert width("WWWW", 12) > width("iiii", 12)
    assert width("機械", 12) > width("ab", 12)
    assert width("text", 12, bold=True) > width("text", 12)
    assert width("text", 24) > width("text", 12)
