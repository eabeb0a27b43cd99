"""How a playbook is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from amctl.repl.playbook.options import RunOptions, Silent

if TYPE_CHECKING:
    from amctl.repl.playbook.options import Observer


def test_by_default_nobody_is_asked_and_all_is_run() -> None:
    options = RunOptions()
    assert (options.step, options.prompt, dict(options.extra)) == (None, None, {})
    assert options.tagged.only == options.tagged.skip == frozenset()


def test_who_does_not_look_is_an_observer_too() -> None:
    observer: Observer = Silent()
    observer.play("p", ["m"])
    observer.task("t", ["m"])
    observer.result(cast("Any", None))
