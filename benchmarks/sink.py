"""A fast mail server, used by all variants: it accepts everything at once and stores nothing."""

import asyncio
import sys
from collections.abc import Callable
from typing import cast

import uvloop

from operations.embedded.child import HOST, Server, answers


class Sink(asyncio.Protocol):
    """A mail server that passes each email to `take`."""

    def __init__(self, take: Callable[[bytes], None] = lambda _: None) -> None:
        self._take, self._buffer, self._in_data = take, b"", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the greeting."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer all complete commands in one write."""
        self._buffer, said = self._buffer + data, list[bytes]()
        while True:
            part, end, rest = self._buffer.partition(b"\r\n.\r\n" if self._in_data else b"\r\n")
            if not end:
                break
            self._buffer = rest
            said.append(self._email(part) if self._in_data else self._command(part[:4].upper()))
        self._transport.write(b"".join(said))

    def _email(self, content: bytes) -> bytes:
        self._in_data = False
        self._take(content)
        return b"250 taken\r\n"

    def _command(self, verb: bytes) -> bytes:
        self._in_data = verb == b"DATA"
        if verb == b"QUIT":
            return b"221 bye\r\n"
        if verb == b"EHLO":
            return b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
        return b"354 go on\r\n" if self._in_data else b"250 well\r\n"


class SinkServer(Server):
    """Run the sink in its own process."""

    name = "sink"

    def _command(self) -> list[str]:
        return [sys.executable, "-m", __name__, str(self.port)]

    def _is_ready(self) -> bool:
        return answers(self.port, b"220 ")


async def serve(port: int) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Sink, HOST, port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
