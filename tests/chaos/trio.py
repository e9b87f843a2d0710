"""A replica set of three mongods, each under its own user, so that one can be isolated."""

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pymongo
from pymongo.errors import PyMongoError

from operations.embedded.child import HOST, answers
from operations.embedded.servers import Mongod

FIRST_USER = 61001
ELECTION_MILLISECONDS = 2000
WITHIN_SECONDS = 40.0


class Node(Mongod):
    """One member."""

    def __init__(self, folder: Path, number: int) -> None:
        super().__init__(folder / f"node-{number}", enable_test_commands=True)
        self.user = FIRST_USER + number

    def _command(self) -> list[str]:
        command = super()._command()
        for path in (self.folder, self.data_path):
            os.chown(path, self.user, self.user)
        return ["/usr/bin/setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", *command]

    def _is_ready(self) -> bool:
        return answers(self.port)


class Trio:
    """Can be started and stopped like a single server."""

    name = "mongod"

    def __init__(self, folder: Path) -> None:
        self.nodes = [Node(folder, number) for number in range(3)]
        self.data_path = folder / "mongod"
        self.uri = f"mongodb://{','.join(self._address(node) for node in self.nodes)}/?replicaSet=rs0"
        self._rules: list[list[str]] = []

    @property
    def port(self) -> int:
        return self.nodes[0].port

    def start(self) -> None:
        """Start all nodes, initiate the set, and wait for a primary."""
        for node in self.nodes:
            if not node.running:
                node.start()
        with pymongo.MongoClient[dict[str, Any]](HOST, self.nodes[0].port, directConnection=True) as client:
            members = [{"_id": number, "host": self._address(node)} for number, node in enumerate(self.nodes)]
            settings = {"electionTimeoutMillis": ELECTION_MILLISECONDS, "heartbeatIntervalMillis": 500}
            try:
                client.admin.command("replSetGetConfig")
            except PyMongoError:
                client.admin.command("replSetInitiate", {"_id": "rs0", "members": members, "settings": settings})
        self.primary()
        self._wait_for_all()

    def _wait_for_all(self) -> None:
        """Wait until the secondaries have caught up with the primary."""
        deadline = time.monotonic() + WITHIN_SECONDS
        while not all(self._is(node, "isWritablePrimary") or self._is(node, "secondary") for node in self.nodes):
            if time.monotonic() > deadline:
                raise TimeoutError("the nodes are no set")
            time.sleep(0.1)

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()

    def kill(self) -> None:
        self.reconnect()
        for node in self.nodes:
            node.kill()
            shutil.rmtree(node.folder, ignore_errors=True)

    def pause(self) -> None:
        for node in self.nodes:
            node.pause()

    def resume(self) -> None:
        for node in self.nodes:
            node.resume()

    @property
    def running(self) -> bool:
        return any(node.running for node in self.nodes)

    def primary(self) -> Node:
        """Return the current primary, waiting until there is one."""
        deadline = time.monotonic() + WITHIN_SECONDS
        while time.monotonic() < deadline:
            for node in self.nodes:
                if node.running and self._is(node, "isWritablePrimary"):
                    return node
            time.sleep(0.1)
        raise TimeoutError("there is no primary")

    def step_down(self) -> None:
        """Let the primary step down."""
        with pymongo.MongoClient[dict[str, Any]](HOST, self.primary().port, directConnection=True) as client:
            client.admin.command("replSetStepDown", 5, force=True)

    def cut_off(self, node: Node) -> None:
        """Isolate a node: it receives nothing, and nothing that it sends arrives."""
        self._rules = [
            ["OUTPUT", "-m", "owner", "--uid-owner", str(node.user), "-j", "DROP"],
            ["OUTPUT", "-p", "tcp", "--dport", str(node.port), "-j", "DROP"],
        ]
        for rule in self._rules:
            subprocess.run(["iptables", "-I", *rule], check=True)

    def reconnect(self) -> None:
        """Restore the network."""
        for rule in self._rules:
            subprocess.run(["iptables", "-D", *rule], check=False)
        self._rules = []

    def _address(self, node: Node) -> str:
        return f"{HOST}:{node.port}"

    def _is(self, node: Node, what: str) -> bool:
        try:
            with pymongo.MongoClient[dict[str, Any]](HOST, node.port, directConnection=True, timeoutMS=500) as client:
                return bool(client.admin.command("hello").get(what))
        except PyMongoError:
            return False
