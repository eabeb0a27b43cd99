from __future__ import annotations

import pytest

from amctl.rpc.errors import (
    CallRefusedError,
    CallTimeoutError,
    NotConnectedError,
    PayloadLostError,
    RefusedByServerError,
    SourceContractError,
    UnknownOutcomeError,
    code_name,
)


@pytest.mark.parametrize(
    ("error", "text", "also"),
    [
        (
            NotConnectedError("rc-a", "add B"),
            "rc-a is not connected: add B was not sent",
            ConnectionError,
        ),
        (
            CallTimeoutError("rc-a", "add B", 2.5),
            "rc-a: no answer to add B within 2.5 s",
            TimeoutError,
        ),
        (
            UnknownOutcomeError("rc-a", "add B"),
            "rc-a: the session was lost before the answer to add B",
            Exception,
        ),
        (
            CallRefusedError("rc-a", "add B", 4, "not permitted"),
            "rc-a: add B was refused: denied, not permitted",
            Exception,
        ),
        (CallRefusedError("rc-a", "add B", 4, ""), "rc-a: add B was refused: denied", Exception),
        (
            PayloadLostError("rs-a", "result"),
            "rs-a: payload 'result' was not acknowledged before its session ended",
            Exception,
        ),
        (
            RefusedByServerError("rc-a", 3, "wrong token"),
            "rc-a was refused: auth, wrong token",
            ConnectionError,
        ),
        (
            SourceContractError("m", "source", "ErrOnClient"),
            "machine 'm' can't be a source: it has no state ErrOnClient",
            TypeError,
        ),
    ],
)
def test_errors_say_who_and_what_and_are_what_users_would_catch(
    error: Exception, text: str, also: type[Exception]
) -> None:
    assert str(error) == text
    assert isinstance(error, also)


def test_a_refusal_hints_at_the_remedy() -> None:
    assert "token" in RefusedByServerError("rc-a", 3, "").hint
    assert "log" in RefusedByServerError("rc-a", 4, "").hint


def test_unknown_codes_stay_numbers() -> None:
    assert code_name(36) == "gap"
    assert code_name(99) == "code 99"
