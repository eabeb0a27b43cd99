"""Damaged and invented frames for every decoder of the wire: aRPC's two ends, and tunnels.

Whatever arrives, nothing is raised; a connection that ends says why in a BYE; what is held stays
within the limits; other clients of the same hub go on, and the damaged one may come again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from amctl.rpc.wire import Call, ClientCore, Conn, Kind, Limits, Op, Sync
from amctl.rpc.wire.codec import Codec, decode, native_codec, pure_codec
from amctl.rpc.wire.errors import Backpressure, DecodeError, ProtocolError
from amctl.rpc.wire.framer import Framer, frame, varint
from amctl.rpc.wire.messages import ARRAYS, MAPS, ByeBody
from tests.fuzz.fuzzer import Fuzzer, cut_up, damaged
from tests.rpc.wire.pairs import TOKEN, Pair, hello
from tests.rpc.wire.tunnel_world import SMALL, both

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.rpc.wire.tunnel import TunnelCore

__all__ = ["FrameFuzzer"]

LIMITS = replace(
    Limits(), hello=1 << 10, frame=8 << 10, message=32 << 10, chunk=512, window_bytes=4 << 10,
    window_frames=64, queue_bytes=64 << 10, answers=8 << 10, steps=32, subscriptions=16,
)  # fmt: skip
MOST = LIMITS.message * 2 + LIMITS.window_bytes * 8 + LIMITS.queue_bytes + LIMITS.frame
"""Bytes that a session may hold."""
SYNCS = (
    Sync(),
    Sync(schema=False, allowed=("a", "c")),
    Sync(steps=True),
    Sync(shallow=True, skipped=("b",)),
)
NUMBERS = (0, 1, 2, 3, 7, 45, 127, 128, 255, 256, 65535, 65536, 1 << 31, 1 << 32, (1 << 63) - 1,
           1 << 63, (1 << 64) - 1, -1, -(1 << 63))  # fmt: skip
WORDS = ("", "a", "b", "arpc", "rc-a", "../a", "x" * 64, "x" * 500, "\x00", "\U0001f525")
PURE = pure_codec()
NATIVE = native_codec()


class FrameFuzzer(Fuzzer):
    """Cases for one decoder after another, by chance."""

    def case(self) -> None:
        """One of the six."""
        rng = self.rng
        name, fuzz = rng.choice(
            [
                ("framer", self.framer),
                ("codec", self.codec),
                ("hello", self.hello),
                ("server", self.server),
                ("server", self.server),
                ("client", self.client),
                ("client", self.client),
                ("tunnel", self.tunnel),
            ]
        )
        self.counts[name] += 1
        fuzz()

    # -- what is sent

    def value(self, depth: int = 0) -> Any:
        """Something that msgpack can say."""
        rng = self.rng
        kind = rng.randrange(9 if depth < 4 else 6)
        if kind == 0:
            return rng.choice((None, True, False, 1.5, float("inf"), float("nan")))
        if kind <= 3:
            return rng.choice(NUMBERS)
        if kind == 4:
            return rng.choice(WORDS)
        if kind == 5:
            return rng.randbytes(rng.choice((0, 1, 16, 400)))
        size = rng.choice((0, 1, 2, 3, 8))
        if kind == 6:
            return {rng.choice(WORDS + NUMBERS): self.value(depth + 1) for _ in range(size)}
        return [self.value(depth + 1) for _ in range(size)]

    def body(self) -> bytes:
        """A body that is nearly right, or not at all."""
        rng = self.rng
        if rng.random() < 0.2:
            return rng.randbytes(rng.choice((0, 1, 2, 5, 9, 40)))
        if rng.random() < 0.4:
            op, states = rng.choice(NUMBERS[:10]), [rng.choice(NUMBERS) for _ in range(3)]
            return PURE.pack([op, states, self.value(), rng.choice(WORDS), 0, b"t"])
        return damaged(rng, PURE.pack(self.value()))

    def invented(self, n: int) -> bytes:
        """Frames of any kind; numbered ones bear the number that is expected, mostly."""
        rng, out = self.rng, b""
        for _ in range(rng.randint(1, 6)):
            kind = rng.choice((*map(int, Kind), 0, 6, 63, 255))
            body = self.body()
            if 16 <= kind <= 21 and rng.random() < 0.9:
                n += 1
                body = bytes((n & 255,)) + body
            out += frame(kind, body)
        return out

    def feed(self, data: bytes, take: Callable[[bytes], Any]) -> None:
        """Hand it over in pieces."""
        for piece in cut_up(self.rng, data):
            take(piece)

    # -- who gets it

    def framer(self) -> None:
        """Any cutting of a stream gives the same frames and the same error."""
        rng = self.rng
        stream = b"".join(frame(rng.randrange(256), rng.randbytes(rng.choice((0, 1, 126, 300))))
                          for _ in range(rng.randint(1, 9)))  # fmt: skip
        data, cap = damaged(rng, stream), rng.choice((16, 200, 1 << 14))
        whole, pieces = _frames([data], cap), _frames(cut_up(rng, data), cap)
        if whole != pieces:
            self.problem("frames depend on how the stream is cut", data)

    def codec(self) -> None:
        """Both codecs make the same of the same bytes, for every body."""
        rng = self.rng
        data = damaged(rng, PURE.pack([self.value() for _ in range(rng.randrange(9))]))
        body = rng.choice(ARRAYS + MAPS)
        ours = _outcome(PURE, data, body)
        if NATIVE is not None and repr(_outcome(NATIVE, data, body)) != repr(ours):
            self.problem(f"codecs differ on {body.__name__}", data)

    def hello(self) -> None:
        """A stranger's first words."""
        rng = self.rng
        pair = Pair(connect=False, limits=LIMITS)
        good = hello(id=rng.choice(WORDS), inst=rng.choice(WORDS), recv=rng.choice(NUMBERS[:17]))
        data = rng.choice((damaged(rng, good), self.invented(0), rng.randbytes(50)))
        self.feed(data, pair.serve)
        if pair.conn.framer.pending > LIMITS.hello + 4 and pair.conn.session is None:
            self.problem("a stranger's bytes are kept beyond the limit", data)
        self.ended(pair.conn.closed, pair.conn.data_to_send(), data)

    def server(self) -> None:
        """A client that has the token and goes mad."""
        rng = self.rng
        pair = Pair(limits=LIMITS, sync=rng.choice(SYNCS), run=False)
        other = Conn(pair.hub, 0.0)
        other.receive_data(hello(id="rc-other"), 0.0)
        other.data_to_send()
        good = self.calls(pair.client)
        data = rng.choice((damaged(rng, good), good + self.invented(pair.client.sent)))
        self.feed(data, lambda piece: self.host(pair, piece))
        session = pair.hub.sessions.get("rc-a")
        if session is not None and session.memory() > MOST:
            self.problem(f"a session holds {session.memory()} bytes", data)
        self.ended(pair.conn.closed, pair.conn.data_to_send(), data)
        self.goes_on(pair, other, data)

    def host(self, pair: Pair, data: bytes) -> None:
        """What a host does with calls: run them, late now and then."""
        events = pair.conn.receive_data(data, pair.now)
        for session, event in events:
            if isinstance(event, Call) and session is not None and not session.ended:
                if event.op in (Op.ADD, Op.REMOVE, Op.SET, Op.TOGGLE):
                    places = [pair.toy.names.index(name) for name in event.states]
                    pair.toy.run(event.op, places, {"veto": 0})
                if event.wants:
                    session.reply(0)
                else:
                    session.ran()

    def calls(self, client: ClientCore) -> bytes:
        """What a good client would send now."""
        rng = self.rng
        for _ in range(rng.randint(1, 5)):
            states = [rng.randrange(len(client.names) or 1)]
            args = rng.choice((None, {}, {"x": 1}, {"x": b"q" * 900}))
            try:
                kind = rng.randrange(4)
                if kind == 0:
                    client.batch([(Op.ADD, states, args), (Op.SET, states, None)])
                elif kind == 1:
                    client.subscribe(rng.randrange(9), states[0], {"x": 1})
                else:
                    client.call(rng.randrange(10), states, args, wants=rng.random() < 0.7)
            except Backpressure:
                break
        return client.data_to_send(1 << 20)

    def goes_on(self, pair: Pair, other: Conn, data: bytes) -> None:
        """The client beside, and the same one anew."""
        number = PURE.pack([int(Op.NOP), []])
        events = other.receive_data(frame(Kind.CALL, b"\x01", number), pair.now)
        for session, event in events:
            if isinstance(event, Call) and session is not None:
                session.reply(0)
        if other.closed or Kind.REPLY not in _kinds(other.data_to_send()):
            self.problem("another client of the hub was harmed", data)
        pair.conn.connection_lost(pair.now)
        fresh = ClientCore("rc-a", TOKEN, attempt=1 << 40)
        pair.connect(fresh)
        if not fresh.open:
            self.problem("the client can't come again", data)

    def client(self) -> None:
        """A server that goes mad."""
        rng = self.rng
        pair = Pair(limits=LIMITS, sync=rng.choice(SYNCS))
        self.calls(pair.client)
        pair.toy.run(Op.TOGGLE, [0, 1])
        pair.session.send_payload("p", rng.choice((1, b"x" * 900)))
        good = pair.conn.data_to_send(1 << 20)
        data = rng.choice((damaged(rng, good), good + self.invented(pair.session.sent)))
        core = pair.client
        self.feed(data, lambda piece: core.receive_data(piece, pair.now))
        if core.memory() > MOST:
            self.problem(f"a client holds {core.memory()} bytes", data)
        core.tick(pair.now + 1)
        self.ended(not core.attached, core.data_to_send(), data, said=False)
        if not core.terminal:
            pair.cut()
            pair.connect()
            if core.open and list(core.view) != pair.session.view.tolist():
                self.problem("the mirror differs after a good connection", data)

    def tunnel(self) -> None:
        """Either end of a tunnel hears nonsense."""
        rng = self.rng
        ends = both(SMALL)
        mad, good = ends if rng.random() < 0.5 else ends[::-1]
        for core in ends:
            number = core.open("peer")
            core.send(number, rng.randbytes(40))
        data = mad.data_to_send(1 << 20)
        for _ in range(rng.randint(0, 5)):
            kind = rng.choice((32, 33, 34, 35, 3, 4, 5, rng.randrange(256)))
            channel = varint(rng.choice((0, 1, 2, 3, 4, 9, 127, 128, 1 << 31)))
            data += frame(kind, channel, self.body()[:900])
        data = damaged(rng, data)
        self.feed(data, lambda piece: _heard(good, piece))
        most = SMALL.frame + SMALL.channels * SMALL.window * 2 + SMALL.control + (1 << 12)
        if good.memory() > most:
            self.problem(f"a tunnel holds {good.memory()} bytes", data)
        self.ended(good.closed, good.data_to_send(), data, said=False)

    def ended(self, closed: bool, out: bytes, data: bytes, *, said: bool = True) -> None:
        """Who hangs up tells why, in a frame that can be read."""
        self.counts["closed" if closed else "open"] += 1
        frames = Framer(1 << 20).feed(out)
        byes = [one for one in frames if one[0] == Kind.BYE]
        for one in byes:
            decode(one[1:], ByeBody)
        if said and closed and len(byes) != 1 and Kind.BYE not in _kinds(data):
            self.problem("a connection ended without a word", data)


