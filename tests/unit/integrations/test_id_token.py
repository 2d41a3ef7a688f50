"""ID tokens are read only when all about them is right."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from lineshaft.integrations.openid.id_token import Expected, UnknownKeyError, read_id_token, read_keys
from lineshaft.integrations.openid.metadata import ALGORITHMS
from scripted_provider import MakeToken, signed, signed_by_public_text, unsigned

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ISSUER = "https://id.example.org"
EXPECTED = Expected(ISSUER, "lineshaft", "n-0S6", frozenset({"ES256", "RS256", "Ed25519"}), NOW)
CLAIMS = {
    "iss": ISSUER,
    "sub": "24400320",
    "aud": "lineshaft",
    "nonce": "n-0S6",
    "iat": SECONDS,
    "exp": SECONDS + 300,
}
KEY = ECKey.generate_key("P-256", auto_kid=True)


def read(
    make: MakeToken, keys: Sequence[Key] = (KEY,), expected: Expected = EXPECTED, **changes: Any
) -> dict[str, Any]:
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    return dict(read_id_token(make(claims), keys, expected))


def test_a_true_token_is_read() -> None:
    assert read(signed(KEY)) == CLAIMS


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (RSAKey.generate_key(2048, auto_kid=True), "RS256"),
        (ECKey.generate_key("P-256", auto_kid=True), "ES256"),
        (OKPKey.generate_key("Ed25519", auto_kid=True), "Ed25519"),
    ],
    ids=["RS256", "ES256", "Ed25519"],
)
def test_each_kind_of_key_is_read_from_what_the_provider_publishes(key: Key, algorithm: str) -> None:
    keys = read_keys({"keys": [KEY.as_dict(private=False), key.as_dict(private=False)]})

    assert read(signed(key, algorithm), keys) == CLAIMS


def test_a_token_that_names_no_key_is_read_with_the_only_one_that_fits() -> None:
    rsa = RSAKey.generate_key(2048, auto_kid=True)

    def make(claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "ES256"}, claims, KEY)

    assert read(make, [KEY, rsa]) == CLAIMS
    with pytest.raises(UnknownKeyError):
        read(make, [KEY, ECKey.generate_key("P-256", auto_kid=True)])


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": 7},
        {"aud": "another"},
        {"aud": None},
        {"aud": []},
        {"aud": ["another"]},
        {"aud": {"lineshaft": 1}},
        {"aud": ["lineshaft", "another"]},
        {"aud": ["lineshaft", "another"], "azp": "another"},
        {"azp": "another"},
        {"iss": "https://another.example"},
        {"iss": f"{ISSUER}/"},
        {"iss": [ISSUER]},
        {"iss": None},
        {"exp": None},
        {"exp": "never"},
        {"exp": True},
        {"exp": SECONDS - 60},
        {"iat": None},
        {"iat": SECONDS + 61},
        {"nbf": SECONDS + 61},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a\0b"},
        {"sub": "x" * 256},
    ],
    ids=json.dumps,
)
def test_a_token_that_says_anything_else_than_it_must_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(signed(KEY), **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": SECONDS - 59},
        {"iat": SECONDS + 60, "exp": SECONDS + 300},
        {"nbf": SECONDS + 60},
        {"aud": ["another", "lineshaft"], "azp": "lineshaft"},
        {"aud": ["lineshaft"]},
        {"azp": "lineshaft"},
    ],
    ids=json.dumps,
)
def test_the_clock_may_be_off_by_a_minute_and_other_clients_may_be_named(changes: dict[str, Any]) -> None:
    assert read(signed(KEY), **changes)["sub"] == "24400320"


def test_a_token_without_a_signature_is_refused() -> None:
    with pytest.raises(ValueError, match="none"):
        read(unsigned)
    with pytest.raises(ValueError, match="none"):
        read(unsigned, expected=Expected(ISSUER, "lineshaft", "n-0S6", frozenset(ALGORITHMS), NOW))


@pytest.mark.parametrize(
    "public_text",
    [
        lambda: KEY.as_pem(private=False),
        lambda: KEY.as_der(private=False),
        lambda: json.dumps(KEY.as_dict(private=False)).encode(),
        lambda: b"the client's secret",
    ],
    ids=["pem", "der", "jwk", "client secret"],
)
def test_a_token_signed_with_what_others_know_is_refused(public_text: Callable[[], bytes]) -> None:
    with pytest.raises(ValueError, match="HS256"):
        read(signed_by_public_text(public_text(), KEY.kid or ""))


def test_a_strangers_key_of_the_same_name_signs_nothing() -> None:
    with pytest.raises(ValueError, match="bad_signature"):
        read(signed(ECKey.generate_key("P-256", {"kid": KEY.kid or ""})))


def test_a_key_that_a_token_brings_along_or_points_to_signs_nothing() -> None:
    stranger = ECKey.generate_key("P-256", auto_kid=True)

    with pytest.raises(UnknownKeyError):
        read(signed(stranger, jwk=stranger.as_dict(private=False), jku="https://stranger.example/keys"))


def test_an_algorithm_that_the_provider_does_not_use_is_refused() -> None:
    rsa = RSAKey.generate_key(2048, auto_kid=True)

    with pytest.raises(ValueError, match="PS256"):
        read(signed(rsa, "PS256"), [rsa])


def test_a_key_for_one_algorithm_is_not_used_for_another() -> None:
    rsa = RSAKey.generate_key(2048, {"alg": "PS256"}, auto_kid=True)
    unbound = RSAKey.import_key({**rsa.as_dict(private=True), "alg": "RS256"})

    with pytest.raises(UnknownKeyError):
        read(signed(unbound, "RS256"), [rsa])


def test_a_header_that_must_be_understood_and_is_not_is_refused() -> None:
    def make(claims: dict[str, Any]) -> str:
        token = signed(KEY)(claims)
        head = unsigned({"crit": ["b64"]}).split(".")[1]
        return ".".join([head, *token.split(".")[1:]])

    with pytest.raises(ValueError, match=r"."):
        read(make)


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é.é.é", "\ud800.b.c", "x" * 500_000, "e30.e30."])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_id_token(token, [KEY], EXPECTED)


def test_keys_that_are_shared_or_short_or_for_something_else_are_left_out() -> None:
    public = KEY.as_dict(private=False)
    rsa = RSAKey.generate_key(2048, auto_kid=True).as_dict(private=False)
    entries = [
        OctKey.generate_key(256).as_dict(private=True),
        KEY.as_dict(private=True),
        {**public, "use": "enc"},
        {**public, "kty": "AKP"},
        {**public, "x": "!"},
        {**public, "x": 7},
        {**rsa, "n": rsa["n"][:100]},
        {**rsa, "n": 7},
        {"kty": "EC"},
        {"kty": ["EC"]},
        "EC",
        None,
    ]

    assert read_keys({"keys": entries}) == []
    assert len(read_keys({"keys": [*entries, public, {**public, "use": "sig"}]})) == 2


@pytest.mark.parametrize("document", [{}, {"keys": None}, {"keys": {}}, {"keys": "x"}], ids=json.dumps)
def test_what_is_no_set_of_keys_holds_none(document: dict[str, Any]) -> None:
    assert read_keys(document) == []
