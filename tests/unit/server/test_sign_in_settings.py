"""What a server is told of browsers and of the provider."""

from pathlib import Path

import pytest

from lineshaft.model.errors import ConfigurationError
from lineshaft.model.role import Role
from lineshaft.server.settings import ServerSettings

WHOLE = {
    "LINESHAFT_OIDC_ISSUER": "https://id.example.org/realm",
    "LINESHAFT_OIDC_CLIENT_ID": "lineshaft",
    "LINESHAFT_OIDC_CLIENT_SECRET": "s3cr3t",
    "LINESHAFT_PUBLIC_URL": "https://ci.example.org",
}


def _load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **variables: str) -> ServerSettings:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return ServerSettings.load(data=tmp_path)


def test_by_default_nobody_signs_in_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = _load(monkeypatch, tmp_path)

    assert settings.openid_client is None
    assert settings.session_times.lifetime.total_seconds() == 12 * 3600
    assert settings.session_times.idle.total_seconds() == 3600


def test_a_provider_is_told_of_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = _load(
        monkeypatch,
        tmp_path,
        **WHOLE,
        LINESHAFT_OIDC_SCOPES="profile groups",
        LINESHAFT_OIDC_GROUPS_CLAIM="groups",
        LINESHAFT_OIDC_ROLES="devs=runner, a=b=admin",
        LINESHAFT_OIDC_DEFAULT_ROLE="viewer",
    )

    client = settings.openid_client
    assert client is not None
    assert client.scopes == ("openid", "profile", "groups")
    assert client.groups_claim == "groups"
    assert "s3cr3t" not in repr(client) + repr(settings)
    assert settings.provider_label == "id.example.org"
    assert settings.admission.default_role is Role.VIEWER
    assert settings.admission.group_roles == {"devs": Role.RUNNER, "a=b": Role.ADMIN}


@pytest.mark.parametrize("missing", sorted(WHOLE.keys() - {"LINESHAFT_OIDC_ISSUER"}))
def test_half_a_provider_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, missing: str) -> None:
    told = {name: value for name, value in WHOLE.items() if name != missing}

    with pytest.raises(ConfigurationError, match=missing):
        _load(monkeypatch, tmp_path, **told)


def test_roles_of_groups_need_to_know_where_groups_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="LINESHAFT_OIDC_ROLES"):
        _load(monkeypatch, tmp_path, **WHOLE, LINESHAFT_OIDC_ROLES="devs=runner")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LINESHAFT_PUBLIC_URL", "http://ci.example.org"),
        ("LINESHAFT_PUBLIC_URL", "ci.example.org"),
        ("LINESHAFT_PUBLIC_URL", "https://user@ci.example.org"),
        ("LINESHAFT_PUBLIC_URL", "https://ci.example.org/?a"),
        ("LINESHAFT_PUBLIC_URL", "https://ci.example.org/#a"),
        ("LINESHAFT_PUBLIC_URL", "https://ci.exam ple"),
        ("LINESHAFT_OIDC_ISSUER", "http://id.example.org"),
        ("LINESHAFT_OIDC_ISSUER", "https:///x"),
        ("LINESHAFT_OIDC_ROLES", "devs"),
        ("LINESHAFT_OIDC_ROLES", "devs=king"),
        ("LINESHAFT_OIDC_DEFAULT_ROLE", "king"),
        ("LINESHAFT_OIDC_SCOPES", 'a"b'),
        ("LINESHAFT_SESSION_HOURS", "0"),
        ("LINESHAFT_SESSION_IDLE_HOURS", "-1"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(ConfigurationError, match=name):
        _load(monkeypatch, tmp_path, **{name: value})


def test_on_this_machine_plain_http_will_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = {
        **WHOLE,
        "LINESHAFT_PUBLIC_URL": "http://localhost:5001/ci",
        "LINESHAFT_OIDC_ISSUER": "http://127.0.0.1:9",
    }

    assert _load(monkeypatch, tmp_path, **told).public_url == "http://localhost:5001/ci"
