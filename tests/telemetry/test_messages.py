"""Messages of recordings: what can be asked of them."""

from __future__ import annotations

from amctl.telemetry.messages import TxMsg, args_text


def test_activity_and_time_follow_from_the_clocks() -> None:
    tx = TxMsg("m", "0" * 16, (1, 2, 0))
    assert [tx.is_active(i) for i in (-1, 0, 1, 2, 3)] == [False, True, False, False, False]
    assert tx.time_sum == 3
    assert TxMsg("m", "", ()).time_sum == 0


def test_log_4_arguments_are_shown_sorted_by_key() -> None:
    assert args_text({"id": "a", "addr": "x:1"}) == " (addr=x:1 id=a)"
    assert args_text({}) == ""
