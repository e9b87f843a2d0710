"""The keys of an embedded system, in its folder; deploy/make_secrets.py does the same for containers."""

from pathlib import Path

from shared.kernel.errors import NotFound
from shared.web.tokens import new_keys, public_key_of


def token_keys(folder: Path) -> tuple[str, str]:
    """Return the keys that tokens are signed and checked with; make them in a new folder."""
    files = [folder / "token-private.pem", folder / "token-public.pem"]
    if not all(file.exists() for file in files):
        for file, pem in zip(files, new_keys(), strict=True):
            write_secret(file, pem.encode())
    private, public = (file.read_text() for file in files)
    return private, public


def certificate_keys(folder: Path) -> tuple[str, str]:
    """Return the private key of certificates, made in a new folder, and the public keys of its predecessors."""
    private, retired = _certificate_files(folder)
    if not private.exists():
        write_secret(private, new_keys()[0].encode())
    return private.read_text(), retired.read_text() if retired.exists() else ""


def rotate_certificate_key(folder: Path) -> None:
    """Make another key for certificates, used from the next start on; existing certificates stay valid."""
    private, retired = _certificate_files(folder)
    if not private.exists():
        raise NotFound(
            f"there is no certificate key in {folder}; in containers: docker compose run --rm secrets "
            "--rotate-certificate-key"
        )
    current, before = certificate_keys(folder)
    # In this order, an interruption leaves no certificate without its key.
    write_secret(retired, (before + public_key_of(current)).encode())
    write_secret(private, new_keys()[0].encode())


def write_secret(file: Path, content: bytes) -> None:
    """Write a file that only its owner can read, atomically."""
    new = file.with_name(f".{file.name}")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_bytes(content)
    new.replace(file)


def _certificate_files(folder: Path) -> tuple[Path, Path]:
    return folder / "certificate-private.pem", folder / "certificate-retired.pem"
