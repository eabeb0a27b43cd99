"""Traces of a run: where its spans go, and what is told of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from amctl.run.errors import SettingsError
from amctl.run.jaeger.place import Place, is_healthy
from amctl.run.spans.forward import Forwarder, make_exporter
from amctl.run.spans.intake import SpanIntake
from amctl.run.spans.store import SpanStore
from amctl.run.spans.wire import from_json
from amctl.telemetry.otelfilter import FilterError, OtelOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from starlette.routing import Route

    from amctl.run.settings import Settings

__all__ = ["RunTracing", "Traced", "otel_options"]

_ENDPOINT, _TRACES = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
_PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
_NO = ("0", "false", "no", "off")
_GRACE = 2.0
"""Seconds for a receiver to take the last spans."""


@dataclass(frozen=True, slots=True)
class Traced:
    """What a run left of its traces."""

    path: str
    """As people call it."""
    trace_id: str
    spans: int
    """That were written."""
    lost: int
    """That couldn't be written, or never came."""
    sent: int
    """That another receiver took."""
    unsent: int
    """That it didn't take, or for which there was no room."""
    receiver: str
    """Where they went besides; empty for nowhere."""
    url: str
    """The page of the trace, if Jaeger has it; else empty."""


def otel_options(settings: Mapping[str, str]) -> OtelOptions:
    """What is traced, by the settings.

    Raises:
        SettingsError: An expression is bad.
    """
    # of switches, `0` and `no` are off; expressions and lists are texts
    given = {
        key: "" if "_STATES" not in key and text.strip().lower() in _NO else text
        for key, text in settings.items()
    }
    try:
        return OtelOptions.of(given)
    except FilterError as error:
        raise SettingsError("settings", error.name, error.text, "a regular expression") from error


class RunTracing:
    """Store, intake and forwarder of one run.

    Args:
        settings: Of the run; the receiver is one of them, else a Jaeger that is up.
        folder: Where the file goes.
        name: What people call the file, `tmp/traces.jsonl`.
        tell: Told what a person should know, one line each.
        jaeger: Whether the prepackaged Jaeger is up; asked once.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        name: str,
        *,
        tell: Callable[[str], None],
        jaeger: Callable[[Place], bool] = is_healthy,
    ) -> None:
        self.options = otel_options(settings)
        self.name = name
        self._place = Place.of()
        endpoint, traces = settings[_ENDPOINT], settings[_TRACES]
        self._by_jaeger = not (endpoint or traces) and jaeger(self._place)
        self.receiver = self._place.otlp_url if self._by_jaeger else traces or endpoint
        self._forwarder: Forwarder | None = None
        if self.receiver:
            base, protocol = (self.receiver if not traces else endpoint), settings[_PROTOCOL]
            self._forwarder = Forwarder(lambda: make_exporter(base, traces, protocol), tell)
        forward = self._forwarder.put if self._forwarder else lambda request: None
        self.store = SpanStore(folder, forward)
        self.route: Route = SpanIntake(self.store.put).route
        self.trace_id = ""
        """Known when the workflow has begun its trace."""

    def plan(self) -> dict[str, Any]:
        """What nodes are told: plain JSON, fields of OtelOptions."""
        options = asdict(self.options)
        return {key: list(v) if isinstance(v, tuple) else v for key, v in options.items()}

    async def post(self, text: str) -> None:
        """Take a request of this process."""
        self.store.put(from_json(text.encode()))

    @property
    def url(self) -> str:
        """The page of the run's trace in Jaeger; empty if it isn't there."""
        return self._place.trace_url(self.trace_id) if self._by_jaeger else ""

    async def close(self) -> None:
        """Let the receiver have what is left, and close the file."""
        if self._forwarder is not None:
            await self._forwarder.close(_GRACE)
        self.store.close()

    def result(self, lost: int) -> Traced:
        """What became of it.

        Args:
            lost: Spans that never reached the store.
        """
        forwarder = self._forwarder
        return Traced(
            self.name,
            self.trace_id,
            self.store.spans,
            self.store.failed + lost,
            forwarder.sent if forwarder else 0,
            forwarder.lost if forwarder else 0,
            self.receiver,
            self.url,
        )
