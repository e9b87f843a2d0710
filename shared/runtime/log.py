"""Logs: one JSON object per line on standard error, with ids of what caused what, and without people."""

import asyncio
import atexit
import logging
import sys
import threading
from contextlib import suppress
from typing import Any, BinaryIO, cast

import msgspec
import structlog

_ENCODER = msgspec.json.Encoder(enc_hook=str)


def configure_logs(service: str, level: str = "info", stream: BinaryIO | None = None) -> None:
    """Make every logger of this process write JSON lines to `stream`, libraries from level warning on."""
    shared_steps: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Local variables are left out of tracebacks: they hold addresses.
        structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
    ]
    lines = cast("BinaryIO", _Lines(stream or sys.stderr.buffer))
    structlog.configure(
        processors=[_service(service), *shared_steps, structlog.processors.JSONRenderer(serializer=_dump)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(lines),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(_Text(lines))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_service(service), *shared_steps],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=lambda event, **_: _ENCODER.encode(event).decode()),
            ],
        ),
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _service(name: str) -> structlog.typing.Processor:
    def add(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event.setdefault("service", name)
        return event

    return add


def _dump(event: Any, **_: Any) -> bytes:
    return _ENCODER.encode(event)


class _Lines:
    """Writes all lines of one turn of the event loop at once; where none runs, and from other threads, each by itself.

    So nothing is lost but by SIGKILL, or `os._exit` without a word.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._waiting: list[bytes] = []
        self._lock = threading.Lock()
        self._called: asyncio.AbstractEventLoop | None = None
        """Whose turn is waited for."""
        atexit.register(self._write_out)

    def write(self, line: bytes) -> None:
        with self._lock:
            self._waiting.append(line)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._write_out()
            return
        if self._called is not loop:
            self._called = loop
            loop.call_soon(self._write_out)

    def flush(self) -> None:
        """Do nothing, as every write is flushed."""

    def _write_out(self) -> None:
        with self._lock:
            self._called = None
            if not self._waiting:
                return
            block, self._waiting = b"".join(self._waiting), []
            # A full disk or a closed pipe can no longer be reported.
            with suppress(OSError):
                self._stream.write(block)
                self._stream.flush()


class _Text:
    """The text side of a binary stream, for the standard library's logging."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        self._stream.write(text.encode())

    def flush(self) -> None:
        self._stream.flush()
