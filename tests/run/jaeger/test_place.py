"""Where Jaeger is."""

from __future__ import annotations

import pytest

from amctl.run.errors import SettingsError
from amctl.run.jaeger.place import Place, is_healthy


def test_the_defaults_are_jaegers_own() -> None:
    place = Place.of({})
    assert place == Place()
    assert place.ui_url == "http://localhost:16686"
    assert place.otlp_url == "http://127.0.0.1:4318"


def test_variables_move_it_and_come_back_the_same() -> None:
    place = Place.of({"JAEGER_UI_PORT": "1", "JAEGER_HEALTH_PORT": "2"})
    assert (place.ui, place.health) == (1, 2)
    assert Place.of(place.environ()) == place


@pytest.mark.parametrize("text", ["0", "65536", "x", "-1"])
def test_what_is_no_port_is_a_setting_that_isnt_allowed(text: str) -> None:
    with pytest.raises(SettingsError, match="JAEGER_UI_PORT"):
        Place.of({"JAEGER_UI_PORT": text})


def test_only_trace_ids_have_pages() -> None:
    assert Place().trace_url("a" * 32) == f"http://localhost:16686/trace/{'a' * 32}"
    assert Place().trace_url("../../x") == ""


def test_nobody_there_is_not_healthy(place: Place) -> None:
    assert not is_healthy(place)
