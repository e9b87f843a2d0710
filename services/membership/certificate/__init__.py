"""Certificates of agreements: all steps of one with their hashes, signed, so that anybody can check them without us."""

from services.membership.certificate.document import Certificate, check, opened
from services.membership.certificate.issuing import ChainBroken, certificate
from services.membership.certificate.keyring import Keyring, Keys, NoCertificateKey, read_keys

__all__ = [
    "Certificate",
    "ChainBroken",
    "Keyring",
    "Keys",
    "NoCertificateKey",
    "certificate",
    "check",
    "opened",
    "read_keys",
]
