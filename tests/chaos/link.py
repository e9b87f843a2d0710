"""A network link that can break: a TCP proxy between two programs."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress

HOST = "127.0.0.1"


class Link:
    """Passes on what comes, until it is told to fail; `heal` lets what it held go on, as the network would."""

    def __init__(self, target: Callable[[], int]) -> None:
        """`target` tells the port of the server at any time."""
        self._target = target
        self._port = 0
        self._server: asyncio.Server | None = None
        self._open: dict[str, asyncio.Event] = {"up": asyncio.Event(), "down": asyncio.Event()}
        self._delay = 0.0
        self._cut_after: int | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self.cuts = 0
        """How many connections were cut in the middle."""

    @property
    def port(self) -> int:
        """Where it listens; the same one all the time."""
        return self._port

    async def start(self) -> None:
        """Listen, and pass on."""
        for direction in self._open.values():
            direction.set()
        if self._server is None:
            listening = socket.create_server((HOST, self._port))
            self._port = listening.getsockname()[1]
            self._server = await asyncio.start_server(self._connected, sock=listening)

    async def refuse(self) -> None:
        """Nobody listens, and what is connected is reset."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._reset()

    def black_hole(self) -> None:
        """Bytes go in and do not come out, in both directions."""
        self._open["up"].clear()
        self._open["down"].clear()

    def half_open(self) -> None:
        """What is asked arrives; what is answered does not."""
        self._open["down"].clear()

    def delay(self, seconds: float) -> None:
        """Everything takes this much longer, in each direction."""
        self._delay = seconds

    def cut_after(self, sent: int) -> None:
        """Reset each connection in the middle of whatever it sends, after so many more bytes."""
        self._cut_after = sent

    async def heal(self) -> None:
        """The network is as it should be; connections that had stalled go on."""
        self._delay, self._cut_after = 0.0, None
        await self.start()

    async def close(self) -> None:
        """End it."""
        await self.refuse()
        for task in list(self._pumps):
            task.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    def _reset(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self._target())
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        pumps = [
            asyncio.create_task(self._pump("up", reader, far_writer, writer)),
            asyncio.create_task(self._pump("down", far_reader, writer, far_writer)),
        ]
        self._pumps |= set(pumps)
        await asyncio.gather(*pumps, return_exceptions=True)
        self._pumps -= set(pumps)
        self._writers -= {writer, far_writer}

    async def _pump(
        self, direction: str, source: asyncio.StreamReader, sink: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        left = self._cut_after
        with suppress(OSError):
            while chunk := await source.read(65536):
                await self._open[direction].wait()
                if self._delay:
                    await asyncio.sleep(self._delay)
                if direction == "up" and self._cut_after is not None:
                    left = self._cut_after if left is None else left
                    if (left := left - len(chunk)) <= 0:
                        sink.write(chunk[: len(chunk) + left])
                        await sink.drain()
                        self.cuts += 1
                        break
                sink.write(chunk)
                await sink.drain()
        # Whoever closes closes both ways here; half-closed connections are not what we are after.
        for writer in (sink, back):
            with suppress(OSError, RuntimeError):
                writer.close()
