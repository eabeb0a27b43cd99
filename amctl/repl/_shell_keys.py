"""Keys of the shell, beside those of Emacs or vi that the line editor has by itself."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit.application import get_app
from prompt_toolkit.enums import DEFAULT_BUFFER, EditingMode
from prompt_toolkit.filters import Condition, has_completions, has_focus
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.utils import suspend_to_background_supported

from amctl.repl._shell_menu import accept

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from prompt_toolkit.key_binding import KeyPressEvent

__all__ = ["bindings", "editing_mode"]

_SET_MODE = re.compile(r"^\s*set\s+editing-mode\s+(vi|emacs)\s*$", re.M)


def editing_mode(environ: Mapping[str, str] = os.environ) -> EditingMode:
    """Emacs, unless readline's own file says `set editing-mode vi`."""
    name = environ.get("INPUTRC") or str(Path(environ.get("HOME", "."), ".inputrc"))
    try:
        found = _SET_MODE.findall(Path(name).read_text(encoding="utf-8", errors="replace"))
    except OSError:
        found = []
    return EditingMode.VI if found and found[-1] == "vi" else EditingMode.EMACS


@Condition
def _is_selected() -> bool:
    state = get_app().current_buffer.complete_state
    return state is not None and state.complete_index is not None


@Condition
def _is_empty() -> bool:
    return not get_app().current_buffer.text


def bindings(complete: Callable[[], None], entered: Callable[[str], None]) -> KeyBindings:
    """The shell's own keys.

    Args:
        complete: Completes the word at the cursor.
        entered: Told of each line before it is run.
    """
    keys = KeyBindings()
    typing = has_focus(DEFAULT_BUFFER)

    @keys.add("tab", filter=typing)
    def _tab(event: KeyPressEvent) -> None:
        if event.current_buffer.complete_state:
            event.current_buffer.complete_next()
        else:
            complete()

    @keys.add("s-tab", filter=typing & has_completions)
    def _back(event: KeyPressEvent) -> None:
        event.current_buffer.complete_previous()

    @keys.add("enter", filter=typing & _is_selected)
    def _take(event: KeyPressEvent) -> None:
        """Only the word: to run something should take a key of its own."""
        accept(event.current_buffer)

    @keys.add("enter", filter=typing & ~_is_selected)
    def _run(event: KeyPressEvent) -> None:
        text = event.current_buffer.text
        entered(text)
        event.app.exit(result=text)

    @keys.add("escape", filter=typing & has_completions)
    @keys.add("c-g", filter=typing & has_completions)
    def _close(event: KeyPressEvent) -> None:
        event.current_buffer.cancel_completion()

    @keys.add("c-c", filter=typing)
    @keys.add("<sigint>")
    def _interrupt(event: KeyPressEvent) -> None:
        event.app.exit(exception=KeyboardInterrupt())

    @keys.add("c-d", filter=typing & _is_empty)
    def _end(event: KeyPressEvent) -> None:
        event.app.exit(exception=EOFError())

    @keys.add("c-z", filter=Condition(suspend_to_background_supported))
    def _suspend(event: KeyPressEvent) -> None:
        event.app.suspend_to_background()

    return keys
