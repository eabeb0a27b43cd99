"""Figures of benches in words, their goals beside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["rpc_in_words"]


def rpc_in_words(f: Mapping[str, Any]) -> str:
    """What `amctl bench rpc` found, line by line.

    Args:
        f: The document of `--json`.
    """
    goals, ends, loop, many = f["goals"], f["us_ends"], f["loopback"], f"{f['flight']} in flight"
    rows = [
        ("bytes, acknowledged add", f["bytes_add"], f"{goals['bytes_add']:g} or less"),
        ("bytes, push of 3 states", f["bytes_push3"], f"{goals['bytes_push3']:g} or less"),
        ("us a call, dearer end", f["us_call"], f"{goals['us_call']:g} or less"),
        *((f"  {end}", us, "") for end, us in ends["one"].items()),
        (
            f"us a call, {many}",
            f["us_call_pipelined"],
            f"{goals['us_call_pipelined']:g} or less",
        ),
        *((f"  {end}", us, "") for end, us in ends["pipelined"].items()),
    ]
    if "grpc" in loop:
        least, goal = f["ratio_grpc_pipelined_min"], goals["ratio_grpc_pipelined"]
        rows += [
            (f"times grpc.aio, {many}", f["ratio_grpc_pipelined"], f"{goal:g} or more"),
            ("  at least", least, ""),
            ("times grpc.aio, one by one", f["ratio_grpc"], ""),
            ("bytes of a gRPC call", f["bytes_grpc"], ""),
        ]
    else:
        rows.append(("times grpc.aio", "-", "grpcio is not installed"))
    rows += [("on loopback, sockets included:", "", "")]
    for kind, turns in loop.items():
        for which, turn in turns.items():
            cpu = f"CPU us {turn['us_client_median']:g} + {turn['us_server_median']:g}"
            words = "one by one" if which == "one" else many
            rows.append((f"  {kind}, {words}, calls a second", f"{turn['rate_median']:,}", cpu))
    return "\n".join(f"{what:<40} {value!s:>10}  {goal}".rstrip() for what, value, goal in rows)
