"""ID tokens: read only when all about them is right (OpenID Connect Core 1.0, section 3.1.3.7)."""

import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from lineshaft.integrations.openid.metadata import ALGORITHMS

if TYPE_CHECKING:
    from joserfc.jwk import Key

CLOCK_SKEW_SECONDS: Final = 60
"""How far the provider's clock may be off."""

_FEWEST_RSA_CHARACTERS: Final = 342
"""Of a modulus of 2048 bits in base64url."""

_MOST_KEYS: Final = 100
_LONGEST_SUBJECT: Final = 255


class UnknownKeyError(ValueError):
    """None of the keys at hand has signed the token; the provider may have changed them since."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token must say.

    Attributes:
        issuer: who has made it.
        client_id: for whom.
        nonce: for which trip.
        algorithms: with which of `ALGORITHMS` it may be signed.
        now: the time.
    """

    issuer: str
    client_id: str
    nonce: str
    algorithms: Collection[str]
    now: datetime


def read_keys(document: Mapping[str, Any]) -> "Sequence[Key]":
    """Read a set of public keys (RFC 7517); those that cannot be used here are left out.

    Keys that are shared secrets are left out, too, and so are RSA keys that are too short to trust.
    """
    from joserfc.errors import JoseError
    from joserfc.jwk import JWKRegistry

    entries = document.get("keys")
    keys: list[Key] = []
    for entry in entries[:_MOST_KEYS] if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or not _is_usable(entry):
            continue
        try:
            keys.append(JWKRegistry.import_key(entry))
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return keys


def read_id_token(token: str, keys: "Sequence[Key]", expected: Expected) -> Mapping[str, Any]:
    """Return what an ID token says.

    Args:
        token: as the provider gave it.
        keys: the provider's.
        expected: what it must say.

    Raises:
        UnknownKeyError: it is signed with a key that is not among them.
        ValueError: it cannot be trusted; the text says why.
    """
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import GuestProtocol
    from joserfc.jws import JWSRegistry

    def key_of(signature: GuestProtocol) -> "Key":
        return _choose(signature.headers(), keys)

    claims_registry = jwt.JWTClaimsRegistry(
        now=int(expected.now.timestamp()),
        leeway=CLOCK_SKEW_SECONDS,
        iss={"essential": True, "value": expected.issuer},
        aud={"essential": True, "value": expected.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )
    algorithms = sorted(expected.algorithms)
    try:
        registry = JWSRegistry(algorithms=algorithms, strict_check_header=False)
        claims = jwt.decode(token, key_of, algorithms=algorithms, registry=registry).claims
        claims_registry.validate(claims)
    except (JoseError, UnicodeError) as error:
        raise ValueError(str(error)) from error
    _check_party(claims, expected.client_id)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise ValueError("its nonce is another's")
    if not 0 < len(claims["sub"]) <= _LONGEST_SUBJECT or not claims["sub"].isprintable():
        raise ValueError("its subject is no name of anybody")
    return claims


def _is_usable(entry: Mapping[str, Any]) -> bool:
    if entry.get("kty") not in ALGORITHMS.values() or entry.get("use", "sig") != "sig" or "d" in entry:
        return False
    modulus = entry.get("n", "")
    return entry["kty"] != "RSA" or (isinstance(modulus, str) and len(modulus) >= _FEWEST_RSA_CHARACTERS)


def _choose(header: Mapping[str, Any], keys: "Sequence[Key]") -> "Key":
    algorithm, kid = header["alg"], header.get("kid")
    fitting = [
        key
        for key in keys
        if key.key_type == ALGORITHMS.get(algorithm)
        and key.get("alg") in (None, algorithm)
        and (kid is None or key.kid == kid)
    ]
    if len(fitting) != 1:
        raise UnknownKeyError("it is signed with a key that the provider does not publish")
    return fitting[0]


def _check_party(claims: Mapping[str, Any], client_id: str) -> None:
    """Refuse a token that was given to another client and names this one besides."""
    party = claims.get("azp")
    if party is None and isinstance(claims["aud"], list) and len(claims["aud"]) > 1:
        raise ValueError("it is for several clients and does not say to which of them it was given")
    if party is not None and party != client_id:
        raise ValueError("it was given to another client")
