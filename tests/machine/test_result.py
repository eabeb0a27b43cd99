"""What a mutation answers (section 1)."""

from __future__ import annotations

import pytest

from amctl.machine import CANCELED, EXECUTED, MutationType, Result


@pytest.mark.parametrize(
    ("number", "text", "flags"),
    [
        (0, "executed", (True, False, False)),
        (1, "canceled", (False, True, False)),
        (2, "queued", (False, False, True)),
        (99, "queued", (False, False, True)),
    ],
)
def test_three_answers(number: int, text: str, flags: tuple[bool, ...]) -> None:
    result = Result(number)
    assert str(result) == text
    assert (result.executed, result.canceled, result.queued) == flags
    assert int(result) == number
    assert repr(result) == f"Result({number})"


@pytest.mark.parametrize("result", [EXECUTED, CANCELED, Result(7)])
def test_a_result_is_no_truth_value(result: Result) -> None:
    with pytest.raises(TypeError, match=r"ask \.executed"):
        bool(result)
    with pytest.raises(TypeError):
        _ = result and 1


def test_constants() -> None:
    assert [EXECUTED.executed, CANCELED.canceled] == [True, True]


def test_types_have_the_wires_numbers_and_the_logs_names() -> None:
    assert [(int(t), str(t)) for t in MutationType] == [
        (0, "add"), (1, "remove"), (2, "set"), (3, "eval"),
    ]  # fmt: skip
