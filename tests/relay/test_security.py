from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.relay import TargetError, security
from amctl.relay.security import Target


def test_empty_secret_matches_nothing() -> None:
    assert not security.same_secret("", "")
    assert not security.same_secret("x", "")
    assert not security.same_secret("ä\ud800", "secret")
    assert security.same_secret("secret", "secret")


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer   abc ", "abc"),
        ("Basic abc", ""),
        ("Bearer", ""),
        ("", ""),
        ("abc", ""),
    ],
)
def test_bearer_header_yields_its_token(header: str, token: str) -> None:
    assert security.token_of_bearer(header) == token


def test_cookie_does_not_show_the_token() -> None:
    assert "secret" not in security.cookie_value("secret")
    assert security.cookie_value("secret") != security.cookie_value("secret2")
    assert security.cookie_name(1) != security.cookie_name(2)


@pytest.mark.parametrize("good", ["a", "browser1", "repl-browser3", "A_b.c-9", "x" * 64, "a..b"])
def test_rel_11_good_id_is_valid(good: str) -> None:
    assert security.valid_id(good)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "x" * 65,
        "a/b",
        "../a",
        "..",
        ".",
        "a\n",
        "a b",
        "é",
        "a\x00",
        "%2e%2e",
        "a\\b",
        "\u0661",
    ],
)
def test_rel_11_bad_id_is_refused(bad: str) -> None:
    assert not security.valid_id(bad)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("localhost:0", "localhost", 0),
        ("127.0.0.1:65535", "127.0.0.1", 65535),
        ("[::1]:80", "::1", 80),
        ("example.org:443", "example.org", 443),
    ],
)
def test_target_is_parsed_and_printed(text: str, host: str, port: int) -> None:
    assert security.parse_target(text) == Target(host, port)
    assert str(Target(host, port)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost",
        ":80",
        "::1:80",
        "a:65536",
        "a:-1",
        "a:+1",
        "a: 1",
        "a:1x",
        "a b:1",
        "a:\u0661",
    ],
)
def test_bad_target_is_refused(text: str) -> None:
    with pytest.raises(TargetError, match="address"):
        security.parse_target(text)


@given(st.text())
def test_target_parser_survives_everything(text: str) -> None:
    try:
        target = security.parse_target(text)
    except TargetError:
        return
    assert security.parse_target(str(target)) == target


@pytest.mark.parametrize(
    ("rest", "machine_id", "target"),
    [
        ("a/h:1", "a", "h:1"),
        ("a/b/h:1", "a/b", "h:1"),
        ("a//h:1", "a", "h:1"),
        ("h:1", "", "h:1"),
        ("a/", "a", ""),
        ("", "", ""),
    ],
)
def test_rel_u1_address_is_behind_the_last_slash(rest: str, machine_id: str, target: str) -> None:
    assert security.split_tunnel_path(rest) == (machine_id, target)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_is_known_without_a_resolver(host: str) -> None:
    assert security.is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org", "localhost.evil", ""])
def test_other_hosts_are_not_loopback(host: str) -> None:
    assert not security.is_loopback(host)


def test_dial_reaches_loopback_and_what_is_listed() -> None:
    extra = ("db:5432", "cache:*")
    allowed = ["localhost:1", "[::1]:1", "db:5432", "cache:9"]
    refused = ["db:5433", "10.0.0.1:80", "localhost:0", "169.254.169.254:80", "[::]:80"]
    assert all(security.dial_allowed(security.parse_target(text), extra) for text in allowed)
    assert not any(security.dial_allowed(security.parse_target(text), extra) for text in refused)


@pytest.mark.parametrize("host", ["localhost:80", "LocalHost:80", "127.0.0.1:80", "[::1]:80"])
def test_loopback_names_are_our_hosts(host: str) -> None:
    hosts = security.allowed_hosts("127.0.0.1", 80)
    assert security.host_allowed(host, hosts, any_address=False, port=80)
    assert "localhost" in hosts


@pytest.mark.parametrize(
    "host",
    ["evil.example:81", "localhost", "localhost:80", "localhost:810", "", "127.0.0.1.nip.io:81"],
)
def test_foreign_hosts_are_refused(host: str) -> None:
    hosts = security.allowed_hosts("localhost", 81)
    assert not security.host_allowed(host, hosts, any_address=False, port=81)
    assert not security.host_allowed(host, hosts, any_address=True, port=81)


def test_address_literals_are_ours_when_we_listen_everywhere() -> None:
    hosts = security.allowed_hosts("0.0.0.0", 81, ("proxy.example",))
    assert security.host_allowed("10.1.2.3:81", hosts, any_address=True, port=81)
    assert security.host_allowed("[fe80::1]:81", hosts, any_address=True, port=81)
    assert security.host_allowed("Proxy.example", hosts, any_address=True, port=81)
    assert not security.host_allowed("10.1.2.3:82", hosts, any_address=True, port=81)
    assert not security.host_allowed("10.1.2.3:81", hosts, any_address=False, port=81)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:81", True),
        ("HTTP://LOCALHOST:81", True),
        ("https://localhost:81", True),
        ("http://more.example", True),
        ("http://localhost:82", False),
        ("http://127.0.0.1:81", False),
        ("http://evil.example", False),
        ("null", False),
        ("", False),
        ("file://localhost:81", False),
        ("http://localhost:81/path", False),
        ("http://localhost:81@evil.example", False),
        ("http://[", False),
    ],
)
def test_rel_12_origin_must_be_the_host(origin: str, *, allowed: bool) -> None:
    extra = ("http://more.example/",)
    assert security.origin_allowed(origin, "localhost:81", extra) is allowed


@pytest.mark.parametrize(
    ("path", "query", "clean"),
    [
        ("/", "token=a", "/"),
        ("/x", "a=1&token=t&b=", "/x?a=1&b="),
        ("//evil.example/", "token=a", "/evil.example/"),
        ("/\\evil.example/", "token=a", "/evil.example/"),
        ("/", "token=a&token=b", "/"),
    ],
)
def test_token_leaves_the_url(path: str, query: str, clean: str) -> None:
    assert security.without_token(path, query) == clean
