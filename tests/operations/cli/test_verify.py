"""`asskomm verify`, run with only a certificate and keys; and new keys for the embedded system."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from operations.running.keys import certificate_keys, rotate_certificate_key, token_keys
from operations.running.local import environ_file
from services.membership.certificate import Keyring, certificate, check
from shared.kernel.errors import NotFound
from shared.web.tokens import public_key_of
from tests.membership.certificate.certified import ID, KEY, KEYRING, OTHER_KEY, ROTATED, rows

FILE = certificate(rows(), KEYRING).encoded()


def verify(folder: Path, *words: str, status: int = 0, given: bytes = b"") -> str:
    """Return the command's output, or its errors if it should fail before verifying."""
    command = [sys.executable, "-m", "operations.cli", "verify", *words]
    environ = {"PATH": os.environ["PATH"], "ASSKOMM_VAR": str(folder), "COLUMNS": "200"}
    done = subprocess.run(
        command, env=environ, cwd=Path.cwd(), input=given, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == status, (done.stdout, done.stderr)
    return (done.stdout or done.stderr).decode()


@pytest.fixture
def file(folder: Path) -> Path:
    """A certificate file, with the keys beside it."""
    (folder / "keys.json").write_text(json.dumps(ROTATED.jwk_set()))
    (folder / "keys.pem").write_text(public_key_of(KEY))
    (folder / "foreign.pem").write_text(public_key_of(OTHER_KEY))
    path = folder / f"{ID}.certificate.json"
    path.write_bytes(FILE)
    return path


@pytest.mark.parametrize("keys", ["keys.json", "keys.pem"])
def test_a_valid_certificate_is_told_with_what_it_is_about(folder: Path, file: Path, keys: str) -> None:
    said = verify(folder, str(file), "--keys", str(folder / keys))
    assert f"agreement {ID}: 5 steps from 2023-01-27T10:30:00.000Z" in said
    assert f"key {KEYRING.current}" in said
    assert "\nvalid" in said


def test_each_finding_is_a_line_with_its_code(folder: Path, file: Path) -> None:
    file.write_bytes(FILE.replace(b"P. Muster", b"M. Muster"))
    lines = verify(folder, str(file), "--keys", str(folder / "keys.pem"), status=1).splitlines()
    assert lines[2] == "NOT VALID"
    assert [line.partition(":")[0] for line in lines[3:]] == ["changed_step", "wrong_signature"]


def test_programs_get_json(folder: Path, file: Path) -> None:
    said = json.loads(verify(folder, str(file), "--json", "--keys", str(folder / "foreign.pem"), status=1))
    assert (said["valid"], said["agreement_id"], said["steps"], said["key_id"]) == (False, ID, 5, KEYRING.current)
    assert [finding["code"] for finding in said["findings"]] == ["foreign_key"]


def test_a_certificate_can_come_from_standard_input(folder: Path, file: Path) -> None:
    assert file.exists()
    assert "valid" in verify(folder, "-", "--keys", str(folder / "keys.pem"), given=FILE)


def test_the_keys_of_the_system_that_is_known_are_trusted(folder: Path, file: Path) -> None:
    needed = dict.fromkeys(("ASSKOMM_MONGO_URI", "ASSKOMM_NATS_URL", "ASSKOMM_TOKEN_PUBLIC_KEY"), "any")
    environ_file(folder).write_text(json.dumps(needed | {"ASSKOMM_CERTIFICATE_KEY": KEY}))
    assert "\nvalid" in verify(folder, str(file))


def test_without_a_system_it_asks_for_the_keys(folder: Path, file: Path) -> None:
    assert "name the keys to trust with --keys" in " ".join(verify(folder, str(file), status=1).split())


def test_what_is_no_key_is_told_in_words(folder: Path, file: Path) -> None:
    said = verify(folder, str(file), "--keys", str(file.parent / file.name), status=1)
    assert "no JWK set" in said
    assert "Traceback" not in said


def test_what_is_no_certificate_is_told_in_words(folder: Path, file: Path) -> None:
    file.write_bytes(b"\xff\x1b[31m")
    assert verify(folder, str(file), "--keys", str(folder / "keys.pem"), status=1).startswith("NOT VALID\nnot_json")


def test_a_file_cannot_write_colours_or_lines_to_the_terminal(folder: Path, file: Path) -> None:
    file.write_bytes(FILE.replace(b'"format"', b'"\\u001b[31m\\nvalid":1,"format"'))
    said = verify(folder, str(file), "--keys", str(folder / "keys.pem"), status=1)
    assert "\x1b" not in said
    assert "\nvalid" not in said


def test_the_embedded_system_keeps_its_keys(folder: Path) -> None:
    assert (certificate_keys(folder), token_keys(folder)) == (certificate_keys(folder), token_keys(folder))


def test_certificates_stay_valid_when_the_key_is_replaced_twice(folder: Path) -> None:
    first = Keyring.of(*certificate_keys(folder))
    document = certificate(rows(), first).encoded()
    for _ in range(2):
        rotate_certificate_key(folder)
    now = Keyring.of(*certificate_keys(folder))
    assert (len(now.trusted), now.current == first.current, check(document, now.trusted)) == (3, False, [])


def test_nobody_else_can_read_the_keys(folder: Path) -> None:
    certificate_keys(folder)
    rotate_certificate_key(folder)
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {
        "certificate-private.pem": "0o600",
        "certificate-retired.pem": "0o600",
    }


def test_where_there_is_no_system_no_key_is_replaced(folder: Path) -> None:
    with pytest.raises(NotFound, match="--rotate-certificate-key"):
        rotate_certificate_key(folder)
    assert list(folder.iterdir()) == []
