"""Who asks: bearer tokens, signed with Ed25519, that carry a role and an area."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.kernel.clock import system_clock
from shared.kernel.errors import Invalid, NotAllowed

ISSUER = "asskomm"
AUDIENCE = "asskomm-services"
_ALGORITHM = "EdDSA"
_CACHED = 10_000


class Role(StrEnum):
    """What somebody is to the alliance; the area narrows it down."""

    LPR = "lpr"
    MINISTRY = "ministry"
    POLICE = "police"
    MUNICIPALITY = "municipality"
    AUDITOR = "auditor"


class TokenRefused(Exception):  # noqa: N818 -- says what is the matter
    """The token is missing, expired, not ours, or not made as ours are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Who asks: a role, and for police and municipalities the area that is theirs."""

    subject: str
    role: Role
    ags: frozenset[str] = frozenset()
    police_directorate: str | None = None

    @property
    def sees_all(self) -> bool:
        """LPR, ministry and auditors see all of Saxony."""
        return self.role in {Role.LPR, Role.MINISTRY, Role.AUDITOR}

    def sees(self, ags: str, police_directorate: str) -> bool:
        """Whether a municipality lies in this one's area."""
        return self.sees_all or ags in self.ags or police_directorate == self.police_directorate

    def require(self, *roles: Role) -> None:
        """Raise NotAllowed unless this one has one of the roles."""
        if self.role not in roles:
            raise NotAllowed(f"role {self.role} may not do this; it takes {' or '.join(roles)}")


def actor(
    subject: str, role: Role, *, ags: frozenset[str] = frozenset(), police_directorate: str | None = None
) -> Actor:
    """Who asks, checked: raises Invalid when the area does not go with the role."""
    if (role is Role.MUNICIPALITY) != bool(ags):
        raise Invalid(
            f"role {role} with municipalities {sorted(ags)}: the role municipality, and it alone, needs its ags"
        )
    if (role is Role.POLICE) != bool(police_directorate):
        raise Invalid(
            f"role {role} with police directorate {police_directorate}: the role police, and it alone, needs one"
        )
    return Actor(subject=subject, role=role, ags=ags, police_directorate=police_directorate)


def issue_token(who: Actor, private_key: str, lifetime: timedelta = timedelta(hours=12)) -> str:
    """A bearer token for `who`; its lifetime runs by the real clock, whatever day the system is run as."""
    now = system_clock()
    claims: dict[str, Any] = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": who.subject, "iat": now, "exp": now + lifetime,
        "role": who.role, "ags": sorted(who.ags), "police_directorate": who.police_directorate,
    }  # fmt: skip
    return jwt.encode(claims, private_key, algorithm=_ALGORITHM)


class Tokens:
    """Checks bearer tokens, and remembers those it has checked until they expire."""

    def __init__(self, public_key: str) -> None:
        self._key = public_key
        self._known: dict[str, tuple[Actor, float]] = {}

    def actor(self, token: str) -> Actor:
        """Who shows this token; raises TokenRefused."""
        known = self._known.get(token)
        if known and known[1] > system_clock().timestamp():
            return known[0]
        try:
            claims = jwt.decode(
                token, self._key, algorithms=[_ALGORITHM], audience=AUDIENCE, issuer=ISSUER,
                options={"require": ["exp", "iat", "iss", "aud", "sub", "role"], "strict_aud": True},
            )  # fmt: skip
            who = actor(
                claims["sub"], Role(claims["role"]),
                ags=frozenset(claims.get("ags") or ()), police_directorate=claims.get("police_directorate"),
            )  # fmt: skip
        except (jwt.InvalidTokenError, ValueError, TypeError, Invalid) as error:
            raise TokenRefused(str(error)) from error
        if len(self._known) >= _CACHED:
            self._known.clear()
        self._known[token] = (who, float(claims["exp"]))
        return who


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
