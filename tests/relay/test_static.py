from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from amctl.relay import static
from amctl.relay.static import StaticFiles

if TYPE_CHECKING:
    from pathlib import Path

    from tests.relay.conftest import StartRelay

ISOLATION = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """A page, its bundle, and things that must not be served."""
    root = tmp_path / "web"
    (root / "dist").mkdir(parents=True)
    (root / "index.html").write_text("<p>hello")
    (root / "app.js").write_text("let a")
    (root / ".hidden").write_text("secret")
    (root / "node_modules").mkdir()
    (root / "node_modules" / "x.js").write_text("x")
    (root / "dist" / "worker.mjs").write_text("let b")
    (root / "dist" / "core-0123abcd.wasm").write_bytes(b"\0asm" * 200_000)
    (tmp_path / "secret.txt").write_text("secret")
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    return root


def roots(web: Path) -> list[Path]:
    return [web, web / "dist"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.wasm", "application/wasm"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.JS", "text/javascript; charset=utf-8"),
        ("a.html", "text/html; charset=utf-8"),
        ("a.zip", "application/zip"),
        ("a", "application/octet-stream"),
    ],
)
def test_media_type_does_not_ask_the_platform(name: str, kind: str) -> None:
    assert static.media_type(name) == kind


@pytest.mark.parametrize(
    ("path", "versioned"),
    [
        ("/dist/core-0123abcd.wasm", True),
        ("/dist/core.0123456789abcdef.js", True),
        ("/0123abcd/core.js", True),
        ("/dist/core.js", False),
        ("/dist/pyodide-314.0.7.js", False),
        ("/dist/feedback.js", False),
    ],
)
def test_versioned_paths_carry_a_hash(path: str, *, versioned: bool) -> None:
    assert static.is_versioned(path) is versioned


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", set()),
        ("gzip, br", {"gzip", "br"}),
        ("GZIP;q=0.5, br;q=0, x;q=0.000", {"gzip"}),
        (";;,q=1", {"q=1"}),
    ],
)
def test_encodings_with_weight_zero_are_not_accepted(header: str, found: set[str]) -> None:
    assert static.accepted_encodings(header) == found


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/../secret.txt",
        "/dist/../../secret.txt",
        "/.hidden",
        "/node_modules/x.js",
        "/link.txt",
        "/dist",
        "/dist/",
        "/index.html/",
        "//index.html/x",
        "/a\\..\\b",
        "/a\x00b",
        "/" + "a" * 300,
    ],
)
def test_nothing_but_files_of_the_page_is_found(web: Path, path: str) -> None:
    assert StaticFiles(roots(web)).find(path) is None


def test_first_directory_wins_and_later_ones_fill_in(web: Path) -> None:
    files = StaticFiles(roots(web))
    found = files.find("/worker.mjs")
    assert found is not None
    assert found.path == web / "dist" / "worker.mjs"
    assert files.find("/dist/worker.mjs") == found


def test_stale_variant_is_ignored(web: Path) -> None:
    plain, packed = web / "app.js", web / "app.js.br"
    packed.write_bytes(b"packed")
    os.utime(packed, (1, 1))
    found = StaticFiles([web]).find("/app.js", frozenset({"br"}))
    assert found is not None
    assert found.path == plain


@pytest.mark.realtime
async def test_rel_1_file_is_served_with_isolation(start_relay: StartRelay, web: Path) -> None:
    peers = await start_relay(static=roots(web))
    async with peers.http() as http:
        page = await http.get("/")
        wasm = await http.get("/core-0123abcd.wasm")
        missing = await http.get("/nothing")
        posted = await http.post("/")
    assert (page.status_code, page.text) == (200, "<p>hello")
    assert page.headers["cache-control"] == "no-cache"
    assert wasm.content == b"\0asm" * 200_000
    assert wasm.headers["content-type"] == "application/wasm"
    assert "immutable" in wasm.headers["cache-control"]
    assert (missing.status_code, posted.status_code) == (404, 405)
    for answer in (page, wasm, missing, posted):
        assert ISOLATION.items() <= dict(answer.headers).items()


@pytest.mark.realtime
async def test_rel_1_nothing_is_served_without_a_directory(start_relay: StartRelay) -> None:
    peers = await start_relay()
    async with peers.http() as http:
        assert (await http.get("/")).status_code == 404


@pytest.mark.realtime
async def test_unchanged_file_is_not_sent_again(start_relay: StartRelay, web: Path) -> None:
    peers = await start_relay(static=roots(web))
    async with peers.http() as http:
        first = await http.get("/app.js")
        tag = first.headers["etag"]
        again = await http.get("/app.js", headers={"If-None-Match": f'"x", W/{tag}'})
        other = await http.get("/app.js", headers={"If-None-Match": '"x"'})
        head = await http.head("/app.js")
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert other.status_code == 200
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "5")
    for answer in (again, head):
        assert ISOLATION.items() <= dict(answer.headers).items()


@pytest.mark.realtime
async def test_precompressed_variant_is_sent_on_demand(start_relay: StartRelay, web: Path) -> None:
    import gzip

    (web / "app.js.gz").write_bytes(gzip.compress(b"let a"))
    peers = await start_relay(static=roots(web))
    async with peers.http() as http:
        packed = await http.get("/app.js", headers={"Accept-Encoding": "gzip"})
        plain = await http.get("/app.js", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == plain.text == "let a"
    assert packed.headers["content-type"] == plain.headers["content-type"]
    assert packed.headers["vary"] == "Accept-Encoding"
    assert packed.headers["etag"] != plain.headers["etag"]
    assert "content-encoding" not in plain.headers


@pytest.mark.realtime
async def test_empty_file_is_served(start_relay: StartRelay, web: Path) -> None:
    (web / "empty.css").touch()
    peers = await start_relay(static=[web])
    async with peers.http() as http:
        answer = await http.get("/empty.css")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.realtime
@pytest.mark.parametrize(
    "path",
    [
        b"/../secret.txt",
        b"/%2e%2e/secret.txt",
        b"/..%2fsecret.txt",
        b"/%252e%252e/secret.txt",
        b"/dist/%2e%2e%2f%2e%2e/secret.txt",
        b"/..%5csecret.txt",
        b"/%00",
        b"//etc/passwd",
    ],
)
async def test_rel_11_traversal_ends_in_404(
    start_relay: StartRelay, web: Path, path: bytes
) -> None:
    peers = await start_relay(static=roots(web))
    head = f" HTTP/1.1\r\nHost: localhost:{peers.relay.port}\r\nConnection: close\r\n"
    head += f"Authorization: Bearer {peers.token}\r\n\r\n"
    answer = await peers.raw(b"GET " + path + head.encode(), end=False)
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"secret" not in answer
    assert b"root:" not in answer


@pytest.mark.realtime
async def test_missing_bundle_gets_a_friendly_page(start_relay: StartRelay, web: Path) -> None:
    peers = await start_relay(static=[web, web / "unbuilt"])
    async with peers.http() as http:
        page = await http.get("/")
        script = await http.get("/app.js")
    assert page.status_code == 503
    assert "amctl build" in page.text
    assert script.status_code == 200
