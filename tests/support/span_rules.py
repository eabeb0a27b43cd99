"""The rules of a run's trace (otel.md, sections 3 and 11), checked on its file."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SpanFile"]

_STATE = re.compile(r"\d+:[A-Z]\w*( \[M\])?")
_TX = re.compile(r"\d+: !?\[(add|remove|set)\] .+")


class SpanFile:
    """All spans of a file of OTLP JSON lines."""

    def __init__(self, path: Path) -> None:
        self.all: list[dict[str, Any]] = []
        for line in path.read_text(encoding="utf-8").splitlines():
            for resource in json.loads(line)["resourceSpans"]:
                about = {a["key"]: a["value"] for a in resource["resource"]["attributes"]}
                for scope in resource["scopeSpans"]:
                    for span in scope["spans"]:
                        span["service"] = about["service.name"]["stringValue"]
                        self.all.append(span)
        self.by_id = {span["spanId"]: span for span in self.all}

    @property
    def services(self) -> set[str]:
        return {span["service"] for span in self.all}

    def attribute(self, span: dict[str, Any], name: str) -> Any:
        """A value, whatever its type; None if there is none."""
        found = [a["value"] for a in span["attributes"] if a["key"] == name]
        return next(iter(found[0].values())) if found else None

    def links(self, span: dict[str, Any], kind: str) -> list[dict[str, Any]]:
        """The spans that one points to."""
        return [
            self.by_id[link["spanId"]]
            for link in span.get("links", ())
            if link["attributes"][0]["value"]["stringValue"] == kind
        ]

    def check(self, trace_id: str) -> None:
        """One trace, one root, no orphans, unique ids, every span closed, each in its place."""
        assert {span["traceId"] for span in self.all} == {trace_id}
        assert [id for id, n in Counter(span["spanId"] for span in self.all).items() if n > 1] == []
        assert [span["name"] for span in self.all if not span.get("parentSpanId")] == ["root"]
        for span in self.all:
            assert int(span["endTimeUnixNano"]) >= int(span["startTimeUnixNano"]) > 10**18
            self._check_place(span)
            if _TX.fullmatch(span["name"]):
                self._check_transition(span)
            for kind in ("source", "added", "removed"):
                self.links(span, kind)  # KeyError: it points to nobody

    def _parent(self, span: dict[str, Any]) -> str:
        return str(self.by_id[span["parentSpanId"]]["name"])

    def _check_place(self, span: dict[str, Any]) -> None:
        name = span["name"]
        if name == "root":
            return
        parent = self._parent(span)
        number = name.removeprefix("mach:").partition(":")[0]
        if name.startswith("mach:"):
            assert parent == "root" or parent.endswith(":submachines"), name
        elif name in (f"{number}:states", f"{number}:transitions", f"{number}:submachines"):
            assert parent.startswith(f"mach:{number}:"), name
            assert span["startTimeUnixNano"] == span["endTimeUnixNano"]
        elif _TX.fullmatch(name):
            assert parent == f"{number}:transitions", name
        else:
            assert _STATE.fullmatch(name), name
            # the name stands below the group, each instance below the name
            assert parent in (f"{number}:states", name), name
            if parent == name:
                assert self.attribute(span, "am.tx_id"), name
                assert span["events"], name

    def _check_transition(self, span: dict[str, Any]) -> None:
        name = span["name"]
        assert self.attribute(span, "am.tx_id")
        assert self.attribute(span, "am.mutation") in name
        accepted = self.attribute(span, "am.accepted")
        assert accepted is not None, name
        assert (self.attribute(span, "am.time_after") is not None) == accepted
        if not accepted:
            assert not self.links(span, "added")
            return
        diff = (self.attribute(span, "am.states_diff") or "").split()
        for sign, kind in (("+", "added"), ("-", "removed")):
            named = {word[1:] for word in diff if word[0] == sign}
            linked = {_bare(found["name"]) for found in self.links(span, kind)}
            assert linked <= named, name


def _bare(name: str) -> str:
    return name.partition(":")[2].removesuffix(" [M]")
