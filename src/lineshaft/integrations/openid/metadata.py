"""What a provider says of itself (OpenID Connect Discovery 1.0, section 3; RFC 8414; RFC 9207)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

WELL_KNOWN: Final = "/.well-known/openid-configuration"

ALGORITHMS: Final = {
    "RS256": "RSA", "RS384": "RSA", "RS512": "RSA", "PS256": "RSA", "PS384": "RSA", "PS512": "RSA",
    "ES256": "EC", "ES384": "EC", "ES512": "EC", "Ed25519": "OKP",
}  # fmt: skip
"""The algorithms with which ID tokens may be signed, each with the type of its keys.

All have a private and a public half: where a secret is shared, whoever checks could sign as well.
"""


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """What a provider says of itself.

    Attributes:
        authorization_endpoint: where browsers are sent.
        token_endpoint: where codes are exchanged.
        jwks_uri: where its public keys are.
        userinfo_endpoint: where it tells more of somebody; None where it does not.
        algorithms: with which of `ALGORITHMS` it signs ID tokens.
        takes_basic: whether the client's credentials may be shown by basic authentication.
        tells_issuer: whether it says who it is whenever it sends a browser back (RFC 9207).
    """

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    algorithms: frozenset[str]
    takes_basic: bool
    tells_issuer: bool


def read_metadata(document: Mapping[str, Any], issuer: str) -> ProviderMetadata:
    """Read a provider's document.

    Args:
        document: the JSON object.
        issuer: whose document it must be.

    Raises:
        ValueError: it is another's, or cannot be used; the text says why.
    """
    if document.get("issuer") != issuer:
        raise ValueError(f"it calls itself {str(document.get('issuer'))[:200]!r}")
    secure = issuer.startswith("https:")
    algorithms = ALGORITHMS.keys() & _texts(document.get("id_token_signing_alg_values_supported"))
    if not algorithms:
        raise ValueError("it names no algorithm for ID tokens that is known here and has public keys")
    methods = _texts(document.get("token_endpoint_auth_methods_supported"))
    userinfo = document.get("userinfo_endpoint")
    return ProviderMetadata(
        authorization_endpoint=_endpoint(document, "authorization_endpoint", secure=secure),
        token_endpoint=_endpoint(document, "token_endpoint", secure=secure),
        jwks_uri=_endpoint(document, "jwks_uri", secure=secure),
        userinfo_endpoint=userinfo and _endpoint(document, "userinfo_endpoint", secure=secure),
        algorithms=frozenset(algorithms),
        # Discovery 1.0: what is not said stands for basic authentication.
        takes_basic=not methods or "client_secret_basic" in methods,
        tells_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _endpoint(document: Mapping[str, Any], name: str, *, secure: bool) -> str:
    url = document.get(name)
    if not isinstance(url, str):
        raise ValueError(f"it does not say its {name}")  # noqa: TRY004 - of the document, not of the call.
    parts = urlsplit(url)
    if parts.scheme != "https" and (secure or parts.scheme != "http"):
        raise ValueError(f"its {name} is not an https address")
    if not parts.hostname or parts.fragment:
        raise ValueError(f"its {name} is no address that can be called")
    return url


def _texts(said: object) -> frozenset[str]:
    entries = said if isinstance(said, list) else ()
    return frozenset(entry for entry in entries if isinstance(entry, str))
