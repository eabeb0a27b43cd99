"""Frames of the debug wire, and the few messages about the stream itself. See `dbgwire`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from amctl.rpc.wire.codec import Codec, native_codec, pure_codec
from amctl.rpc.wire.errors import DecodeError
from amctl.telemetry.errors import DbgWireError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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

MAGIC: Final = "amctl-dbg"
VERSION: Final = 1
MAX_FRAME: Final = 8 << 20
"""Bytes of a frame, its length aside."""
MAX_HELLO: Final = 16 << 10
"""Bytes of a frame before the peer is known; of every frame that a collector sends."""
MAX_MESSAGE: Final = 1 << 20
"""Bytes of one message; the sender leaves out what is longer, and says so."""
MAX_BATCH: Final = 10_000
"""Messages of one batch."""
MAX_STATES: Final = 16_384
"""States of one machine."""
MAX_TEXT: Final = 1024
"""Characters of names and texts about the stream itself."""

SCHEMA, TX, PIPE, GAP, GONE = range(5)
"""What the first field of a message says."""
TX_TYPE, TX_AUTO, TX_ACCEPTED, TX_CHECK, TX_QUEUED, TX_FULL = 3, 4, 8, 16, 32, 64
"""Flags of a transition."""

_HELLO, _BATCH, _BYE = 0, 1, 3
_WELCOME, _REFUSED, _ACK = 0, 1, 2
_HEAD = 4


class Hello(NamedTuple):
    """Who wants to send. A version other than ours is for the collector to refuse."""

    version: int
    token: str
    stream_id: str
    name: str
    now_ns: int


class Batch(NamedTuple):
    """Messages, raw; `first` is the number of the first numbered one among them."""

    first: int
    messages: list[Any]


class Bye(NamedTuple):
    """Nothing more will come."""


class Welcome(NamedTuple):
    """The stream is taken, from `next` on."""

    version: int
    now_ns: int
    next: int


class Refused(NamedTuple):
    """The stream is not taken."""

    text: str


class Ack(NamedTuple):
    """Everything before `next` is safe."""

    next: int


def best_codec() -> Codec:
    """The fastest codec that is installed."""
    return native_codec() or pure_codec()


# --- writing


def hello_frame(codec: Codec, token: str, stream_id: str, name: str, now_ns: int) -> bytes:
    """The first frame of a sender."""
    return _frame(codec.pack([_HELLO, MAGIC, VERSION, token, stream_id, name, now_ns]))


def batch_frame(codec: Codec, first: int, messages: Sequence[bytes]) -> bytes:
    """A frame of messages that `StreamEncoder.encode` made, at most MAX_BATCH of them."""
    head = b"\x93\x01" + codec.pack(first) + b"\xdc" + len(messages).to_bytes(2, "big")
    size = len(head) + sum(map(len, messages))
    return b"".join((size.to_bytes(_HEAD, "big"), head, *messages))


def bye_frame(codec: Codec) -> bytes:
    """The last frame of a sender."""
    return _frame(codec.pack([_BYE]))


def welcome_frame(codec: Codec, now_ns: int, next: int) -> bytes:
    """The first frame of a collector."""
    return _frame(codec.pack([_WELCOME, VERSION, now_ns, next]))


def refused_frame(codec: Codec, text: str) -> bytes:
    """The only frame of a collector that doesn't want the stream."""
    return _frame(codec.pack([_REFUSED, text[:MAX_TEXT]]))


def ack_frame(codec: Codec, next: int) -> bytes:
    """Tells what is committed."""
    return _frame(codec.pack([_ACK, next]))


def _frame(body: bytes) -> bytes:
    return len(body).to_bytes(_HEAD, "big") + body


# --- reading


