"""The file that a certificate is, and how anybody checks it.

It is one line of canonical JSON (shared/kernel/chain.py), an object of exactly these fields:

    format        asskomm.agreement_certificate.v1
    agreement_id  the file number, which is the subject of every step
    steps         what is hashed of each step, and its `hash`, in their order
    head          the hash of the last step
    key_id        which key signed: the thumbprint (RFC 7638) of its JWK (RFC 8037)
    signature     Ed25519 (RFC 8032) over the canonical JSON of all other fields, as base64url without padding

Another spelling of the same JSON is refused, so that no byte can be changed unseen; one line break may follow. A step
membership.agreement_ready.v1 may have `text` and `text_sha256` in its data: the SHA-256 of the text in UTF-8 must be
that one, and no step membership.agreement_signed_by_party.v1 may name another one.
"""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Annotated, Any, Final, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from msgspec import Meta

from services.membership.certificate.keyring import Keys, from_base64url
from shared.events.membership.agreements import AgreementReady, AgreementSignedByParty
from shared.kernel import chain
from shared.kernel.chain import Finding, canonical

FORMAT: Final = "asskomm.agreement_certificate.v1"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """An event of the agreement, with who, when and why, and its place in the chain."""

    id: str
    type: str
    subject: str
    version: int
    at: str
    actor: str
    cause: str
    trace: str
    history: bool
    data: dict[str, Any]
    hash: str


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate; the same steps and key make the same one."""

    format: Literal["asskomm.agreement_certificate.v1"] = FORMAT
    agreement_id: str
    steps: Annotated[tuple[Step, ...], Meta(min_length=1)]
    head: str
    key_id: str
    signature: str

    def encoded(self) -> bytes:
        """The file."""
        return canonical(self)


def opened(document: bytes) -> Certificate | None:
    """Parse a file as a certificate, valid or not; None if it is none."""
    try:
        return msgspec.json.decode(document, type=Certificate)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def signed_part(plain: dict[str, Any]) -> bytes:
    """Return the bytes that the signature covers."""
    return canonical({name: value for name, value in plain.items() if name != "signature"})


def check(document: bytes, trusted: Keys) -> list[Finding]:
    """Return all findings about a certificate; empty if it is valid.

    Codes besides those of `chain.check`: `not_json`, `not_a_certificate`, `unknown_field`, `not_canonical`,
    `wrong_head`, `changed_text`, `other_text`, `foreign_key`, `wrong_signature`.
    """
    try:
        plain = msgspec.json.decode(document)
        right = canonical(plain)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return [Finding("not_json", f"the file is no JSON that a certificate could have: {error}")]
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        return [Finding("not_a_certificate", f"the file does not say that it is of format {FORMAT}")]
    findings = [*_unknown(plain), *_spelling(document, right)]
    try:
        msgspec.convert(plain, Certificate)
    except msgspec.ValidationError as error:
        return [*findings, Finding("not_a_certificate", f"a field is missing or makes no sense: {error}")]
    steps = plain["steps"]
    findings += chain.check(steps, plain["agreement_id"])
    return [*findings, *_head(plain), *_texts(steps), *_signature(plain, trusted)]


def _unknown(plain: dict[str, Any]) -> Iterator[Finding]:
    places: list[tuple[str, dict[str, Any], type[msgspec.Struct]]] = [("", plain, Certificate)]
    steps = plain.get("steps")
    if isinstance(steps, list):
        places += [(f"steps[{n}].", step, Step) for n, step in enumerate(steps) if isinstance(step, dict)]
    for where, found, kind in places:
        for name in sorted(found.keys() - set(kind.__struct_fields__)):
            yield Finding("unknown_field", f"{where}{name} is no field of a certificate")


def _spelling(document: bytes, right: bytes) -> Iterator[Finding]:
    if document not in {right, right + b"\n"}:
        place = next(n for n, (actual, expected) in enumerate(zip_longest(document, right)) if actual != expected)
        yield Finding(
            "not_canonical",
            f"from byte {place} on the file is not spelled as a certificate is: it was changed, or saved anew",
        )


def _head(plain: dict[str, Any]) -> Iterator[Finding]:
    last = plain["steps"][-1]
    if last["hash"] != plain["head"]:
        yield Finding(
            "wrong_head",
            f"the last step here is {last['version']} with hash {last['hash']}, but the certificate ends with "
            f"{plain['head']}: steps are missing at the end, or one of both was changed",
        )


def _texts(steps: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    ready = [step for step in steps if step["type"] == AgreementReady.type]
    fixed = [step["data"].get("text_sha256") for step in ready]
    for step in ready:
        text, named = step["data"].get("text"), step["data"].get("text_sha256")
        if text and named and named != (right := hashlib.sha256(str(text).encode()).hexdigest()):
            message = f"the text of step {step['version']} has SHA-256 {right}, but the step says {named}"
            yield Finding("changed_text", message)
    for step in steps:
        party, named = step["data"].get("party"), step["data"].get("text_sha256")
        if step["type"] == AgreementSignedByParty.type and ready and named and named not in fixed:
            texts = " or ".join(str(text or "no text") for text in fixed)
            message = f"step {step['version']}: {party} signed the text {named}, but the agreement has {texts}"
            yield Finding("other_text", message)


def _signature(plain: dict[str, Any], trusted: Keys) -> Iterator[Finding]:
    key = trusted.get(plain["key_id"])
    if key is None:
        known = ", ".join(trusted) or "none"
        yield Finding("foreign_key", f"it names the key {plain['key_id']}; the keys that are trusted are: {known}")
        return
    try:
        key.verify(from_base64url(plain["signature"]), signed_part(plain))
    except (ValueError, InvalidSignature):
        yield Finding("wrong_signature", f"the signature is not one of key {plain['key_id']} over this content")
