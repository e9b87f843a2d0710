"""Creating and renewing the secrets of the containers."""

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

from services.membership.certificate import Keyring, certificate, check, read_keys
from tests.membership.certificate.certified import rows

SCRIPT = Path(__file__).parents[2] / "deploy/make_secrets.py"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to other users")


@pytest.fixture
def script(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Run the script with a folder instead of the volumes."""
    spec = importlib.util.spec_from_file_location("make_secrets", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "SECRETS", folder)
    for name in ("membership", "operator"):
        (folder / name).mkdir()
    return module


def membership(folder: Path) -> Keyring:
    """Return membership's keys."""
    files = (folder / "membership" / name for name in ("certificate_key", "certificate_retired_keys"))
    return Keyring.of(*(file.read_text() for file in files))


def test_membership_signs_and_the_operator_can_check(folder: Path, script: ModuleType) -> None:
    script.make_certificate_keys(rotate=False)
    file = certificate(rows(), membership(folder)).encoded()
    assert check(file, read_keys((folder / "operator/certificate_public_keys").read_text())) == []
    assert [path.name for path in (folder / "operator").iterdir()] == ["certificate_public_keys"]


def test_making_secrets_again_changes_no_key(folder: Path, script: ModuleType) -> None:
    before = []
    for _ in range(2):
        script.make_certificate_keys(rotate=False)
        before.append({path: path.read_text() for path in folder.glob("*/*")})
    assert before[0] == before[1]


@pytest.mark.parametrize("by_hand", [False, True])
def test_certificates_stay_valid_when_the_key_is_renewed(folder: Path, script: ModuleType, *, by_hand: bool) -> None:
    script.make_certificate_keys(rotate=False)
    first = membership(folder)
    file = certificate(rows(), first).encoded()
    for _ in range(2):
        if by_hand:
            (folder / "membership/certificate_key").unlink()
        script.make_certificate_keys(rotate=not by_hand)
    now = membership(folder)
    known = read_keys((folder / "operator/certificate_public_keys").read_text())
    assert (len(now.trusted), now.current == first.current) == (3, False)
    assert (check(file, now.trusted), check(file, known), set(known)) == ([], [], set(now.trusted))


def test_keys_of_before_outlive_the_loss_of_the_operator_s_volume(folder: Path, script: ModuleType) -> None:
    script.make_certificate_keys(rotate=False)
    script.make_certificate_keys(rotate=True)
    before = membership(folder)
    (folder / "operator/certificate_public_keys").unlink()
    script.make_certificate_keys(rotate=False)
    assert membership(folder).trusted.keys() == before.trusted.keys()


def test_only_its_group_reads_a_secret(folder: Path, script: ModuleType) -> None:
    script.make_certificate_keys(rotate=False)
    assert {oct(path.stat().st_mode & 0o777) for path in folder.glob("*/*")} == {"0o440"}