def _heard(core: TunnelCore, data: bytes) -> None:
    for event in core.receive_data(data, 0.0):
        piece = getattr(event, "data", b"")
        if piece:
            core.consumed(event.channel, len(piece))  # type: ignore[union-attr]


def _frames(pieces: list[bytes], cap: int) -> tuple[list[bytes], int]:
    """The frames before the first error, and what kind of error it was."""
    framer, found = Framer(cap), []
    joined = b""
    for piece in pieces:
        joined += piece
        try:
            found += framer.feed(piece)
        except ProtocolError as error:
            # those before the error in the same piece are lost with the connection
            return _before(joined, cap), error.code
    return found, -1


def _before(data: bytes, cap: int) -> list[bytes]:
    framer, found = Framer(cap), []
    for i in range(len(data)):
        try:
            found += framer.feed(data[i : i + 1])
        except ProtocolError:
            break
    return found


def _kinds(data: bytes) -> list[int]:
    try:
        return [one[0] for one in Framer(1 << 30).feed(data)]
    except ProtocolError:
        return [Kind.BYE]


def _outcome(raw: Codec, data: bytes, body: Any) -> Any:
    from amctl.rpc.wire import codec

    before = codec._codec
    codec._use(raw)
    try:
        return decode(data, body)
    except DecodeError:
        return DecodeError
    finally:
        codec._use(before)
