"""A small recording that has everything, and streams that are made byte by byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.dump.gob.encoder import encode_stream
from amctl.dump.gob.inflate import inflate
from amctl.dump.gob.layout import DUMP, TYPES
from amctl.dump.memory import MemoryDump
from amctl.machine import StateDef
from amctl.machine.lines import LogLine
from amctl.machine.reasons import Reason
from amctl.machine.steps import ACTIVATE, CALLED, CANCEL, HANDLER, RELATION, Step
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg, SchemaMsg, SourceRef, TxMsg
from tests.support.house import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amctl.dump.gob.types import TypeDef
    from amctl.telemetry.messages import Message

__all__ = ["FIXTURE", "VERSION", "dump_of", "everything", "opened", "packed", "stream_of"]

FIXTURE = ROOT / "tests" / "cases" / "dumps" / "everything.gob.br"
"""What `everything` was written as when the format was new. It has to be readable for ever."""

VERSION = "amctl test"
BEGAN = 1_760_000_000_000_000_000


def dump_of(*messages: Message) -> MemoryDump:
    return MemoryDump("test", messages=messages)


def everything() -> MemoryDump:
    """Two machines that talk, one that never moved, pipes, gaps, and one that is gone."""
    at = BEGAN
    return dump_of(
        SchemaMsg(
            "server",
            ("Start", "HandshakeDone", "Exception"),
            {
                "Start": StateDef(auto=True, add=("HandshakeDone",), tags=("own",)),
                "HandshakeDone": StateDef(
                    require=("Start",), remove=("Exception",), after=("Start",)
                ),
                "Exception": StateDef(multi=True),
            },
            tags=("rpc-server", "addr:local"),
            groups={"self": (0, 1), "BasicStatesDef": (2,)},
            groups_order=("self", "BasicStatesDef"),
            time_ns=at,
        ),
        SchemaMsg("client", ("Ready",), {"Ready": StateDef()}, parent="server"),
        SchemaMsg("still", ("Ready",), {"Ready": StateDef()}, time_ns=at + 1),
        PipeMsg("add", "client", "Ready", "server", "Start", time_ns=at),
        PipeMsg("remove", "client", "Ready", "server", "Start", time_ns=at + 1),
        PipeMsg("add", "client", "Ready", "still", "Ready", time_ns=at + 2),
        TxMsg("server", "-0", (0, 0, 0), called=(0,), is_queued=True, queue=1, mut_queue_tick=1,
              time_ns=at + 10, stack="main.py:7"),
        TxMsg("server", "00000000000000a1", (1, 0, 0), called=(0,), queue_tick=1, time_ns=at + 20,
              steps=(Step(CALLED, target=0), Step(ACTIVATE, target=0),
                     Step(RELATION, source=0, target=1, relation=1), Step(HANDLER)),
              logs=(LogLine(3, "[add] Start"), LogLine(2, "[state] +Start"))),
        TxMsg("client", "00000000000000b1", (1,), called=(0,), time_ns=at + 25, is_auto=True,
              source=SourceRef("server", "00000000000000a1", 1), args={"port": "80", "id": "x"}),
        GapMsg(12, "outbox full", "server", at + 26, at + 27),
        GapMsg(3, "collector gone", until_ns=at + 99),
        TxMsg("server", "00000000000000a2", (1, 1, 0), called=(1,), queue_tick=2, time_ns=at + 30,
              args={"id": "client"}, mut_queue_token=(1 << 64) - 1,
              steps=(Step(HANDLER, target=1, is_final=True, is_enter=True, data="HandshakeDone"),)),
        TxMsg("server", "00000000000000a3", (1, 1, 0), 1, (2,), accepted=False, time_ns=at + 40,
              steps=(Step(CANCEL, target=2, is_self=True),), pre_logs=(LogLine(1, "[exter] é\\n"),),
              reason=Reason("veto", "Exception", ("Start",), "ExceptionExit", "b1", "no"),
              source=SourceRef("a/b", "c/d", 9)),
        PipeMsg("add", "client", "Ready", "server", "Exception", time_ns=at + 41),
        PipeMsg("add", "client", "Ready", "server", "Exception", True, time_ns=at + 42),
        GoneMsg("client", at + 50),
    )  # fmt: skip


def packed(dump: MemoryDump) -> bytes:
    from amctl.dump.gob import encode_gob

    return encode_gob(dump, VERSION)


def opened(data: bytes) -> bytes:
    """The gob stream in a file."""
    return bytes(inflate(data, 1 << 30, "test"))


def stream_of(value: Any, types: Iterable[TypeDef] = TYPES.values(), top: int = DUMP) -> bytes:
    """A stream of any types."""
    table: Mapping[int, TypeDef] = {one.id: one for one in types}
    return bytes(encode_stream(value, top, table))
