from __future__ import annotations

import json

from tests.nodes.system import FOUR, System


async def test_an_outcome_is_one_json_document() -> None:
    async with System() as system:
        outcome = await system.finished()
    read = json.loads(json.dumps(outcome.as_json()))
    assert read["ok"] is True
    assert (read["rounds"], read["executions"]) == (1, 4)
    assert list(read["results"]) == list(FOUR.ids)
    assert read["ready_ms"] <= read["done_ms"]
    assert read["nodes"]["browser4"]["state"] == "verified"
    assert read["nodes"]["browser4"]["digest"] == read["results"]["browser4"]
    assert read["seed"] == 1
    assert read["message"] == "2 results equal their known hashes"
