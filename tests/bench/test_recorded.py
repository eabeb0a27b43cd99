"""Messages for benches look like those of a run."""

from __future__ import annotations

from amctl.bench.recorded import MACHINES, count_of, recorded
from amctl.telemetry.messages import SchemaMsg, TxMsg


async def test_thirty_machines_of_45_states_work_on_each_other() -> None:
    messages = await recorded(2000)
    schemas = [m for m in messages if isinstance(m, SchemaMsg)]
    txs = [m for m in messages if isinstance(m, TxMsg)]
    assert len(schemas) == MACHINES
    assert all(len(each.names) == 45 for each in schemas)
    assert 2000 <= count_of(messages) == len(txs) < 2100
    assert sum(tx.source is not None for tx in txs) > 50
    assert sum(not tx.accepted for tx in txs) > 200
    assert not any(tx.steps or tx.logs or tx.pre_logs for tx in txs)
    assert max(map(len, (tx.clocks for tx in txs))) == 45


async def test_the_same_seed_does_the_same_work() -> None:
    one, other = await recorded(300, machines=4), await recorded(300, machines=4)

    def work(messages: list[object]) -> list[object]:
        return [(m.machine_id, m.clocks, m.called) for m in messages if isinstance(m, TxMsg)]

    assert work([*one]) == work([*other])
