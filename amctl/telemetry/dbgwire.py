"""The debug wire, version 1: how recordings travel from machines to a collector.

One byte stream: TCP, or the binary messages of a WebSocket, whose borders mean nothing. It is cut
into frames of 4 bytes of length (big-endian) and one msgpack array:

    sender    -> HELLO [0, "amctl-dbg", 1, token, stream_id, name, now_ns], first of all
                 BATCH [1, first, [message, ...]]
                 BYE   [3]: nothing more comes; asks for a last ACK, then the collector closes
    collector -> WELCOME [0, 1, now_ns, next], the answer to HELLO; or REFUSED [1, text], and closes
                 ACK   [2, next], once everything before `next` is on disk

A stream outlives its connections. Its messages are numbered from 0, all but schemas; `first` is the
number of a batch's first numbered message, `next` that of the first one which isn't committed yet.
After WELCOME the sender goes on from `next`. What belongs to one connection only: machine numbers,
and clocks as increments. So every connection begins anew with schemas and with whole vectors. A
HELLO ends the stream's older connection: what still comes through that one was not acknowledged,
and is on its way again. A number that is committed already is dropped, but its clocks count.

    schema [0, mach, machine_id, [name...], [[flags, require, add, remove, after, [tag...]]...],
            parent, [tag...], {group: [idx...]}, [group...], time_ns]
    tx     [1, mach, id, flags, [called idx...], delta, queue_tick, time_ns, queue, source, extra]
    pipe   [2, kind (0 add, 1 remove), source, source_state, target, target_state, gone, time_ns]
    gap    [3, count, why, machine_id, since_ns, until_ns]
    gone   [4, machine_id, time_ns]

State flags: 1 auto, 2 multi. Relations are indexes; a state that isn't among the names is named.
A tx id is an int (16 hex digits), [int, n] (the n-th one queued after it), or text. Flags of a tx:
2 bits of type, 4 auto, 8 accepted, 16 check, 32 queued, 64 delta is the whole vector. A delta is
flat, [idx, increment, ...], against the tx of this machine before it; never the first one after a
schema. The source is nil or [machine_id, tx id, time]. `extra` is nil or a map of what there is:

    mq mut_queue_tick    mt mut_queue_token    lo, pl logs, pre_logs [[level, text]...]
    st steps, flat [type, source, target, relation, bits (1 final, 2 self, 4 enter), ...]
    sd {step number: its data}    ar {name: text}    re [kind, state, [by], handler, binding, text]
    sk stack

Receivers ignore keys that they don't know, and fields beyond these. Who sends anything else gets
an error that says where, and has lost the connection.
"""

from __future__ import annotations

from amctl.telemetry._dbgdecode import StreamDecoder
from amctl.telemetry._dbgencode import StreamEncoder
from amctl.telemetry._dbgframes import (
    GAP,
    GONE,
    MAX_BATCH,
    MAX_FRAME,
    MAX_HELLO,
    MAX_MESSAGE,
    MAX_STATES,
    PIPE,
    SCHEMA,
    TX,
    TX_ACCEPTED,
    TX_AUTO,
    TX_CHECK,
    TX_FULL,
    TX_QUEUED,
    TX_TYPE,
    VERSION,
    Ack,
    Batch,
    Bye,
    FrameReader,
    Hello,
    Refused,
    Welcome,
    ack_frame,
    batch_frame,
    best_codec,
    bye_frame,
    hello_frame,
    read_collector,
    read_sender,
    refused_frame,
    welcome_frame,
)

__all__ = [
    "GAP",
    "GONE",
    "MAX_BATCH",
    "MAX_FRAME",
    "MAX_HELLO",
    "MAX_MESSAGE",
    "MAX_STATES",
    "PIPE",
    "SCHEMA",
    "TX",
    "TX_ACCEPTED",
    "TX_AUTO",
    "TX_CHECK",
    "TX_FULL",
    "TX_QUEUED",
    "TX_TYPE",
    "VERSION",
    "Ack",
    "Batch",
    "Bye",
    "FrameReader",
    "Hello",
    "Refused",
    "StreamDecoder",
    "StreamEncoder",
    "Welcome",
    "ack_frame",
    "batch_frame",
    "best_codec",
    "bye_frame",
    "hello_frame",
    "read_collector",
    "read_sender",
    "refused_frame",
    "welcome_frame",
]
