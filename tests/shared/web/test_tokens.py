import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from typing import Any

import jwt
import pytest

from shared.alliance.districts import POLICE_DIRECTORATES
from shared.web.rights import MAX_GRANTS, SAXONY, Actor, Grant, Role, actor
from shared.web.tokens import AUDIENCE, ISSUER, TOKEN_MAX_LENGTH, TokenRefused, Tokens, issue_token, new_keys

EXAMPLES = {
    Role.LPR: SAXONY, Role.MINISTRY: SAXONY, Role.AUDITOR: SAXONY, Role.POLICE: "PD Görlitz",
    Role.MUNICIPALITY: "14626480", Role.COUNCIL: "KPR-2023-7QX4M2",
}  # fmt: skip
"""An area that goes with each role."""
WRONG_AREAS = {"", "PD Cottbus", "1462648", "14626480\n", "KPR-2023-7qx4m2", "KPR-2023-7QX4M2X", ".*", "sachsen"}

PRIVATE, PUBLIC = new_keys()
OTHER_PRIVATE, _ = new_keys()
MAYOR = actor("rothenburg/rathaus", Role.MUNICIPALITY, "14626480")
POLICE = actor("pd-goerlitz/leitung", Role.POLICE, "PD Görlitz")
TWO = Actor(subject="x", grants=MAYOR.grants | POLICE.grants)
LPR = actor("lpr/geschaeftsstelle", Role.LPR)


def claims(**changed: Any) -> dict[str, Any]:
    """The claims of a good token of the LPR, with some changed; None leaves one out."""
    now = int(time.time())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "lpr", "iat": now, "exp": now + 60, "role": "lpr"}
    return {name: value for name, value in (good | changed).items() if value is not None}


def token(**changed: Any) -> str:
    return jwt.encode(claims(**changed), PRIVATE, algorithm="EdDSA")


LPR_GRANT = {"role": "lpr", "area": "Sachsen"}


def granted(*grants: Any, **changed: Any) -> str:
    return token(role=None, grants=list(grants), **changed)


def part(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def signed_with_the_public_key() -> str:
    """What a library accepts that lets the token choose how it is checked."""
    content = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims())}"
    mac = hmac.new(PUBLIC.encode(), content.encode(), hashlib.sha256).digest()
    return f"{content}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def with_another_body() -> str:
    header, _, signature = token().split(".")
    return f"{header}.{part(claims(role='ministry'))}.{signature}"


def with_another_signature() -> str:
    content, _, signature = token().rpartition(".")
    return f"{content}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


