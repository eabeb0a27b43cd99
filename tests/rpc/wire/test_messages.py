from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.rpc.wire.codec import decode, encode
from amctl.rpc.wire.messages import ARRAYS, MAPS, Hello, Sync


@pytest.mark.parametrize("body", ARRAYS + MAPS)
def test_no_default_can_be_changed(body: type) -> None:
    for value in body._field_defaults.values():  # type: ignore[attr-defined]
        hash(value)


@given(st.builds(Sync), st.binary(max_size=20), st.integers(0, 2**63), st.text(max_size=9))
def test_a_hello_comes_out_as_it_went_in(sync: Sync, token: bytes, attempt: int, id: str) -> None:
    hello = Hello("arpc", 1, ["a"], token, id, "i", b"s", attempt, 7, "h", sync)
    assert decode(encode(hello), Hello) == hello
