import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from typing import Any

import jwt
import pytest

from shared.kernel.errors import Invalid, NotAllowed
from shared.web.auth import AUDIENCE, ISSUER, Actor, Role, TokenRefused, Tokens, actor, issue_token, new_keys

PRIVATE, PUBLIC = new_keys()
OTHER_PRIVATE, _ = new_keys()
MAYOR = actor("rothenburg/rathaus", Role.MUNICIPALITY, ags=frozenset({"14626480"}))
POLICE = actor("pd-goerlitz/leitung", Role.POLICE, police_directorate="PD Görlitz")
LPR = actor("lpr/geschaeftsstelle", Role.LPR)
AUDITOR = actor("rechnungshof", Role.AUDITOR)


def claims(**changed: Any) -> dict[str, Any]:
    """The claims of a good token of the LPR, with some changed; None leaves one out."""
    now = int(time.time())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "lpr", "iat": now, "exp": now + 60, "role": "lpr"}
    return {name: value for name, value in (good | changed).items() if value is not None}


def token(**changed: Any) -> str:
    return jwt.encode(claims(**changed), PRIVATE, algorithm="EdDSA")


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
    "nested too deeply": f"{'W1tb' * 10_000}.e30.AAAA",
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
    "keys that are no list": token(role="municipality", ags=14626480),
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


@pytest.mark.parametrize("who", [MAYOR, POLICE, LPR, AUDITOR], ids=lambda who: who.role)
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


@pytest.mark.parametrize("who", [LPR, AUDITOR, actor("smi", Role.MINISTRY)], ids=lambda who: who.role)
def test_some_see_all_of_saxony(who: Actor) -> None:
    assert who.sees("14713000", "PD Leipzig")


@pytest.mark.parametrize(
    ("who", "ags", "police_directorate", "expected"),
    [
        (MAYOR, "14626480", "PD Görlitz", True), (MAYOR, "14626610", "PD Görlitz", False),
        (POLICE, "14626610", "PD Görlitz", True), (POLICE, "14713000", "PD Leipzig", False),
    ],
)  # fmt: skip
def test_the_others_see_their_area(who: Actor, ags: str, police_directorate: str, expected: bool) -> None:
    assert who.sees(ags, police_directorate) is expected


def test_who_has_another_role_is_told_which_it_takes() -> None:
    with pytest.raises(NotAllowed, match="role municipality may not do this; it takes lpr or ministry"):
        MAYOR.require(Role.LPR, Role.MINISTRY)


def test_who_has_the_role_may() -> None:
    MAYOR.require(Role.LPR, Role.MUNICIPALITY)


def test_nobody_is_given_a_token_for_an_area_that_does_not_go_with_the_role() -> None:
    with pytest.raises(Invalid, match="14626480"):
        actor("lpr", Role.LPR, ags=frozenset({"14626480"}))


def test_new_keys_are_new_each_time() -> None:
    assert len({*new_keys(), *new_keys()}) == 4
