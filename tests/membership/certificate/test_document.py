"""What a certificate proves, whoever has changed it how."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.membership.certificate import (
    ChainBroken,
    Keyring,
    Keys,
    NoCertificateKey,
    certificate,
    check,
    opened,
)
from services.membership.certificate.keyring import from_base64url
from shared.kernel.chain import canonical, link
from shared.web.tokens import public_key_of
from tests.membership.certificate.certified import FOREIGN, ID, KEY, KEYRING, ROTATED, SHA256, TEXT, rows

ROWS = rows()
FILE = certificate(ROWS, KEYRING).encoded()
SMALL = certificate(ROWS[:1], KEYRING).encoded()

Plain = dict[str, Any]


def found(file: bytes, trusted: Keys = KEYRING.trusted) -> list[str]:
    return [finding.code for finding in check(file, trusted)]


def changed(change: Callable[[Plain], Any], *, keyring: Keyring | None = None, chained: bool = False) -> bytes:
    """The file after a change; by somebody who signs it anew with a key, or also makes the chain anew."""
    plain = json.loads(FILE)
    change(plain)
    if chained:
        plain["head"] = ""
        for step in plain["steps"]:
            step["hash"] = plain["head"] = link(plain["head"], step)
    if keyring:
        plain["key_id"] = keyring.current
        del plain["signature"]
        plain["signature"] = keyring.sign(canonical(plain))
    return canonical(plain)


def test_a_certificate_is_valid() -> None:
    assert check(FILE, KEYRING.trusted) == []


def test_a_line_break_at_its_end_is_allowed() -> None:
    assert check(FILE + b"\n", KEYRING.trusted) == []


def test_the_same_steps_and_key_make_the_same_bytes() -> None:
    assert certificate(ROWS, Keyring.of(KEY)).encoded() == FILE


def test_a_certificate_has_every_step_as_it_is_stored_and_nothing_twice() -> None:
    plain = json.loads(FILE)
    assert set(plain) == {"format", "agreement_id", "steps", "head", "key_id", "signature"}
    assert (plain["agreement_id"], plain["head"]) == (ID, ROWS[-1]["hash"])
    assert canonical([step["data"] for step in plain["steps"]]) == canonical([row["data"] for row in ROWS])
    assert plain["steps"][0]["at"] == "2023-01-27T10:30:00.000Z"


def test_rows_as_the_history_shows_them_make_the_same_certificate() -> None:
    shown = [{"id": row["_id"], **{name: value for name, value in row.items() if name != "_id"}} for row in ROWS]
    assert certificate(shown, KEYRING).encoded() == FILE


@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_no_byte_can_be_another_one(place: int, flip: int) -> None:
    spoilt = bytearray(FILE)
    spoilt[place] ^= flip
    assert check(bytes(spoilt), KEYRING.trusted)


def test_no_bit_at_any_place_can_be_another_one() -> None:
    for place in range(len(SMALL)):
        for bit in range(8):
            spoilt = bytearray(SMALL)
            spoilt[place] ^= 1 << bit
            assert check(bytes(spoilt), KEYRING.trusted), (place, bit)


@given(st.integers(0, len(FILE)), st.binary(min_size=1, max_size=3).filter(lambda more: more != b"\n"))
@example(len(FILE), b"\n\n")
def test_nothing_can_be_put_in(place: int, more: bytes) -> None:
    assert check(FILE[:place] + more + FILE[place:], KEYRING.trusted)


@given(st.integers(0, len(FILE) - 1))
def test_nothing_can_be_cut_off(length: int) -> None:
    assert check(FILE[:length], KEYRING.trusted)


@given(st.binary() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(msgspec.json.encode))
def test_what_is_no_certificate_is_a_finding_and_not_a_crash(document: bytes) -> None:
    assert set(found(document)) <= {"not_json", "not_a_certificate"}
    assert found(document)


FIELDS = ("format", "agreement_id", "steps", "head", "key_id", "signature")
anything = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.lists(st.none())


@given(st.sampled_from(FIELDS), anything)
def test_a_field_of_another_kind_is_a_finding_and_not_a_crash(name: str, value: Any) -> None:
    assert found(changed(lambda plain: plain.update({name: value})))


@given(st.sampled_from(sorted(json.loads(FILE)["steps"][0])), anything)
def test_a_field_of_a_step_of_another_kind_is_a_finding_and_not_a_crash(name: str, value: Any) -> None:
    spoilt = changed(lambda plain: plain["steps"][2].update({name: value}))
    assert bool(found(spoilt)) is (spoilt != FILE)


@given(st.sampled_from(["text", "text_sha256", "party"]), anything)
def test_a_text_of_another_kind_is_no_crash(name: str, value: Any) -> None:
    def change(plain: Plain) -> None:
        for step in plain["steps"]:
            step["data"][name] = value

    assert set(found(changed(change, chained=True, keyring=KEYRING))) <= {"changed_text", "other_text"}


@pytest.mark.parametrize("document", [b"", b"\xff", b"[" * 100_000, b'{"a":' * 100_000, b"9" * 5000, b'"\\ud800"'])
def test_what_no_program_can_read_is_no_json(document: bytes) -> None:
    assert found(document) == ["not_json"]


def test_a_certificate_of_another_format_is_a_finding() -> None:
    assert found(changed(lambda plain: plain.update(format="asskomm.agreement_certificate.v2"))) == [
        "not_a_certificate"
    ]


def test_a_field_that_a_certificate_does_not_have_is_named() -> None:
    def add(plain: Plain) -> None:
        plain["valid"] = True
        plain["steps"][1]["note"] = "x"

    findings = check(changed(add, keyring=KEYRING), KEYRING.trusted)
    assert [(one.code, one.message.split()[0]) for one in findings] == [
        ("unknown_field", "valid"),
        ("unknown_field", "steps[1].note"),
    ]


def test_a_file_that_a_program_saved_anew_is_a_finding() -> None:
    assert found(json.dumps(json.loads(FILE), indent=2).encode()) == ["not_canonical"]


def test_a_changed_step_is_named() -> None:
    spoilt = FILE.replace(b'"person":"P. Muster"', b'"person":"P. Mustar"')
    findings = check(spoilt, KEYRING.trusted)
    assert [one.code for one in findings] == ["changed_step", "wrong_signature"]
    assert findings[0].message.startswith("step 3 (membership.agreement_signed_by_party.v1) was changed")


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        (lambda plain: plain["steps"].pop(2), ["missing_step"]),
        (lambda plain: plain["steps"].pop(0), ["missing_step"]),
        (lambda plain: plain["steps"].pop(), ["wrong_head"]),
        (lambda plain: plain["steps"].insert(1, plain["steps"].pop(2)), ["reordered_step"]),
        (lambda plain: plain["steps"].insert(1, plain["steps"][0]), ["duplicate_step"]),
        (lambda plain: plain["steps"].append(plain["steps"][-1]), ["duplicate_step"]),
        (lambda plain: plain["steps"].insert(1, json.loads(SMALL)["steps"][0] | {"subject": "KV"}), ["foreign_step"]),
        (lambda plain: plain.update(agreement_id="KV-2023-000000"), ["foreign_step"] * 5),
        (lambda plain: plain.update(head="0" * 64), ["wrong_head"]),
        (lambda plain: plain.update(steps=[]), ["not_a_certificate"]),
    ],
    ids=["missing", "first", "last", "reordered", "twice", "last twice", "foreign", "other file", "head", "none"],
)
def test_what_was_done_to_the_steps_is_found_even_if_we_had_signed_it(
    change: Callable[[Plain], Any], codes: list[str]
) -> None:
    assert found(changed(change, keyring=KEYRING)) == codes


def test_who_makes_the_whole_chain_anew_cannot_sign_it() -> None:
    forged = changed(lambda plain: plain["steps"][2]["data"].update(person="M. Muster"), chained=True)
    assert found(forged) == ["wrong_signature"]


def test_the_signature_of_another_certificate_does_not_fit() -> None:
    assert found(changed(lambda plain: plain.update(signature=json.loads(SMALL)["signature"]))) == ["wrong_signature"]


# The last character of a signature has four bits that do not count; were they ignored, it could be another one.
def test_a_signature_has_one_spelling() -> None:
    signature = json.loads(FILE)["signature"]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = [signature[:-1] + last for last in alphabet if last != signature[-1]]
    others += [signature + "=", signature + "==", f" {signature}", signature.replace(signature[0], "ä")]
    plain = json.loads(FILE)
    assert {tuple(found(canonical(plain | {"signature": other}))) for other in others} == {("wrong_signature",)}


def test_the_text_must_have_the_sha_256_that_stands_beside_it() -> None:
    def other_text(plain: Plain) -> None:
        plain["steps"][1]["data"]["text"] = TEXT + " nicht"

    [finding] = check(changed(other_text, chained=True, keyring=KEYRING), KEYRING.trusted)
    assert (finding.code, SHA256 in finding.message) == ("changed_text", True)


def test_who_signs_signs_the_text_of_the_agreement() -> None:
    def other_text(plain: Plain) -> None:
        plain["steps"][3]["data"]["text_sha256"] = "0" * 64

    [finding] = check(changed(other_text, chained=True, keyring=KEYRING), KEYRING.trusted)
    assert finding.code == "other_text"
    assert finding.message == f"step 4: lpr signed the text {'0' * 64}, but the agreement has {SHA256}"


def test_an_agreement_without_a_text_has_a_certificate() -> None:
    def no_text(plain: Plain) -> None:
        for step in plain["steps"]:
            step["data"] = {name: value for name, value in step["data"].items() if not name.startswith("text")}

    assert found(changed(no_text, chained=True, keyring=KEYRING)) == []


def test_a_foreign_key_is_named_with_those_that_are_trusted() -> None:
    [finding] = check(changed(lambda _: None, keyring=FOREIGN), KEYRING.trusted)
    assert finding.code == "foreign_key"
    assert FOREIGN.current in finding.message
    assert KEYRING.current in finding.message


def test_a_foreign_signature_under_our_key_s_name_does_not_hold() -> None:
    forged = changed(lambda _: None, keyring=FOREIGN).replace(FOREIGN.current.encode(), KEYRING.current.encode())
    assert found(forged) == ["wrong_signature"]


def test_a_certificate_stays_valid_after_its_key_was_replaced() -> None:
    assert (found(FILE, ROTATED.trusted), found(FILE, FOREIGN.trusted)) == ([], ["foreign_key"])
    assert ROTATED.current == FOREIGN.current


def test_what_would_not_be_valid_is_not_signed() -> None:
    spoilt = rows()
    spoilt[2]["data"]["person"] = "M. Muster"
    with pytest.raises(ChainBroken, match=f"no certificate of {ID}: step 3"):
        certificate(spoilt, KEYRING)


def test_a_text_that_was_changed_before_it_was_stored_is_not_signed() -> None:
    with pytest.raises(ChainBroken, match="the text of step 2"):
        certificate(rows(text_sha256="0" * 64, signed_sha256="0" * 64), KEYRING)


def test_without_a_key_it_says_what_to_do() -> None:
    with pytest.raises(NoCertificateKey, match="ASSKOMM_CERTIFICATE_KEY_FILE"):
        certificate(ROWS, Keyring.of("", public_key_of(KEY)))


def test_a_file_can_be_opened_though_it_is_not_valid() -> None:
    read = opened(changed(lambda plain: plain.update(head="")))
    assert read
    assert (read.agreement_id, len(read.steps)) == (ID, 5)
    assert opened(b"{}") is None


# As a lawyer's office could do it, with nothing of ours.
@pytest.mark.skipif(not shutil.which("openssl"), reason="there is no openssl")
def test_openssl_confirms_the_signature(folder: Path) -> None:
    plain = json.loads(FILE)
    signature = plain.pop("signature")
    (folder / "key.pem").write_text(public_key_of(KEY))
    (folder / "signature").write_bytes(from_base64url(signature))
    (folder / "content").write_text(
        json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False), encoding="utf-8"
    )
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "content"]
    done = subprocess.run([*command, "-sigfile", "signature"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "Signature Verified Successfully", done.stderr
