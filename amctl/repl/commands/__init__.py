"""The commands, one module a group; `COMMANDS` holds them in the order of their help."""

from __future__ import annotations

from amctl.repl.commands.checking import CHECKING
from amctl.repl.commands.mutating import MUTATING
from amctl.repl.commands.session import SESSION
from amctl.repl.commands.waiting import WAITING

__all__ = ["COMMANDS"]

COMMANDS = (*MUTATING, *WAITING, *CHECKING, *SESSION)
