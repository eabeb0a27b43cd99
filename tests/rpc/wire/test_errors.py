from __future__ import annotations

import pickle

import pytest

from amctl.rpc.wire import (
    Backpressure,
    Code,
    DecodeError,
    EncodeError,
    OutOfTurnError,
    ProtocolError,
    WireError,
)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ProtocolError(Code.GAP, "lost"), "gap: lost"),
        (DecodeError("bad"), "protocol: bad"),
        (EncodeError("no"), "no"),
        (Backpressure(3, 10), "send queue is full: 3 messages, 10 bytes"),
        (OutOfTurnError(True), "the oldest unanswered message is no call"),
    ],
)
def test_errors_tell_what_happened_and_survive_pickling(error: WireError, text: str) -> None:
    assert str(error) == text
    assert str(pickle.loads(pickle.dumps(error))) == text
    assert isinstance(error, WireError)


def test_errors_have_the_builtin_parents_one_expects() -> None:
    assert issubclass(EncodeError, TypeError)
    assert issubclass(OutOfTurnError, RuntimeError)
    assert issubclass(DecodeError, ProtocolError)
