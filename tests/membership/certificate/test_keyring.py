"""The keys that certificates are signed and checked with."""

import json

import pytest

from services.membership.certificate import Keyring, read_keys
from services.membership.certificate.keyring import from_base64url
from shared.kernel.errors import Invalid
from shared.web.tokens import public_key_of
from tests.membership.certificate.certified import FOREIGN, KEY, KEYRING, OTHER_KEY, ROTATED


# RFC 8037, appendix A: the key and its thumbprint.
def test_a_key_is_named_by_its_thumbprint() -> None:
    x, thumbprint = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    keys = read_keys(json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x}]}))
    assert {name: key.public_bytes_raw() for name, key in keys.items()} == {thumbprint: from_base64url(x)}


def test_the_key_set_has_all_keys_the_current_one_first() -> None:
    keys = ROTATED.jwk_set()["keys"]
    assert [key["kid"] for key in keys] == [FOREIGN.current, KEYRING.current]
    assert {(key["kty"], key["crv"], key["use"]) for key in keys} == {("OKP", "Ed25519", "sig")}
    assert all(set(key) == {"kty", "crv", "x", "kid", "use"} for key in keys)


def test_keys_are_read_as_key_set_and_as_pem() -> None:
    bundle = public_key_of(OTHER_KEY) + "\n" + public_key_of(KEY)
    assert list(read_keys(bundle)) == list(read_keys(json.dumps(ROTATED.jwk_set()))) == list(ROTATED.trusted)


def test_a_key_that_is_both_current_and_retired_is_one() -> None:
    assert list(Keyring.of(KEY, public_key_of(KEY)).trusted) == [KEYRING.current]


def test_keys_of_other_kinds_in_a_key_set_are_left_out() -> None:
    assert (
        read_keys('{"keys": [{"kty": "RSA", "n": "x", "e": "AQAB"}, {"kty": "OKP", "crv": "X25519", "x": "?"}]}') == {}
    )


@pytest.mark.parametrize(
    "text", ["no key", KEY, public_key_of(KEY) + "x", "{", '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AA"}]}',
             "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"],
    ids=["no key", "private", "more", "no JSON", "too short", "no PEM"],
)  # fmt: skip
def test_what_is_no_public_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_keys(text)
    assert KEY.splitlines()[1] not in str(refused.value)


@pytest.mark.parametrize("text", ["no key", public_key_of(KEY)])
def test_a_private_key_that_is_none_is_refused_by_its_setting(text: str) -> None:
    with pytest.raises(Invalid, match="ASSKOMM_CERTIFICATE_KEY"):
        Keyring.of(text)


def test_a_retired_key_that_is_none_is_refused_by_its_setting() -> None:
    with pytest.raises(Invalid, match="ASSKOMM_CERTIFICATE_RETIRED_KEYS"):
        Keyring.of(KEY, OTHER_KEY)


def test_no_key_is_shown() -> None:
    assert KEY.splitlines()[1] not in repr(KEYRING)
    assert "private" not in repr(KEYRING).lower()
