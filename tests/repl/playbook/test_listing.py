"""What a playbook would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.repl.playbook.listing import list_machines, list_tasks
from amctl.repl.playbook.live import LiveWorld
from amctl.repl.playbook.loading import load
from amctl.repl.playbook.plan import Tagged
from tests.repl.playbook.staged import stage, write
from tests.support.fake_fleet import context

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """
- name: "of {{ who }}"
  machines: "{{ who }}"
  tasks:
    - {name: a, add: Foo, tags: [y, x]}
    - {include: i.yml, tags: z}
- {machines: all, tasks: [{pause: 1s}]}
"""


def test_tasks_with_their_places_tags_and_depth(tmp_path: Path) -> None:
    write(tmp_path, "- {add: '{{ item }}', loop: 3}", "i.yml")
    book = load([write(tmp_path, TEXT)])
    plays = list_tasks(book, {"who": "w*"})
    assert [(play["play"], play["pattern"]) for play in plays] == [("of w*", "w*"), ("all", "all")]
    rows = [(task["task"], task["tags"], task["depth"]) for task in plays[0]["tasks"]]
    assert rows == [
        ("a", ["x", "y"], 0),
        ("include i.yml", ["z"], 0),
        ("add {{ item }}", ["z"], 1),
    ]
    assert plays[0]["tasks"][0]["place"].endswith("book.yml:5:7")
    only = list_tasks(book, {"who": "w*"}, Tagged(frozenset("x")))
    assert [len(play["tasks"]) for play in only] == [1, 0]


async def test_machines_of_each_play(tmp_path: Path) -> None:
    write(tmp_path, "- {add: Foo}", "i.yml")
    book = load([write(tmp_path, TEXT)])
    world = LiveWorld(context(stage()), "!w2")
    found = list_machines(book, world, {"who": "w1,w2"})
    assert [play["machines"] for play in found] == [["w1"], ["w0", "w1"]]
