"""Descriptions of callable mutations (ARG-5)."""

from __future__ import annotations

import pytest

from amctl.machine.signature import CallSignature


@pytest.mark.parametrize(
    ("signature", "label"),
    [
        (CallSignature(("A", "B")), "Add: A B"),
        (CallSignature(("A",), is_remove=True), "Remove: A"),
        (CallSignature(("A",), name="Go"), "Go"),
        (CallSignature(("A",), needed=("x", "y"), optional=("z",)), "Add: A [x y]"),
        (CallSignature(("A",), name="Go", needed=("x",)), "Go [x]"),
    ],
)
def test_arg_5_labels(signature: CallSignature, label: str) -> None:
    assert signature.label == label


def test_arg_5_what_is_missing() -> None:
    signature = CallSignature(("A",), needed=("x", "y"))
    assert signature.missing({"y": 1}) == ("x",)
    assert signature.missing({"y": 1, "x": 2}) == ()
