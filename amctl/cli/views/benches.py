"""Figures of benches in words, their goals beside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["engine_in_words", "rpc_in_words"]


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
    if f.get("port_ratio_js") is not None:
        rows.append(
            (
                "times JS, between browser threads",
                f["port_ratio_js"],
                f"{goals['port_ratio_js']:g} or less",
            )
        )
        for size, each in f["port"].items():
            us = f"us {each['us_python']:g}, JS {each['us_js']:g}"
            rows.append((f"  {int(size):,} bytes there and back", each["ratio"], us))
    rows += [("on loopback, sockets included:", "", "")]
    for kind, turns in loop.items():
        for which, turn in turns.items():
            cpu = f"CPU us {turn['us_client_median']:g} + {turn['us_server_median']:g}"
            words = "one by one" if which == "one" else many
            rows.append((f"  {kind}, {words}, calls a second", f"{turn['rate_median']:,}", cpu))
    return "\n".join(f"{what:<40} {value!s:>10}  {goal}".rstrip() for what, value, goal in rows)


_MODES = (
    ("nobody listens", ""),
    ("traced", "_traced"),
    ("debugged", "_debugged"),
    ("plans not kept", "_uncached"),
)


def engine_in_words(f: Mapping[str, Any]) -> str:
    """What `amctl bench engine` found, line by line.

    Args:
        f: The document of `--json`.
    """
    goals = f["goals"]
    columns = "".join(f"{text:>12}" for text in ("ns a pair", "quarter", "3 quarters", "times Go"))
    lines = [f"{'':<32}{columns}  goal"]
    for name in goals["times_go"]:
        told = f[name]
        for words, mode in _MODES:
            low, high = told["spread"][f"ns_pair{mode}"]
            what = f"{name} {told['what']}" if not mode else f"   {words}"
            goal = goals[f"times_go{mode}"].get(name)
            figures = f"{told[f'ns_pair{mode}']:>12,}{low:>12,}{high:>12,}"
            times = f"{told[f'times_go{mode}']:>12g}"
            lines.append(f"{what:<32}{figures}{times}  {_at_least(goal)}".rstrip())
    correction = f["correction"]
    how = "not corrected: transitions is not installed, which tells how fast this machine is"
    if correction is not None:
        how = (
            f"corrected by {correction:g}, which this machine is slower than the one of Go's times"
        )
    lines += [f"times Go: {how}", "", *_engine_rest(f)]
    return "\n".join(lines)


def _engine_rest(f: Mapping[str, Any]) -> list[str]:
    goals, walk, missing = f["goals"], f["walk"], "not installed"
    rows = [("flip-flops a second", f"{f['flipflop_per_s']:,}", "")]
    for name, rate, times in (
        ("transitions", "transitions_per_s", "times_transitions"),
        ("python-statemachine", "psm_per_s", "times_psm"),
    ):
        if f[rate] is None:
            rows.append((f"  {name}", "-", missing))
        else:
            rows.append((f"  {name}", f"{f[rate]:,}", ""))
            rows.append((f"  times {name}", f"{f[times]:g}", _at_least(goals[times])))
    rows += [
        ("bytes of a machine, 45 states", f"{f['bytes_machine']:,}", f"{goals['bytes_machine']:g}"),
        ("  new", f"{f['bytes_new']:,}", ""),
        ("us to make it", f["create_us"], f"{goals['create_us']:g}"),
        ("us a step of a random walk", walk["us_step"], ""),
        (f"  bytes more after {walk['steps']:,} more", f"{walk['bytes_grown']:,}", "bounded"),
    ]
    for size, ns in f["ns_pair_by_states"].items():
        rows.append((f"ns a pair, {size} states", f"{ns:,}", ""))
    rows = [(w, v, f"{g} or less" if g.isdigit() else g) for w, v, g in rows]
    return [f"{what:<36} {value!s:>12}  {goal}".rstrip() for what, value, goal in rows]


def _at_least(goal: float | None) -> str:
    return "" if goal is None else f"{goal:g} or more"
