"""Addresses as people and files write them."""

from __future__ import annotations

import pytest

from amctl.repl.addresses import Address, parse_address
from amctl.repl.errors import UsageError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("localhost:6452", Address("localhost", 6452)),
        (" 127.0.0.1:1\r\n", Address("127.0.0.1", 1)),
        ("[::1]:65535", Address("::1", 65535)),
        ("[fe80::1%eth0]:80", Address("fe80::1%eth0", 80)),
        ("tcp://localhost:1", Address("localhost", 1)),
        ("my-host.example:80", Address("my-host.example", 80)),
    ],
)
def test_f1_plain_tcp(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert not address.is_websocket
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("localhost:80/", "/"),
        ("localhost:80/a/b", "/a/b"),
        ("localhost:80//a?b=c:1/d", "//a?b=c:1/d"),
        ("ws://localhost:80", "/"),
        ("ws://localhost:80/dial/x", "/dial/x"),
    ],
)
def test_f3_the_path_of_a_websocket_begins_at_the_first_slash_and_keeps_it(
    text: str, path: str
) -> None:
    address = parse_address(text)
    assert (address.host, address.port, address.path) == ("localhost", 80, path)
    assert address.is_websocket
    assert address.url == f"ws://localhost:80{path}"
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("6452", "did you mean 'localhost:6452'?"),
        (":6452/", "did you mean 'localhost:6452/'?"),
        ("localhost", "a port is missing, as in 'localhost:6452'"),
        ("https://localhost:1/", "TLS and HTTP are not spoken here"),
        ("wss://localhost:1/", "TLS and HTTP are not spoken here"),
        ("localhost:0", "ports go from 1 to 65535"),
        ("localhost:65536", "ports go from 1 to 65535"),
        ("tcp://localhost:1/x", "an address is host:port"),
        ("localhost:x", "an address is host:port"),
        ("a b:1", "an address is host:port"),
        ("a:1\nb:2", "an address is host:port"),
        ("user@host:1", "an address is host:port"),
        ("localhost:1/a b", "an address is host:port"),
        ("localhost:1/#there", "an address is host:port"),
        ("::1:80", "an address is host:port"),
        ("", "an address is host:port"),
        ("h:1/" + "x" * 2000, "an address is host:port"),
    ],
)
def test_what_is_no_address_is_told_with_what_would_be(text: str, hint: str) -> None:
    with pytest.raises(UsageError, match=r"^address '") as caught:
        parse_address(text)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        ("localhost", True),
        ("LocalHost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("example.org", False),
    ],
)
def test_what_is_on_this_machine(host: str, is_local: bool) -> None:
    assert Address(host, 1).is_local is is_local
