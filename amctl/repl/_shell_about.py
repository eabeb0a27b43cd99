"""What machines told of themselves, asked in the background: the prompt never waits for it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from amctl.rpc.errors import RpcError
from amctl.rpc.wire.errors import WireError

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.machine import TaskSet
    from amctl.repl.peer import Peer
    from amctl.rpc.answers import About

__all__ = ["Abouts"]

_log = logging.getLogger("amctl.repl.shell")


class Abouts:
    """One answer for each address; an old one counts until the next has come.

    Args:
        tasks: Where questions run.
    """

    def __init__(self, tasks: TaskSet) -> None:
        self._tasks = tasks
        self._known: dict[str, About] = {}
        self._asking: dict[str, list[Callable[[], None]]] = {}

    def known(self, peer: Peer) -> About | None:
        """The answer that is here, if any."""
        return self._known.get(peer.key)

    def ask(self, peer: Peer, then: Callable[[], None] | None = None) -> None:
        """Ask, unless that is under way; `then` is called when the answer is here.

        A machine that can't be asked is left alone: the next call asks again.
        """
        is_first = peer.key not in self._asking
        waiting = self._asking.setdefault(peer.key, [])
        if then is not None:
            waiting.append(then)
        if is_first:
            self._tasks.spawn(self._ask(peer), name=f"about {peer.id}")

    async def _ask(self, peer: Peer) -> None:
        try:
            self._known[peer.key] = await peer.about()
        except (RpcError, WireError, OSError) as error:
            _log.info("%s: %s", peer.id, error)
        finally:
            waiting = self._asking.pop(peer.key)
        if self.known(peer) is not None:
            for then in waiting:
                then()
