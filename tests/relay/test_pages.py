from __future__ import annotations

from starlette.requests import HTTPConnection

from amctl.relay import RefusedError, pages


def asked(accept: str) -> HTTPConnection:
    return HTTPConnection({"type": "http", "headers": [(b"accept", accept.encode())]})


def test_browser_gets_a_page_and_a_program_a_line() -> None:
    refused = RefusedError(401, "no <token>", hint="get one")
    page = pages.refusal(asked("text/html,*/*"), refused)
    line = pages.refusal(asked("*/*"), refused)
    assert b"No &lt;token&gt;: get one." in bytes(page.body)
    assert bytes(line.body) == b"no <token>: get one\n"
    assert line.headers["www-authenticate"] == "Bearer"
    assert "www-authenticate" not in page.headers
    for answer in (page, line):
        assert (answer.status_code, answer.headers["cache-control"]) == (401, "no-store")


def test_every_refusal_has_a_title() -> None:
    answer = pages.refusal(asked("text/html"), RefusedError(418, "teapot"))
    assert b"<title>Refused</title>" in bytes(answer.body)


def test_missing_bundle_says_what_to_run() -> None:
    answer = pages.no_bundle()
    assert answer.status_code == 503
    assert b"amctl build" in bytes(answer.body)
