"""The servers of a world: the real ones, with what it takes to break them."""

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from operations.embedded.child import HOST
from operations.embedded.servers import Mongod, NatsServer

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
USER, PASSWORD = "chaos", "right"


class Nats(NatsServer):
    """A nats-server with a password that may change at its next start."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, sync_always=True)
        self.password = PASSWORD
        self.url = f"nats://{USER}:{PASSWORD}@{HOST}:{self.port}"

    def _config(self) -> str:
        return f"{super()._config()}authorization {{ user: {USER}, password: {self.password} }}\n"


class NotHere(Exception):  # noqa: N818 -- the name says what is wrong
    """This machine cannot produce the fault; the message says why."""


class Clocked(Mongod):
    """A mongod whose clock can jump."""

    def __init__(self, folder: Path, *, faketime: bool) -> None:
        super().__init__(folder, enable_test_commands=True)
        self._clock = clock(folder, "mongod") if faketime else {}

    def _command(self) -> list[str]:
        return ["/usr/bin/env", *(f"{name}={value}" for name, value in self._clock.items()), *super()._command()]


def clock(folder: Path, whose: str) -> dict[str, str]:
    """Return the environment that fakes a process's clock; raises NotHere."""
    if not FAKETIME.exists():
        raise NotHere("libfaketime is not installed")
    return {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(folder / f"clock-{whose}"),
        # Reading the file at each call would be too slow.
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def make_keys(folder: Path) -> None:
    """Create the keys for tokens, if there are none yet."""
    if folder.exists():
        return
    folder.mkdir()
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "token-private.pem").write_bytes(private)
    (folder / "token-public.pem").write_bytes(public)
