"""Logs: one JSON object per line on standard error, with ids of what caused what, and without people."""

import logging
import sys
from typing import Any, BinaryIO

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
    stream = stream or sys.stderr.buffer
    structlog.configure(
        processors=[_service(service), *shared_steps, structlog.processors.JSONRenderer(serializer=_dump)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(_Text(stream))
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


class _Text:
    """The text side of a binary stream, for the standard library's logging."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        self._stream.write(text.encode())

    def flush(self) -> None:
        self._stream.flush()