BAD = {
    "empty": "",
    "no token": "rothenburg",
    "dots only": "..",
    "unsigned": f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims())}.",
    "without signature": token().rpartition(".")[0] + ".",
    "signed with the public key": signed_with_the_public_key(),
    "signed with another key": jwt.encode(claims(), OTHER_PRIVATE, algorithm="EdDSA"),
    "another body": with_another_body(),
    "another signature": with_another_signature(),
    "nested too deeply": f"{'W1tb' * 2_000}.e30.AAAA",
    "too long": token(sub="x" * TOKEN_MAX_LENGTH),
    "expired": token(exp=int(time.time()) - 1),
    "of the future": token(iat=int(time.time()) + 600),
    "another audience": token(aud="other-services"),
    "a list of audiences": token(aud=[AUDIENCE]),
    "several audiences": token(aud=[AUDIENCE, "other-services"]),
    "another issuer": token(iss="asskomm.example"),
    "unknown role": token(role="admin"),
    "several roles": token(role=["lpr", "ministry"]),
    "municipality without its key": token(role="municipality"),
    "municipality with a police directorate": token(
        role="municipality", ags=["14626480"], police_directorate="PD Görlitz"
    ),
    "police without its directorate": token(role="police"),
    "police with a municipality": token(role="police", police_directorate="PD Görlitz", ags=["14626480"]),
    "LPR with a municipality": token(ags=["14626480"]),
    "LPR with a police directorate": token(police_directorate="PD Görlitz"),
    "municipality with no key at all": token(role="municipality", ags=[]),
    "an area without a role": token(role=None, ags=["14626480"]),
    "more keys than there may be grants": token(role="municipality", ags=[f"{n:08}" for n in range(MAX_GRANTS + 1)]),
    "grants beside a role": token(grants=[LPR_GRANT]),
    "grants beside an area": granted(LPR_GRANT, ags=["14626480"]),
    "no grants": granted(),
    "more grants than there may be": granted(*[LPR_GRANT] * (MAX_GRANTS + 1)),
    "grants that are no list": token(role=None, grants=LPR_GRANT),
    "a grant that is no object": granted("lpr"),
    "a grant without a role": granted({"area": "Sachsen"}),
    "a grant without an area": granted({"role": "lpr"}),
    "a grant of an unknown role": granted({"role": "admin", "area": "Sachsen"}),
    "a grant with an area that is no text": granted({"role": "municipality", "area": 14626480}),
    "a grant with more than we know": granted(LPR_GRANT | {"until": "2023-01-27"}),
    "a good grant and a bad one": granted(LPR_GRANT, {"role": "police", "area": "Sachsen"}),
    "keys that are no list": token(role="municipality", ags=14626480),
    **{
        f"{role} in {area}": granted({"role": role, "area": area})
        for role, own in EXAMPLES.items()
        for area in sorted(WRONG_AREAS.union(EXAMPLES.values()) - {own})
    },
    **{f"without {name}": token(**{name: None}) for name in ("iss", "aud", "sub", "iat", "exp", "role")},
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_token_is_refused_each_time(bad: str) -> None:
    tokens = Tokens(PUBLIC)
    for _ in range(2):
        with pytest.raises(TokenRefused):
            tokens.actor(bad)


def test_the_claims_that_the_bad_tokens_change_are_good() -> None:
    assert Tokens(PUBLIC).actor(token()) == actor("lpr", Role.LPR)


def test_a_token_of_before_there_were_grants_is_read() -> None:
    tokens = Tokens(PUBLIC)
    assert tokens.actor(token(sub="lpr/geschaeftsstelle", police_directorate=None)) == LPR
    assert tokens.actor(token(sub=MAYOR.subject, role="municipality", ags=["14626480"])) == MAYOR
    assert tokens.actor(token(sub=POLICE.subject, role="police", ags=[], police_directorate="PD Görlitz")) == POLICE
    several = tokens.actor(token(role="municipality", ags=["14626480", "14626110"]))
    assert several.areas(Role.MUNICIPALITY) == {"14626480", "14626110"}


def test_every_role_has_an_example() -> None:
    assert set(EXAMPLES) == set(Role)


MOST = Actor(subject="x", grants=frozenset(Grant(role=Role.POLICE, area=area) for area in POLICE_DIRECTORATES) | {
    Grant(role=Role.COUNCIL, area=f"KPR-2023-{number:06}") for number in range(MAX_GRANTS - len(POLICE_DIRECTORATES))
})  # fmt: skip


def test_a_token_may_have_as_many_grants_as_an_actor() -> None:
    assert Tokens(PUBLIC).actor(issue_token(MOST, PRIVATE)) == MOST


@pytest.mark.parametrize(
    "who", [actor("x", role, area) for role, area in EXAMPLES.items()] + [TWO], ids=[*EXAMPLES, "two grants"]
)
def test_a_token_tells_who_shows_it(who: Actor) -> None:
    assert Tokens(PUBLIC).actor(issue_token(who, PRIVATE)) == who


def test_a_token_that_is_known_is_refused_once_it_has_expired() -> None:
    tokens, short = Tokens(PUBLIC), issue_token(LPR, PRIVATE, timedelta(seconds=2))
    assert tokens.actor(short) == tokens.actor(short) == LPR
    expires = jwt.decode(short, options={"verify_signature": False})["exp"]
    while time.time() < expires:
        time.sleep(0.01)
    with pytest.raises(TokenRefused, match="expired"):
        tokens.actor(short)


def test_new_keys_are_new_each_time() -> None:
    assert len({*new_keys(), *new_keys()}) == 4
