"""Up, health, down: with a stand-in for the binary, as a process of its own."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
import yaml

from amctl.run.errors import JaegerError, NoJaegerError
from amctl.run.jaeger.backends import LOG_FILE
from amctl.run.jaeger.place import is_healthy
from amctl.run.jaeger.service import Jaeger
from tests.support.house import ROOT

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from amctl.run.jaeger.place import Place

pytestmark = [pytest.mark.realtime, pytest.mark.slow]


def test_it_comes_up_is_healthy_and_goes_down(binary: Path, jaeger: Jaeger, place: Place) -> None:
    told: list[str] = []
    assert not jaeger.status().running
    found = jaeger.up(told.append)
    assert (found.running, found.ours, found.backend) == (True, True, str(binary))
    assert told == [f"starting Jaeger with {binary}"]
    assert jaeger.up(told.append).running  # a second time changes nothing
    assert len(told) == 1
    assert jaeger.down()
    assert not is_healthy(place)
    assert not jaeger.down()


def test_another_command_finds_and_ends_it(
    binary: Path, jaeger: Jaeger, place: Place, tmp_path: Path
) -> None:
    jaeger.up()
    other = Jaeger(ROOT, tmp_path / "run", place)
    assert other.status().ours
    assert other.down()
    assert not other.status().running


def test_one_that_dies_is_told_with_its_last_words(
    binary: Path, jaeger: Jaeger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FAKE_JAEGER", "dies")
    with pytest.raises(JaegerError, match="code 1: Error: cannot use this configuration"):
        jaeger.up()
    assert (tmp_path / "run" / LOG_FILE).is_file()
    assert not jaeger.status().ours


def test_one_that_never_gets_healthy_is_given_up(
    binary: Path, jaeger: Jaeger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_JAEGER", "sick")
    with pytest.raises(JaegerError, match=r"isn't healthy after 0\.3 s"):
        jaeger.up(patience=0.3)


def test_a_port_in_use_is_named(binary: Path, jaeger: Jaeger, place: Place) -> None:
    with (
        socket.create_server(("127.0.0.1", place.ui)),
        pytest.raises(JaegerError, match=f"127.0.0.1:{place.ui} is in use by another program"),
    ):
        jaeger.up()


def test_without_any_way_it_says_what_to_install(
    jaeger: Jaeger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoJaegerError) as caught:
        jaeger.up()
    assert "install docker or podman" in caught.value.hint


def loaded(name: str) -> Any:
    return yaml.safe_load((ROOT / "deploy" / "jaeger" / name).read_text())


def test_the_configuration_holds_together() -> None:
    config = loaded("config.yaml")
    (pipeline,) = config["service"]["pipelines"].values()
    assert set(config["service"]["extensions"]) == set(config["extensions"])
    for kind in ("receivers", "processors", "exporters"):
        assert set(pipeline[kind]) == set(config[kind])
    (store,) = config["extensions"]["jaeger_storage"]["backends"]
    assert config["extensions"]["jaeger_query"]["storage"]["traces"] == store
    assert config["exporters"]["jaeger_storage_exporter"]["trace_storage"] == store


def endpoints(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [
            *([node["endpoint"]] if isinstance(node.get("endpoint"), str) else []),
            *(found for value in node.values() for found in endpoints(value)),
        ]
    return []


def test_all_is_on_loopback_and_cors_is_for_the_relay_alone(place: Place) -> None:
    config = loaded("config.yaml")
    found = endpoints(config)
    assert len(found) == len(place.environ())
    for name in place.environ():
        assert any(name in endpoint for endpoint in found)
    assert all(one.startswith("${env:JAEGER_LISTEN_HOST:-127.0.0.1}:") for one in found)
    (origin,) = config["receivers"]["otlp"]["protocols"]["http"]["cors"]["allowed_origins"]
    assert origin == "${env:AMCTL_ORIGIN:-http://localhost:14050}"


def test_the_container_is_pinned_private_and_watched() -> None:
    service = loaded("compose.yaml")["services"]["jaeger"]
    name, _, version = service["image"].partition(":")
    assert name == "jaegertracing/jaeger"
    assert version.count(".") == 2
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert service["healthcheck"]["test"][-1] == "http://localhost:13133/status"
    assert service["command"] == ["--config", service["volumes"][0].split(":")[1]]
