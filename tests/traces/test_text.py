"""Texts from anywhere as one line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from amctl.traces.text import clean, cut, padded, plain_value, value_text, width
from tests.traces.made import HOSTILE


@given(st.text() | st.sampled_from(HOSTILE))
def test_a_clean_text_is_one_printable_line(text: str) -> None:
    made = clean(text)
    assert not set(made) & set("\n\r\x1b\x00\u2028\u202e\u200b")
    made.encode()  # has no half of a pair of surrogates
    assert clean(made) == made


@given(st.text().map(clean), st.integers(0, 30))
def test_cut_and_padded_keep_to_the_columns(text: str, room: int) -> None:
    assert width(cut(text, room)) <= room
    assert width(padded(text, room)) == room
    if width(text) <= room:
        assert cut(text, room) == text


def test_wide_signs_count_twice_and_joined_ones_nothing() -> None:
    assert (width("名a"), width("e\u0301")) == (3, 1)
    assert cut("名前名前", 4) == "名…"


def test_values_in_words() -> None:
    values = ["a", 1, True, None, b"\x00", [1, "ü"], {"k": float("nan")}]
    assert [value_text(value) for value in values] == [
        "a",
        "1",
        "true",
        "null",
        "AA==",
        '[1, "ü"]',
        '{"k": "nan"}',
    ]
    assert plain_value({"x": [b"\x01"]}) == {"x": ["AQ=="]}
