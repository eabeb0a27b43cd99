"""Tokens, and seals of tokens: how a server knows a token that it must not hold itself.

Code in a web page can be read by whatever else runs there. A server there keeps the seal: it tells
the right token from a wrong one, and opens nothing.
"""

from __future__ import annotations

import hashlib
import hmac

__all__ = ["opens", "seal"]

_SEAL = b"sha256:"


def seal(token: str) -> str:
    """What a server may keep in place of the token. No seal can be used as a token."""
    return (_SEAL + hashlib.sha256(token.encode()).hexdigest().encode()).decode()


def opens(given: bytes, kept: bytes) -> bool:
    """Whether a HELLO's token is the one that a server keeps, or the one behind its seal.

    Takes the same time for any wrong token of one length.
    """
    if kept.startswith(_SEAL):
        given = _SEAL + hashlib.sha256(given).hexdigest().encode()
    return hmac.compare_digest(given, kept)
