from __future__ import annotations

import pytest

from amctl.rpc.wire import Code, Kind, Op, is_terminal


def test_codes_are_those_of_the_protocol() -> None:
    terminal = [code.name for code in Code if is_terminal(code)]
    assert terminal == [
        "OK",
        "PROTOCOL",
        "VERSION",
        "AUTH",
        "DENIED",
        "TOO_BIG",
        "REPLACED",
        "STOPPED",
        "STATE",
        "ARGS",
        "UNSUPPORTED",
    ]
    assert [int(code) for code in Code if not is_terminal(code)] == [*range(32, 39), 64, 65]


@pytest.mark.parametrize(("code", "terminal"), [(31, True), (32, False), (63, False), (999, False)])
def test_unknown_codes_follow_their_range(code: int, terminal: bool) -> None:
    assert is_terminal(code) == terminal


def test_ops_and_kinds_are_those_of_the_protocol() -> None:
    assert [op.name for op in Op] == [
        "ADD",
        "REMOVE",
        "SET",
        "TOGGLE",
        "NOP",
        "SUBSCRIBE",
        "UNSUBSCRIBE",
        "MARK",
        "BATCH",
        "ASK",
    ]
    kinds = [1, 2, 3, 4, 5, 8, 9, 10, 11, *range(16, 22), *range(32, 36)]
    assert [int(kind) for kind in Kind] == kinds
