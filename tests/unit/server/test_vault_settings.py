from pathlib import Path
from typing import Any

import pytest

from lineshaft.integrations.vault import VaultAccess
from lineshaft.model.errors import ConfigurationError
from lineshaft.server.settings import ServerSettings

URL = "https://vault.example.org:8200"


def load(tmp_path: Path, **said: Any) -> ServerSettings:
    config = tmp_path / "config.toml"
    config.touch()
    return ServerSettings.load(config=config, **said)


def test_without_an_address_there_is_no_vault(tmp_path: Path) -> None:
    assert load(tmp_path).vault_access is None


def test_a_vault_is_found_by_what_is_set(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        vault_url=f"{URL}/",
        vault_mount="/teams/kv/",
        vault_prefix="ci/shop",
        vault_role_id="role-1",
        vault_secret_id_file="/run/secret-id",
        vault_namespace="teams/shop",
    )
    assert settings.vault_access == VaultAccess(
        URL, "teams/kv", "ci/shop", None, "role-1", Path("/run/secret-id"), "teams/shop"
    )


def test_a_token_will_do(tmp_path: Path) -> None:
    settings = load(tmp_path, vault_url="http://127.0.0.1:8200", vault_token_file="/run/token")
    assert settings.vault_access == VaultAccess("http://127.0.0.1:8200", token_file=Path("/run/token"))


@pytest.mark.parametrize(
    "said",
    [
        {"vault_url": URL},
        {"vault_url": URL, "vault_role_id": "role-1"},
        {"vault_url": URL, "vault_secret_id_file": "/run/secret-id"},
        {"vault_url": URL, "vault_token_file": "/t", "vault_role_id": "r", "vault_secret_id_file": "/s"},
        {"vault_token_file": "/t"},
        {"vault_url": URL, "vault_token_file": "/t", "vault_ca_file": "/nowhere/ca.pem"},
        {"vault_url": "http://vault.example.org", "vault_token_file": "/t"},
        {"vault_url": "https://ada:secret@vault.example.org", "vault_token_file": "/t"},
        {"vault_url": "vault.example.org", "vault_token_file": "/t"},
        {"vault_url": URL, "vault_token_file": "/t", "vault_mount": "../sys"},
        {"vault_url": URL, "vault_token_file": "/t", "vault_mount": "a//b"},
        {"vault_url": URL, "vault_token_file": "/t", "vault_prefix": "a b"},
        {"vault_url": URL, "vault_token_file": "/t", "vault_prefix": ""},
    ],
)
def test_half_a_vault_is_refused(tmp_path: Path, said: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        load(tmp_path, **said)
