"""The keys of certificates: Ed25519, each named by the thumbprint (RFC 7638) of its JWK (RFC 8037)."""

import binascii
import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from shared.kernel.chain import canonical
from shared.kernel.errors import Invalid, Refused

Keys: TypeAlias = Mapping[str, Ed25519PublicKey]
"""Public keys by their ids."""

_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----\s*", re.DOTALL)


class NoCertificateKey(Refused):
    """There is no key to sign certificates with."""

    code = "no_certificate_key"


@dataclass(frozen=True)
class Keyring:
    """The key that certificates are signed with, if there is one, and all keys whose signatures hold."""

    private: Ed25519PrivateKey | None = field(repr=False)
    trusted: Keys
    """The current key first."""

    @classmethod
    def of(cls, private_key: str, retired_keys: str = "") -> Self:
        """From PEM; `private_key` may be empty, `retired_keys` are public ones, one after the other; raises Invalid."""
        private = _private_key(private_key) if private_key else None
        current = _by_id([private.public_key()] if private else [])
        try:
            return cls(private, {**current, **_pem_keys(retired_keys)})
        except Invalid as error:
            raise Invalid(f"ASSKOMM_CERTIFICATE_RETIRED_KEYS: {error}") from error

    @property
    def current(self) -> str:
        """The id of the key that signs; raises NoCertificateKey."""
        return key_id(self._signing.public_key())

    def sign(self, content: bytes) -> str:
        """The signature of the current key, in base64url, the same one each time; raises NoCertificateKey."""
        return base64url(self._signing.sign(content))

    @property
    def _signing(self) -> Ed25519PrivateKey:
        if self.private is None:
            raise NoCertificateKey(
                "there is no key to sign certificates with: set ASSKOMM_CERTIFICATE_KEY_FILE to an Ed25519 private key"
            )
        return self.private

    def jwk_set(self) -> dict[str, Any]:
        """All public keys as JWK set (RFC 7517), the current one first."""
        return {"keys": [{**_jwk(key), "kid": id, "use": "sig"} for id, key in self.trusted.items()]}


def key_id(key: Ed25519PublicKey) -> str:
    """The thumbprint of a key."""
    return base64url(hashlib.sha256(canonical(_jwk(key))).digest())


def read_keys(text: str) -> Keys:
    """The public keys in a JWK set, or in PEM one after the other; raises Invalid."""
    return _jwk_set_keys(text) if text.lstrip().startswith("{") else _pem_keys(text)


def base64url(content: bytes) -> str:
    """Base64url without padding (RFC 4648, section 5)."""
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The content of base64url in its only valid spelling; raises ValueError."""
    try:
        content = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError(f"{text} is no base64url: {error}") from error
    if base64url(content) != text:
        raise ValueError(f"{text} is no base64url without padding")
    return content


def _jwk(key: Ed25519PublicKey) -> dict[str, str]:
    return {"crv": "Ed25519", "kty": "OKP", "x": base64url(key.public_bytes_raw())}


def _private_key(pem: str) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Invalid("ASSKOMM_CERTIFICATE_KEY is no private key in PEM, or it has a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Invalid("ASSKOMM_CERTIFICATE_KEY is no Ed25519 key")
    return key


def _pem_keys(bundle: str) -> Keys:
    if rest := _PEM.sub("", bundle).strip():
        raise Invalid(f"there is something besides Ed25519 public keys in PEM, {len(rest)} characters")
    keys = []
    for pem in _PEM.findall(bundle):
        try:
            key = load_pem_public_key(pem.encode())
        except (ValueError, UnsupportedAlgorithm) as error:
            raise Invalid(f"this is no public key in PEM: {pem}") from error
        if not isinstance(key, Ed25519PublicKey):
            raise Invalid(f"this is no Ed25519 key: {pem}")
        keys.append(key)
    return _by_id(keys)


class _Jwk(msgspec.Struct):
    kty: str
    crv: str = ""
    x: str = ""


class _JwkSet(msgspec.Struct):
    keys: list[_Jwk]


def _jwk_set_keys(text: str) -> Keys:
    try:
        found = msgspec.json.decode(text, type=_JwkSet).keys
        # RFC 7517, section 5: keys of other kinds are left out.
        ours = [jwk.x for jwk in found if (jwk.kty, jwk.crv) == ("OKP", "Ed25519")]
        keys = [Ed25519PublicKey.from_public_bytes(from_base64url(x)) for x in ours]
    except (msgspec.DecodeError, ValueError) as error:
        raise Invalid(f"this is no JWK set with Ed25519 keys: {error}") from error
    return _by_id(keys)


def _by_id(keys: Iterable[Ed25519PublicKey]) -> Keys:
    return {key_id(key): key for key in keys}
