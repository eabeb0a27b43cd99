from __future__ import annotations

from amctl.rpc.wire.secret import opens, seal


def test_a_token_opens_itself_and_nothing_else_does() -> None:
    assert opens(b"secret", b"secret")
    assert not opens(b"secre", b"secret")
    assert not opens(b"", b"secret")


def test_a_token_opens_its_seal() -> None:
    kept = seal("secret").encode()
    assert b"secret" not in kept
    assert opens(b"secret", kept)
    assert not opens(b"Secret", kept)


def test_a_seal_opens_nothing_not_even_itself() -> None:
    kept = seal("secret").encode()
    assert not opens(kept, kept)
    assert not opens(kept, b"secret")
