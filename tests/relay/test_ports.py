from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from amctl.relay.ports import Ports
from amctl.relay.security import Target
from tests.relay.conftest import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ANY = Target("localhost", 0)


@pytest.fixture
def gone() -> list[str]:
    return []


@pytest.fixture
def ports() -> Iterator[Ports]:
    kept = Ports(30.0, most=3)
    yield kept
    kept.close()


def here() -> Target:
    """An address that nobody listens on."""
    return Target("127.0.0.1", free_port())


def is_free(address: Target) -> bool:
    with socket.socket() as found:
        try:
            found.bind((address.host, address.port))
        except OSError:
            return False
        return True


async def test_a_port_is_kept_for_its_id_and_nobody_else_gets_it(
    ports: Ports, gone: list[str]
) -> None:
    address = here()
    ports.keep("a", address, lambda: gone.append("a"))
    assert not is_free(address)
    with pytest.raises(ConnectionRefusedError), socket.socket() as client:
        client.connect((address.host, address.port))
    assert ports.take("b", ANY) is None
    found = ports.take("a", ANY)
    assert found is not None
    found.listen()
    with socket.socket() as client:
        client.connect((address.host, address.port))
    assert found.getsockname() == (address.host, address.port)
    found.close()
    assert (len(ports), gone) == (0, [])


async def test_after_a_while_it_is_given_up(ports: Ports, gone: list[str]) -> None:
    address = here()
    ports.keep("a", address, lambda: gone.append("a"))
    await asyncio.sleep(29.9)
    assert gone == []
    await asyncio.sleep(0.2)
    assert gone == ["a"]
    assert is_free(address)
    assert ports.take("a", ANY) is None


async def test_who_asks_for_another_address_does_not_get_the_kept_one(
    ports: Ports, gone: list[str]
) -> None:
    address = here()
    for wanted in (Target("::1", 0), here()):
        ports.keep("a", address, lambda: gone.append("a"))
        assert ports.take("a", wanted) is None
    assert gone == ["a", "a"]
    ports.keep("a", address, lambda: gone.append("a"))
    found = ports.take("a", address)
    assert found is not None
    found.close()


async def test_a_port_that_another_id_names_is_given_up(ports: Ports, gone: list[str]) -> None:
    address, other = here(), here()
    ports.keep("a", address, lambda: gone.append("a"))
    ports.keep("b", other, lambda: gone.append("b"))
    assert ports.take("c", address) is None
    assert gone == ["a"]
    assert is_free(address)
    ports.free("nobody", other.port)
    assert gone == ["a", "b"]
    ports.keep("a", address, lambda: gone.append("a"))
    ports.free("a", 0)
    assert gone == ["a", "b", "a"]


async def test_a_port_that_somebody_listens_on_is_not_kept(ports: Ports, gone: list[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports.keep("a", Target(*taken.getsockname()), lambda: gone.append("a"))
    assert (len(ports), gone) == (0, ["a"])


async def test_the_oldest_makes_room(ports: Ports, gone: list[str]) -> None:
    for name in "abcd":
        ports.keep(name, here(), lambda name=name: gone.append(name))  # type: ignore[misc]
    assert (len(ports), gone) == (3, ["a"])
    ports.close()
    assert gone == ["a", "b", "c", "d"]


async def test_keeping_again_replaces(ports: Ports, gone: list[str]) -> None:
    first, second = here(), here()
    ports.keep("a", first, lambda: gone.append("first"))
    ports.keep("a", second, lambda: gone.append("second"))
    assert (len(ports), gone) == (1, ["first"])
    assert is_free(first)
