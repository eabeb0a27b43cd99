from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amctl.relay import Matcher
from amctl.relay.matcher import find_matcher

if TYPE_CHECKING:
    from amctl.rpc.transports.base import Connection


async def nothing(_id: str, _connection: Connection) -> None:
    """Accepts anything and is done."""


def test_first_match_wins() -> None:
    matchers = [Matcher(re.compile(p), nothing) for p in (r"^browser\d$", "^browser", "^repl-")]
    assert find_matcher(matchers, "browser1") is matchers[0]
    assert find_matcher(matchers, "browser10") is matchers[1]
    assert find_matcher(matchers, "my-browser") is None
