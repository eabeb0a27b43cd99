"""The page of flames: one file, whose data can't break out."""

from __future__ import annotations

import json
import re

from amctl.insight.profiles.flame import flame_page, tree
from amctl.insight.profiles.model import from_answer
from tests.insight.profiles.test_model import ANSWER

HOSTILE = '</script><img src=x onerror="alert(1)">\u2028'


def test_stacks_become_one_tree() -> None:
    assert tree(from_answer("x", ANSWER)) == [
        -1,
        1_000_000,
        [[0, 1_000_000, [[1, 900_000, [[2, 900_000, []]]]]]],
    ]


def test_it_asks_nothing_of_the_network() -> None:
    page = flame_page(from_answer("x", ANSWER))
    assert "default-src 'none'" in page
    assert re.findall(r"(?:src|href)=", page) == []
    assert "{{" not in re.sub(r"\$\{\w[^}]*\}\}?", "", page).replace("`{{", "")


def test_hostile_names_stay_data() -> None:
    answer = {**ANSWER, "frames": [[HOSTILE, HOSTILE, 1], *ANSWER["frames"][1:]]}
    page = flame_page(from_answer(HOSTILE, answer))
    assert "<img" not in page
    assert page.count("</script>") == 2
    block = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert block is not None
    assert json.loads(block[1])["frames"][0][0] == HOSTILE


def test_equal_profiles_give_equal_pages() -> None:
    one, two = (flame_page(from_answer("x", ANSWER)) for _ in range(2))
    assert one == two
