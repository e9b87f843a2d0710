# ruff: noqa: INP001 -- a script of its own, mounted into the image
"""Create missing secrets, each in the volume of the container that needs it; docker-compose.yml runs this first.

Every volume below /secrets except `mongo` and `nats` belongs to a client: a service, `setup` or `operator`. The URI in
it is the only source of the client's password; the servers' files are rebuilt from these URIs every time. So to renew a
secret, except root's password, delete its file and run `docker compose up --force-recreate`. The certificate key can
also be renewed by `docker compose run --rm secrets --rotate-certificate-key` and `docker compose restart membership`.
Either way its public key is kept, and the certificates it has signed stay valid.
"""

import json
import os
import re
import secrets
from argparse import ArgumentParser
from base64 import b64encode
from pathlib import Path
from urllib.parse import urlsplit

from shared.web.tokens import new_keys, public_key_of

ROOT, MONGODB, ASSKOMM = 0, 999, 10001
"""The users that the containers run as; MONGODB is fixed by the image of MongoDB, ASSKOMM by our Dockerfile."""

SECRETS = Path("/secrets")
SERVERS = {"mongo", "nats"}


def main() -> None:
    """Create missing secrets; running it again changes nothing."""
    parser = ArgumentParser(description="Create missing secrets.")
    parser.add_argument("--rotate-certificate-key", action="store_true", help="sign certificates with a new key")
    given = parser.parse_args()
    clients = sorted(folder.name for folder in SECRETS.iterdir() if folder.name not in SERVERS)
    for client in clients:
        make_uris(client)
    make_keys(clients)
    make_certificate_keys(rotate=given.rotate_certificate_key)
    write_mongo_secrets(clients)
    write_nats_secrets(clients)


def make_uris(client: str) -> None:
    """Create a client's server URIs, with its passwords."""
    mongo, nats = SECRETS / client / "mongo_uri", SECRETS / client / "nats_url"
    if not mongo.exists():
        for_client(mongo, f"mongodb://{client}:{secrets.token_hex(24)}@mongo:27017/?replicaSet=rs0&authSource=admin")
    if not nats.exists():
        for_client(nats, f"nats://{client}:{secrets.token_hex(24)}@nats:4222")


def make_keys(clients: list[str]) -> None:
    """Create the keys for bearer tokens: all clients verify tokens, only the operator issues them."""
    private, public = (SECRETS / "operator" / name for name in ("token_private_key", "token_public_key"))
    if not (private.exists() and public.exists()):
        for file, pem in zip((private, public), new_keys(), strict=True):
            for_client(file, pem)
    for client in clients:
        for_client(SECRETS / client / public.name, public.read_text())


def make_certificate_keys(*, rotate: bool) -> None:
    """Create the certificate key: only membership signs; the operator keeps all public keys, old and new."""
    private, retired = (SECRETS / "membership" / name for name in ("certificate_key", "certificate_retired_keys"))
    known = SECRETS / "operator" / "certificate_public_keys"
    if rotate:
        private.unlink(missing_ok=True)
    if not private.exists():
        for_client(private, new_keys()[0])
    current = public_key_of(private.read_text())
    ever = dict.fromkeys([*public_keys(retired), *public_keys(known), current])
    for_client(known, "".join(ever))
    for_client(retired, "".join(key for key in ever if key != current))


def public_keys(file: Path) -> list[str]:
    """Return the public keys in a file, as PEM; none if the file does not exist yet."""
    return re.findall(r"-----BEGIN.+?-----END PUBLIC KEY-----\n", file.read_text(), re.DOTALL) if file.exists() else []


def write_mongo_secrets(clients: list[str]) -> None:
    """Write the replica set key, root's password, and the passwords of the users that mongo-setup.js creates."""
    folder = SECRETS / "mongo"
    for file, content in (
        (folder / "keyfile", b64encode(secrets.token_bytes(512)).decode()),
        (folder / "root_password", secrets.token_hex(24)),
    ):
        if not file.exists():
            write(file, content, MONGODB, MONGODB, 0o400)
    write(folder / "users.json", json.dumps(passwords(clients, "mongo_uri")), MONGODB, MONGODB, 0o400)


def write_nats_secrets(clients: list[str]) -> None:
    """Write the passwords as variables for nats.conf, which defines the users and their permissions."""
    lines = [f'{client}_password: "{password}"' for client, password in passwords(clients, "nats_url").items()]
    write(SECRETS / "nats" / "passwords.conf", "\n".join(lines), ROOT, ROOT, 0o400)


def passwords(clients: list[str], file: str) -> dict[str, str]:
    """Return the password of each client, taken from its URI."""
    return {client: str(urlsplit((SECRETS / client / file).read_text()).password) for client in clients}


def for_client(file: Path, content: str) -> None:
    """Write a file that its client may read and nobody may change."""
    write(file, content, ROOT, ASSKOMM, 0o440)


def write(file: Path, content: str, owner: int, group: int, mode: int) -> None:
    """Write a file atomically, so that nobody ever reads half a secret."""
    new = file.with_name(f".{file.name}")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as opened:
        opened.write(content)
    os.chown(new, owner, group)
    new.replace(file)


if __name__ == "__main__":
    main()
