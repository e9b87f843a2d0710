"""Issuing of certificates."""

from collections.abc import Sequence

import msgspec

from services.membership.certificate.document import FORMAT, Certificate, check, signed_part
from services.membership.certificate.keyring import Keyring
from shared.kernel.chain import Row, step_of
from shared.kernel.errors import Refused


class ChainBroken(Refused):
    """The stored steps of an agreement fail verification, so no certificate can be issued."""

    code = "chain_broken"


def certificate(rows: Sequence[Row], keyring: Keyring) -> Certificate:
    """The certificate of the agreement whose rows these are, from the first one; same rows, same bytes.

    Raises NoCertificateKey, and ChainBroken for what would not be valid.
    """
    subject, last = rows[0]["subject"], rows[-1]["hash"]
    steps = [step_of(row) | {"hash": row["hash"]} for row in rows]
    plain = {"format": FORMAT, "agreement_id": subject, "steps": steps, "head": last, "key_id": keyring.current}
    made = msgspec.convert(plain | {"signature": keyring.sign(signed_part(plain))}, Certificate)
    if findings := check(made.encoded(), keyring.trusted):
        raise ChainBroken(f"no certificate of {subject}: {'; '.join(finding.message for finding in findings)}")
    return made
