"""Bearer tokens, signed with Ed25519, that identify the caller and its grants."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any

import jwt
import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from shared.kernel.clock import system_clock
from shared.kernel.errors import Invalid
from shared.web.rights import MAX_GRANTS, SAXONY, Actor, Grant, Role

ISSUER = "asskomm"
AUDIENCE = "asskomm-services"
TOKEN_MAX_LENGTH = 8192
_ALGORITHM = "EdDSA"
_CACHED = 10_000


class TokenRefused(Exception):  # noqa: N818 -- named after its cause
    """The token is missing, expired, not ours, or not made as ours are."""


class _Granted(msgspec.Struct, forbid_unknown_fields=True):
    role: Role
    area: str


class _Claims(msgspec.Struct):
    """The claims that name somebody and their rights."""

    sub: str
    exp: float
    grants: Annotated[list[_Granted], Meta(min_length=1, max_length=MAX_GRANTS)] | None = None
    # Tokens issued before there were grants have one role, with the areas that go with it.
    role: Role | None = None
    ags: Annotated[list[str], Meta(max_length=MAX_GRANTS)] | None = None
    police_directorate: str | None = None

    def actor(self) -> Actor:
        """Raises Invalid if an area does not go with its role, and for claims of both kinds, or of neither."""
        return Actor(subject=self.sub, grants=frozenset(self._grants()))

    def _grants(self) -> Iterator[Grant]:
        areas = [*(self.ags or ()), *filter(None, [self.police_directorate])]
        if (self.grants is None) == (self.role is None and not areas):
            raise Invalid("a token has either grants, or one role with its areas")
        for granted in self.grants or ():
            yield Grant(role=granted.role, area=granted.area)
        if self.role is not None:
            for area in areas or [SAXONY]:
                yield Grant(role=self.role, area=area)


def issue_token(who: Actor, private_key: str, lifetime: timedelta = timedelta(hours=12)) -> str:
    """Issue a bearer token for `who`; its lifetime follows the real clock, even if the system runs on another day."""
    now = system_clock()
    grants = sorted((grant.role, grant.area) for grant in who.grants)
    claims: dict[str, Any] = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": who.subject, "iat": now, "exp": now + lifetime,
        "grants": [{"role": role, "area": area} for role, area in grants],
    }  # fmt: skip
    return jwt.encode(claims, private_key, algorithm=_ALGORITHM)


class Tokens:
    """Verifies bearer tokens, and caches verified ones until they expire."""

    def __init__(self, public_key: str) -> None:
        self._key = public_key
        self._known: dict[str, tuple[Actor, float]] = {}

    def actor(self, token: str) -> Actor:
        """The one whom a token was issued to; raises TokenRefused."""
        known = self._known.get(token)
        if known and known[1] > system_clock().timestamp():
            return known[0]
        if len(token) > TOKEN_MAX_LENGTH:
            raise TokenRefused(f"it has {len(token)} characters, more than {TOKEN_MAX_LENGTH}")
        try:
            claims = msgspec.convert(self._claims(token), _Claims)
            who = claims.actor()
        except (jwt.InvalidTokenError, msgspec.ValidationError, ValueError, Invalid) as error:
            raise TokenRefused(str(error)) from error
        if len(self._known) >= _CACHED:
            self._known.clear()
        self._known[token] = (who, claims.exp)
        return who

    def _claims(self, token: str) -> dict[str, Any]:
        return jwt.decode(
            token, self._key, algorithms=[_ALGORITHM], audience=AUDIENCE, issuer=ISSUER,
            options={"require": ["exp", "iat", "iss", "aud", "sub"], "strict_aud": True},
        )  # fmt: skip


def new_keys() -> tuple[str, str]:
    """A fresh pair of Ed25519 keys, private and public, as PEM."""
    private = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), public_key_of(private.decode())


def public_key_of(private_key: str) -> str:
    """The public key that belongs to a private one, both as PEM."""
    public = serialization.load_pem_private_key(private_key.encode(), None).public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
