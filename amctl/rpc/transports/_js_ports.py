"""Bytes through MessagePorts with one step from JavaScript to Python and back a message.

Each such step costs more than all that JavaScript does for a message: an attribute of an event, an
object wrapped for the other side, a call. So JavaScript does what is its own, and bytes cross in a
piece of Python's memory that both sides see; what is said is a number, how many they are. What
Python answers at once goes the same way, as what its function returns: posted from below Python, a
message takes twice the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.rpc.transports._js import JsPort

__all__ = ["ROOM", "BytesPort", "Ports"]

ROOM = 128 << 10
"""Bytes of the memory: twice what a connection hands over at a time."""
_OWN = """(memory) => {
  const SMALL = 4096;
  let shown, room;
  // when Python's memory grows, nobody sees the old one any more
  const look = () => {
    if (room?.length) return room;
    shown?.release();
    return room = (shown = memory.getBuffer("u8")).data;
  };
  return (port) => {
    const post = (size) => {
      const { buffer } = look().slice(0, size);
      // to hand over so few bytes takes longer than to copy them
      if (size <= SMALL) port.postMessage(buffer);
      else port.postMessage(buffer, [buffer]);
    };
    const hear = (take, tell) => {
      port.onclose = tell;
      port.onmessage = (event) => {
        const { data } = event;
        if (!(data instanceof ArrayBuffer)) { tell(event); return; }
        for (let at = 0; at < data.byteLength && port.onmessage; at += look().length) {
          const size = Math.min(look().length, data.byteLength - at);
          look().set(new Uint8Array(data, at, size));
          const answer = take(size);
          if (answer) post(answer);
        }
      };
    };
    return { post, hear };
  };
}"""


class BytesPort(Protocol):
    """A MessagePort that takes and gives what is in the memory."""

    def post(self, size: int) -> None:
        """Send so many bytes."""
        ...

    def hear(self, take: Any, tell: Any) -> None:
        """Begin to hear, what came before included.

        Args:
            take: A proxy; told how many bytes came, gives how many it answers, or 0. A message
                that is larger than the memory comes in pieces.
            tell: A proxy; gets the events of messages of another kind, and `close`.
        """
        ...


class Ports:
    """The memory of a thread, shared by all its ports: nobody uses it for longer than a call.

    Args:
        js: The module `js`.
        proxy: Lets JavaScript keep an object.
    """

    def __init__(self, js: Any, proxy: Callable[[Any], Any]) -> None:
        memory = bytearray(ROOM)
        self.memory = memoryview(memory)
        self._wrap = js.eval(_OWN)(proxy(memory))  # kept for as long as the thread lives

    def wrap(self, port: JsPort) -> BytesPort:
        """Carry bytes through a port."""
        return cast("BytesPort", self._wrap(port))
