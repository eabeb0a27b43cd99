"""What each key does: one table, which the app binds and the help shows.

Only keys that every terminal sends: no shift with arrows, no ctrl with digits, no super.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["KEYS", "Key"]


class Key(NamedTuple):
    """One line of the table."""

    keys: str
    """As Textual names them, by commas."""
    action: str
    text: str
    """For people."""
    shown: str = ""
    """The keys for people; empty: as they are."""


KEYS: Final = (
    Key("tab", "pane(1)", "next pane"),
    Key("shift+tab", "pane(-1)", "previous pane"),
    Key("space", "play", "play or pause"),
    Key("left", "left", "previous transition, or step, or scroll the log and the matrix"),
    Key("right", "right", "next transition, or step, or scroll the log and the matrix"),
    Key("alt+left,alt+h", "jump_prev", "jump back: 50, or by the selected state"),
    Key("alt+right,alt+l", "jump_next", "jump on: 50, or by the selected state"),
    Key("alt+j", "prev_step", "previous step"),
    Key("alt+k", "next_step", "next step"),
    Key("alt+n,pagedown", "page(1)", "page down"),
    Key("alt+p,pageup", "page(-1)", "page up"),
    Key("home", "first", "the schema, before the first transition"),
    Key("end", "last", "the last transition"),
    Key("alt+v", "tail", "stay at the newest"),
    Key("alt+m", "cycle_view", "log, small matrix, small rain, matrix, rain"),
    Key("alt+r", "rain", "rain"),
    Key("alt+o", "reader", "log reader"),
    Key("alt+e", "expand", "open or close the tree, or the reader"),
    Key("alt+f", "focus_toolbar", "toolbar, or the list of machines"),
    Key("alt+s", "export", "export"),
    Key("slash", "find", "where an expression over states became true", "/"),
    Key("colon", "go_to", "go to an address, a machine, a transition", ":"),
    Key("alt+g", "group", "choose a group of states"),
    Key("alt+c", "copy_address", "copy the address"),
    Key("alt+b", "history_back", "to where one was before"),
    Key("alt+w", "history_forward", "undo that"),
    Key("alt+u", "jump('cause', False)", "to what caused this one"),
    Key("alt+i", "jump('cause')", "to the first that this one caused"),
    Key("alt+x", "jump('error')", "the next error"),
    Key("alt+z", "jump('error', False)", "the error before"),
    Key("alt+d", "remove_client", "take the machine out of the list"),
    Key("question_mark", "help", "help", "?"),
    Key("escape", "escape", "close what is open, or go to the list of machines", "esc"),
    Key("ctrl+q", "quit", "quit"),
)
"""Keys that hold everywhere. Lists have up, down, j, k, enter; that of machines backspace."""
