"""A breakable network link: a TCP proxy between two programs."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress

HOST = "127.0.0.1"


class Link:
    """Forwards bytes until it is told to fail; `heal` releases what it held, as a network would."""

    def __init__(self, target: Callable[[], int]) -> None:
        """`target` returns the current port of the server."""
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
        """The port it listens on, which never changes."""
        return self._port

    async def start(self) -> None:
        """Listen and forward."""
        for direction in self._open.values():
            direction.set()
        if self._server is None:
            listening = socket.create_server((HOST, self._port))
            self._port = listening.getsockname()[1]
            self._server = await asyncio.start_server(self._connected, sock=listening)

    async def refuse(self) -> None:
        """Refuse new connections and reset existing ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._reset()

    def black_hole(self) -> None:
        """Swallow all bytes, in both directions."""
        self._open["up"].clear()
        self._open["down"].clear()

    def half_open(self) -> None:
        """Forward requests, but not answers."""
        self._open["down"].clear()

    def delay(self, seconds: float) -> None:
        """Delay everything by this much, in each direction."""
        self._delay = seconds

    def cut_after(self, sent: int) -> None:
        """Reset each connection in the middle of a message, after so many more bytes."""
        self._cut_after = sent

    async def heal(self) -> None:
        """Restore the network; stalled connections continue."""
        self._delay, self._cut_after = 0.0, None
        await self.start()

    async def close(self) -> None:
        """Close the link."""
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
        # Closing one direction closes both here; half-closed connections are not tested.
        for writer in (sink, back):
            with suppress(OSError, RuntimeError):
                writer.close()
