"""The file of a memory image: what goes in comes out, and whatever was damaged is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.bundle.sparse import PAGE, Image, pack, read_pyodide_snapshot, unpack
from tests.bundle.conftest import pyodide_snapshot

PAGES = st.one_of(
    st.just(bytes(PAGE)),
    st.integers(1, 255).map(lambda value: bytes([value]) * PAGE),
    st.integers(0, PAGE - 1).map(lambda at: bytes(at) + b"\1" + bytes(PAGE - at - 1)),
)
HEAPS = st.builds(
    lambda pages, rest: b"".join(pages) + rest,
    st.lists(PAGES, max_size=12),
    st.binary(max_size=PAGE - 1),
)
STATES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(heap=HEAPS, state=STATES, key=st.text())
def test_an_image_comes_back_as_it_was(heap: bytes, state: object, key: str) -> None:
    image = Image("3.1.4", key, state, heap)
    assert unpack(pack(image)) == image


@given(heap=HEAPS)
def test_empty_pages_take_no_room(heap: bytes) -> None:
    whole = [heap[at : at + PAGE] for at in range(0, len(heap), PAGE)]
    full = sum(len(page) for page in whole if any(page))
    head = len(pack(Image("", "", None, b"")))
    assert full <= len(pack(Image("", "", None, heap))) <= full + head + 8 * len(whole) + 16


@given(heap=HEAPS, data=st.data())
def test_a_file_that_was_cut_is_refused(heap: bytes, data: st.DataObject) -> None:
    whole = pack(Image("1", "key", {"hiwireKeys": []}, heap))
    size = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ValueError):  # noqa: PT011 - of several kinds
        unpack(whole[:size])
    with pytest.raises(ValueError, match="too many"):
        unpack(whole + b"\0")


def test_another_file_is_refused() -> None:
    with pytest.raises(ValueError, match="not a memory image"):
        unpack(b"PK" + bytes(64))
    other = bytearray(pack(Image("1", "key", None, b"heap")))
    other[4] += 1
    with pytest.raises(ValueError, match="not a memory image of format"):
        unpack(bytes(other))


@given(heap=st.binary(), state=st.text())
def test_pyodides_snapshot_is_taken_apart(heap: bytes, state: str) -> None:
    assert read_pyodide_snapshot(pyodide_snapshot(heap, json.dumps(state))) == (state, heap)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "too short"),
        (bytes(64), "not a snapshot of Pyodide"),
        (pyodide_snapshot(b"", '"' + "x" * 99 + '"')[:60], "head doesn't fit"),
    ],
)
def test_what_is_no_snapshot_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_pyodide_snapshot(data)
