"""The AM_OTEL_* variables (otel.md, sections 1, 3.3 and 13)."""

from __future__ import annotations

import pytest

from amctl.machine import Machine
from amctl.telemetry.otelfilter import FilterError, OtelOptions, Picked


def test_empty_counts_as_not_set() -> None:
    empty = dict.fromkeys(("AM_OTEL_TRACE_TXS", "AM_OTEL_TRACE_ARGS", "AM_OTEL_TRACE_NOAUTO"), "")
    assert OtelOptions.of(empty) == OtelOptions.of({}) == OtelOptions(transitions=False)


def test_every_variable_is_read() -> None:
    made = OtelOptions.of(
        {
            "AM_OTEL_TRACE_TXS": "1",
            "AM_OTEL_TRACE_ARGS": "1",
            "AM_OTEL_TRACE_NOAUTO": "1",
            "AM_OTEL_TRACE_ALLOW_STATES": "A, m:B ,",
            "AM_OTEL_TRACE_SKIP_STATES": "C",
            "AM_OTEL_TRACE_ALLOW_STATES_RE": "^m:",
            "AM_OTEL_TRACE_SKIP_STATES_RE": "x$",
            "AM_RPC_DBG": "1",
            "AM_OTEL_OLD_NAMES": "1",
        }
    )
    assert made == OtelOptions(
        True, True, False, False, True, True, ("A", "m:B"), ("C",), "^m:", "x$"
    )


@pytest.mark.parametrize("kind", ["ALLOW", "SKIP"])
def test_a_bad_expression_names_its_variable(kind: str) -> None:
    name = f"AM_OTEL_TRACE_{kind}_STATES_RE"
    with pytest.raises(FilterError, match=name):
        OtelOptions.of({name: "("})


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (OtelOptions(), "m:A m:B n:A"),
        (OtelOptions(skip=("A",)), "m:B"),
        (OtelOptions(skip=("m:A",)), "m:B n:A"),
        (OtelOptions(allow=("A",)), "m:A n:A"),
        (OtelOptions(allow=("m:A",)), "m:A"),
        (OtelOptions(allow=("A:x:y",)), ""),
        (OtelOptions(skip_re="A$"), "m:B"),
        (OtelOptions(allow_re="^n:"), "n:A"),
        (OtelOptions(allow=("m:B",), allow_re="^n:"), "m:B n:A"),
        # better than the original, which forgets the allow lists here
        (OtelOptions(skip_re="^n:", allow=("A",)), "m:A"),
        (OtelOptions(skip=("m:A",), allow_re="^m:"), "m:B"),
    ],
)
def test_skip_comes_first_then_allow(options: OtelOptions, shown: str) -> None:
    picked = Picked(options)
    for _ in range(2):  # the second answers come from memory
        found = [f"{m}:{s}" for m, s in (("m", "A"), ("m", "B"), ("n", "A")) if picked.state(m, s)]
        assert " ".join(found) == shown


def test_plumbing_is_left_out_unless_asked_for() -> None:
    client = Machine("rc-x", {"A": {}}, tags=["rpc-client"])
    relay = Machine("relay-x", {"A": {}}, tags=["relay"])
    assert not Picked(OtelOptions()).machine(client)
    assert not Picked(OtelOptions()).machine(relay)
    assert Picked(OtelOptions(rpc=True)).machine(client)
    assert not Picked(OtelOptions(rpc=True, skip_re="c-")).machine(client)
