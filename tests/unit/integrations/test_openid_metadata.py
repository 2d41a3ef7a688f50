"""What a provider says of itself is used only where it can be relied on."""

import json
from typing import Any

import pytest

from lineshaft.integrations.openid.metadata import read_metadata

ISSUER = "https://id.example.org/realm"
DOCUMENT = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
    "id_token_signing_alg_values_supported": ["RS256", "HS256", "none", 7],
}


def test_a_providers_description_is_read() -> None:
    metadata = read_metadata(DOCUMENT | {"userinfo_endpoint": f"{ISSUER}/me"}, ISSUER)

    assert metadata.token_endpoint == f"{ISSUER}/token"
    assert metadata.userinfo_endpoint == f"{ISSUER}/me"
    assert metadata.algorithms == {"RS256"}
    assert metadata.takes_basic
    assert not metadata.tells_issuer


@pytest.mark.parametrize(
    ("methods", "takes_basic"),
    [
        (["client_secret_basic", "client_secret_post"], True),
        (["client_secret_post"], False),
        ([], True),
        ("client_secret_post", True),
    ],
)
def test_the_secret_is_shown_as_the_provider_takes_it(methods: Any, *, takes_basic: bool) -> None:
    metadata = read_metadata(DOCUMENT | {"token_endpoint_auth_methods_supported": methods}, ISSUER)

    assert metadata.takes_basic is takes_basic


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": f"{ISSUER}/"},
        {"issuer": "https://another.example"},
        {"issuer": None},
        {"authorization_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "http://id.example.org/authorize"},
        {"token_endpoint": "http://id.example.org/token"},
        {"token_endpoint": "https:///token"},
        {"token_endpoint": f"{ISSUER}/token#x"},
        {"token_endpoint": ["x"]},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "http://127.0.0.1/keys"},
        {"userinfo_endpoint": "http://id.example.org/me"},
        {"userinfo_endpoint": "https://[/me"},
        {"id_token_signing_alg_values_supported": ["none", "HS256"]},
        {"id_token_signing_alg_values_supported": None},
        {"id_token_signing_alg_values_supported": "RS256"},
    ],
    ids=json.dumps,
)
def test_a_description_that_cannot_be_relied_on_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_metadata(DOCUMENT | changes, ISSUER)


def test_a_provider_on_this_machine_may_do_without_tls() -> None:
    document = json.loads(json.dumps(DOCUMENT).replace("https://id.example.org", "http://localhost:1"))

    assert read_metadata(document, "http://localhost:1/realm").jwks_uri == "http://localhost:1/realm/keys"
