"""Every door, and what it says to those who may not come in."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route
from websockets.exceptions import InvalidStatus

from amctl.relay import Guard, Policy, Relay, security
from amctl.relay.claims import Claims
from tests.relay.conftest import BEARER, TOKEN, Peers, StartRelay, closed

pytestmark = pytest.mark.realtime

WRONG = {"Authorization": "Bearer wrong"}


async def _state(request: Request) -> JSONResponse:
    return JSONResponse({"tab": request.query_params.get("tab", "")})


async def _log(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture
async def peers(start_relay: StartRelay) -> Peers:
    routes = [Route("/state", _state), Route("/log", _log, methods=["POST"])]
    found: Peers = await start_relay(routes=routes, policy=Policy(origins=("http://friend:1",)))
    return found


def cookie(peers: Peers) -> dict[str, str]:
    port = peers.relay.port
    return {"Cookie": f"{security.cookie_name(port)}={security.cookie_value(TOKEN)}"}


async def refused(peers: Peers, path: str, headers: dict[str, str]) -> tuple[int, str]:
    """Status and text of an upgrade that must fail."""
    with pytest.raises(InvalidStatus) as caught:
        async with peers.socket(path, headers):
            pass
    response = caught.value.response
    return response.status_code, bytes(response.body or b"").decode()


async def test_relay_without_a_token_is_refused() -> None:
    with pytest.raises(ValueError, match="token"):
        Relay("x", token="")


async def test_page_without_token_says_what_to_do(peers: Peers) -> None:
    async with peers.http(**WRONG) as http:
        page = await http.get("/", headers={"Accept": "text/html"})
        text = await http.get("/state")
        head = await http.head("/state")
    assert page.status_code == text.status_code == head.status_code == 401
    assert "amctl start" in page.text
    assert page.headers["content-type"].startswith("text/html")
    assert text.text.startswith("the token of this run is missing or wrong: ")
    assert page.headers["cross-origin-embedder-policy"] == "require-corp"


async def test_token_in_the_url_is_swapped_for_a_cookie(peers: Peers) -> None:
    async with peers.http(Authorization="") as http:
        answer = await http.get("/state", params={"token": TOKEN, "tab": "t1"})
        set_cookie = answer.headers["set-cookie"]
        assert (answer.status_code, answer.headers["location"]) == (303, "/state?tab=t1")
        assert "HttpOnly" in set_cookie
        assert "samesite=strict" in set_cookie.lower()
        assert TOKEN not in set_cookie
        followed = await http.get(answer.headers["location"])
        assert followed.json() == {"tab": "t1"}
        # an old link, opened again by whoever has the cookie, harms nobody
        again = await http.get("/state", params={"token": "old"})
        assert again.status_code == 303
        assert "set-cookie" not in again.headers


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN[:-1], "é"])
async def test_wrong_token_in_the_url_is_refused(peers: Peers, token: str) -> None:
    async with peers.http(Authorization="") as http:
        answer = await http.get("/", params={"token": token})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


async def test_token_in_the_url_counts_only_for_get(peers: Peers) -> None:
    async with peers.http(Authorization="") as http:
        assert (await http.post("/log", params={"token": TOKEN})).status_code == 401
        assert (await http.head("/state", params={"token": TOKEN})).status_code == 401
    assert (await refused(peers, f"/listen/a/localhost:0?token={TOKEN}", {}))[0] == 401


async def test_page_url_opens_the_page(peers: Peers) -> None:
    async with peers.http(Authorization="") as http:
        answer = await http.get(peers.relay.page_url)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize("door", ["/listen/a/localhost:0", "/dial/a/localhost:1", "/nowhere"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        (WRONG, 401),
        ({"Cookie": "amctl=x"}, 401),
        (BEARER | {"Origin": "http://evil.example"}, 403),
        (BEARER | {"Origin": "null"}, 403),
        (BEARER | {"Host": "evil.example"}, 421),
        ({"Host": "evil.example"}, 421),
    ],
)
async def test_stranger_gets_no_websocket(
    peers: Peers, door: str, headers: dict[str, str], status: int
) -> None:
    """The websockets client sends our Host too; the last one counts for neither side."""
    if "Host" in headers:
        answer = await peers.raw(upgrade(peers, door, headers), end=False)
        assert answer.startswith(f"HTTP/1.1 {status} ".encode())
        return
    got, text = await refused(peers, door, headers)
    assert got == status
    assert text.endswith("\n")


def upgrade(peers: Peers, path: str, headers: dict[str, str]) -> bytes:
    """An upgrade request by hand."""
    lines = {
        "Host": f"localhost:{peers.relay.port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    } | headers
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"GET {path} HTTP/1.1\r\n{text}\r\n".encode()


async def test_unknown_websocket_gets_404(peers: Peers) -> None:
    status, text = await refused(peers, "/nowhere", BEARER)
    assert (status, text) == (404, "no such WebSocket\n")


async def test_cookie_counts_only_with_our_origin(peers: Peers) -> None:
    own = {"Origin": f"http://127.0.0.1:{peers.relay.port}"}
    path = "/listen/a/localhost:0"
    assert (await refused(peers, path, cookie(peers)))[0] == 403
    other = {"Origin": f"http://localhost:{peers.relay.port}"}
    assert (await refused(peers, path, cookie(peers) | other))[0] == 403
    async with peers.socket(path, cookie(peers) | own):
        pass
    async with peers.socket(path, cookie(peers) | {"Origin": "http://friend:1"}):
        pass


async def test_state_changing_route_asks_for_the_origin(peers: Peers) -> None:
    own = {"Origin": f"http://127.0.0.1:{peers.relay.port}"}
    async with peers.http(Authorization="", **cookie(peers)) as http:
        assert (await http.post("/log", content=b"abc")).status_code == 403
        answer = await http.post("/log", content=b"abc", headers={"Origin": "http://evil"})
        assert answer.status_code == 403
        assert (await http.post("/log", content=b"abc", headers=own)).text == "3"
        assert (await http.get("/state")).status_code == 200
        foreign = await http.get("/state", headers={"Origin": "http://evil"})
        assert foreign.status_code == 403
    async with peers.http() as http:
        assert (await http.post("/log", content=b"abc")).text == "3"


@pytest.mark.parametrize("host", ["evil.example", "localhost:1", "localhost"])
async def test_rebound_name_is_refused_on_every_route(peers: Peers, host: str) -> None:
    async with peers.http(Host=host) as http:
        answers = [await http.get("/"), await http.get("/state"), await http.post("/log")]
        swap = await http.get("/", params={"token": TOKEN})
    assert [answer.status_code for answer in (*answers, swap)] == [421] * 4


async def test_second_tab_is_told_on_every_route(peers: Peers) -> None:
    async with (
        peers.socket("/listen/browser1/localhost:0?tab=t1") as first,
        peers.http() as http,
    ):
        head = await http.head("/state", params={"tab": "t2"})
        text = await http.get("/state", params={"tab": "t2"})
        own = await http.get("/state", params={"tab": "t1"})
        bad = await http.get("/state", params={"tab": "../t"})
        assert (head.status_code, text.status_code, own.status_code) == (409, 409, 200)
        assert bad.status_code == 400
        assert "another tab" in text.text
        async with peers.socket("/listen/browser1/localhost:0?tab=t2") as second:
            assert await closed(second) == (4409, "another tab is running this workflow")
        async with peers.socket("/dial/browser1/localhost:1?tab=t2") as second:
            assert (await closed(second))[0] == 4409
        await first.ping()
        assert peers.relay.auth.claims.holder("browser1") is not None


async def test_mounted_route_can_ask_the_guard(peers: Peers) -> None:
    assert isinstance(peers.relay.auth, Guard)
    assert peers.relay.auth.claims.refusal("t1") is None


async def test_body_beyond_the_cap_is_refused(peers: Peers) -> None:
    async with peers.http() as http:
        answer = await http.post("/log", content=b"x" * (1024 * 1024 + 1))
        assert answer.status_code == 413
        assert (await http.post("/log", content=b"x")).text == "1"


def test_guard_without_a_bound_port_knows_no_host() -> None:
    guard = Guard("t", "localhost", Policy(), Claims(patience=1.0))
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b""}
    scope["headers"] = [(b"host", b"localhost:0")]
    with pytest.raises(Exception, match="isn't served here"):
        guard.check(Request(scope))
