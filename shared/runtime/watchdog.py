"""A thread that ends the process when its event loop, or its connection to NATS, is beyond repair.

Three faults of the libraries (a frozen loop after failed reconnects, a wedge after a refused one, a dead connection)
heal only by a new process; whoever supervises us starts one.
"""

import asyncio
import os
import threading
import time

import structlog

from shared.nats.connection import Broker

EXIT_STATUS = 70
FROZEN_SECONDS = 5.0
AWAY_SECONDS = 120.0

log = structlog.get_logger()


class Watchdog:
    """Ends the process with EXIT_STATUS after FROZEN_SECONDS without a heartbeat or AWAY_SECONDS without NATS."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._beat = self._connected = time.monotonic()
        self._watching = False

    async def run(self) -> None:
        """Beat until cancelled, while a thread listens."""
        self._watching = True
        threading.Thread(target=self._listen, daemon=True, name="watchdog").start()
        try:
            while True:
                self._beat = time.monotonic()
                if self._broker.connected:
                    self._connected = self._beat
                await asyncio.sleep(0.5)
        finally:
            # An orderly stop may take its time.
            self._watching = False

    def _listen(self) -> None:
        while self._watching:
            time.sleep(0.5)
            now = time.monotonic()
            if now - self._beat > FROZEN_SECONDS:
                self._end("the event loop is frozen")
            if now - self._connected > AWAY_SECONDS:
                self._end("nats has been away for too long")

    def _end(self, reason: str) -> None:
        log.critical("watchdog ends the process", reason=reason)
        os._exit(EXIT_STATUS)