class FrameReader:
    """Cuts a byte stream into the msgpack arrays of its frames.

    Holds one partial frame at most, and has checked its length before. Values are of any type that
    msgpack has; `read_sender`, `read_collector` and `StreamDecoder` check them.

    Args:
        codec: What reads the arrays; None is the best one.
        cap: Bytes of a frame; may be changed at any time, once the peer is known say.
    """

    def __init__(self, codec: Codec | None = None, cap: int = MAX_HELLO) -> None:
        self._unpack = (codec or best_codec()).unpack
        self.cap = cap
        self._buffer = bytearray()
        self._need = _HEAD
        self._end = 0
        self.offset = 0
        """Where in the stream the last frame began."""

    @property
    def pending(self) -> int:
        """Bytes of the partial frame."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[list[Any]]:
        """Take bytes; yield each frame that is complete now. Read it to its end.

        Raises:
            DbgWireError: A frame is too long, or no array. The stream is void from there; the
                frames before it were yielded.
        """
        self._buffer += data
        if len(self._buffer) < self._need:
            return
        view, self._buffer, pos = bytes(self._buffer), bytearray(), 0
        while True:
            size = self._size(view, pos)
            if size < 0 or pos + size > len(view):
                break
            self.offset = self._end
            self._end += size
            frame = self._array(view[pos + _HEAD : pos + size])
            pos += size
            yield frame
        self._buffer += view[pos:]
        self._need = _HEAD if size < 0 else size

    def _size(self, view: bytes, pos: int) -> int:
        """Of the frame at `pos` with its head; -1 if that isn't there yet."""
        if len(view) - pos < _HEAD:
            return -1
        size = int.from_bytes(view[pos : pos + _HEAD], "big")
        if not 0 < size <= self.cap:
            raise DbgWireError(f"a frame of {size} bytes, at most {self.cap}", self._end)
        return size + _HEAD

    def _array(self, body: bytes) -> list[Any]:
        try:
            raw = self._unpack(body)
        except DecodeError as err:
            raise DbgWireError(err.text, self.offset) from None
        if type(raw) is not list or not raw or type(raw[0]) is not int:
            raise DbgWireError("a frame that is no array with a kind", self.offset)
        return raw


def read_sender(raw: list[Any], offset: int = 0) -> Hello | Batch | Bye:
    """What a sender's frame says.

    Args:
        raw: Of a FrameReader.
        offset: Its offset, for errors.

    Raises:
        DbgWireError: It says nothing that a sender may say.
    """
    kind, fields = raw[0], raw[1:]
    if kind == _BATCH and _fit(fields, int, list):
        if len(fields[1]) > MAX_BATCH:
            raise DbgWireError(f"{len(fields[1])} messages in a batch, at most {MAX_BATCH}", offset)
        return Batch(fields[0], fields[1])
    if kind == _BYE:
        return Bye()
    if kind == _HELLO and _fit(fields, str, int, str, str, str, int) and fields[0] == MAGIC:
        return Hello(*fields[1:6])
    raise DbgWireError(f"a sender can't say {raw!r:.80}", offset)


def read_collector(raw: list[Any], offset: int = 0) -> Welcome | Refused | Ack:
    """What a collector's frame says. See `read_sender`."""
    kind, fields = raw[0], raw[1:]
    if kind == _ACK and _fit(fields, int):
        return Ack(fields[0])
    if kind == _WELCOME and _fit(fields, int, int, int) and fields[0] == VERSION:
        return Welcome(*fields[:3])
    if kind == _REFUSED and _fit(fields, str):
        return Refused(fields[0])
    raise DbgWireError(f"a collector can't say {raw!r:.80}", offset)


def _fit(fields: list[Any], *kinds: type[Any]) -> bool:
    """Whether the fields begin with these types; ints unsigned, texts not too long."""
    if len(fields) < len(kinds):
        return False
    for value, kind in zip(fields, kinds, strict=False):
        if type(value) is not kind:
            return False
        if (kind is int and value < 0) or (kind is str and len(value) > MAX_TEXT):
            return False
    return True
