from __future__ import annotations

import json
from pathlib import Path

import pytest

from nodes.dag import load_dag
from nodes.plan import NodePlan, Secrets, SettingError, WorkflowSettings, boot_plan, node_plan

FOUR = load_dag("nodes/four.json", Path())


def test_settings_have_the_projects_defaults() -> None:
    assert WorkflowSettings.of({}) == WorkflowSettings(node_addresses={})


def test_settings_are_read() -> None:
    settings = WorkflowSettings.of(
        {
            "WORKFLOW": "mine.json",
            "HASH_ITERATIONS": "0",
            "SUCCESS_RATE": "500",
            "FAULT_SEED": " 42 ",
            "MAX_ROUNDS": "3",
            "MAX_ATTEMPTS": "4",
            "JOB_TIMEOUT": "500ms",
            "EXIT_ON_COMPLETED": "1",
            "ORCHESTRATOR_REPL_ADDR": "localhost:14001",
            "BROWSER_1_TCP_ADDR": "localhost:9",
            "RELAY_ADDR": "not ours",
        }
    )
    assert settings == WorkflowSettings(
        workflow="mine.json",
        iterations=0,
        success_rate=500,
        fault_seed=42,
        max_rounds=3,
        max_attempts=4,
        job_timeout=0.5,
        exit_on_completed=True,
        repl_addr="localhost:14001",
        node_addresses={"BROWSER_1_TCP_ADDR": "localhost:9"},
    )


@pytest.mark.parametrize(
    ("key", "text", "allowed"),
    [
        ("SUCCESS_RATE", "0", "a whole number, 1 or more"),
        ("HASH_ITERATIONS", "many", "a whole number, 0 or more"),
        ("FAULT_SEED", "x", "a whole number"),
        ("JOB_TIMEOUT", "0", "a duration like 500ms, 30s, 2m"),
        ("JOB_TIMEOUT", "soon", "a duration like 500ms, 30s, 2m"),
    ],
)
def test_bad_values_are_refused_by_name(key: str, text: str, allowed: str) -> None:
    with pytest.raises(SettingError) as caught:
        WorkflowSettings.of({key: text})
    assert str(caught.value) == f"{key}={text!r} isn't {allowed}"


def test_settings_say_what_is_recorded() -> None:
    assert WorkflowSettings.of({"AM_LOG": "0", "AM_LOG_STEPS": ""}).debug == {}
    asked = {
        "AM_LOG": "4",
        "AM_LOG_STEPS": "0",
        "AM_LOG_ARGS": "1",
        "AM_LOG_QUEUED": "1",
        "AM_RPC_DBG": "no",
    }
    assert WorkflowSettings.of(asked).debug == {
        "log_level": 4,
        "steps": False,
        "args": True,
        "queued": "all",
        "rpc": False,
    }
    assert WorkflowSettings.of({"AM_LOG_QUEUED": "0"}).debug == {"queued": "none"}


def test_plans_are_plain_json() -> None:
    plan = node_plan(FOUR, "browser2", WorkflowSettings(), 42, Secrets("sealed", "leaf"))
    assert plan.role == "dispatcher"
    assert plan.leaves == ("browser3", "browser4")
    assert plan.listen == "/listen/browser2/localhost:14020"
    assert plan.repl == "/listen/repl-browser2/localhost:0"
    assert NodePlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


@pytest.mark.parametrize(
    ("id", "told"),
    [
        ("browser1", ("sealed", "sealed", "")),
        ("browser2", ("sealed", "sealed", "leaf")),
        ("browser3", ("leaf", "sealed", "")),
    ],
)
def test_a_node_knows_no_more_than_it_needs(id: str, told: tuple[str, str, str]) -> None:
    plan = node_plan(FOUR, id, WorkflowSettings(), 42, Secrets("sealed", "leaf"))
    assert (plan.token, plan.repl_token, plan.leaf_token) == told


def test_leaves_do_not_dial_but_for_their_repl() -> None:
    plan = node_plan(FOUR, "browser4", WorkflowSettings(), 42, Secrets("sealed", "leaf"))
    assert (plan.role, plan.listen) == ("worker", "")
    assert plan.repl == "/listen/repl-browser4/localhost:0"


def test_the_boot_plan_is_a_tree_of_threads() -> None:
    plans = {id: node_plan(FOUR, id, WorkflowSettings(), 1, Secrets("s", "l")) for id in FOUR.ids}
    plan = json.loads(json.dumps(boot_plan(FOUR, plans)))
    assert plan["entry"] == "nodes.browser"
    assert plan["ui"]["id"] == "browser1"
    assert [thread["id"] for thread in plan["workers"]] == ["browser2"]
    assert [leaf["id"] for leaf in plan["workers"][0]["workers"]] == ["browser3", "browser4"]
    assert plan["workers"][0]["plan"] == plans["browser2"].to_json()
