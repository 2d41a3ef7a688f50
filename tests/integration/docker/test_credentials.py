"""Credentials for registries: docker's configuration, its helper programs, and AWS."""

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lineshaft.docker import DockerAccess
from lineshaft.docker.credentials import find_login
from lineshaft.docker.ecr import ecr_region
from lineshaft.docker.login import RegistryLogin
from lineshaft.model.image_name import registry_of
from lineshaft.model.reason import Reason, ReasonCode

_ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


def configured(folder: Path, **settings: Any) -> DockerAccess:
    (folder / "config.json").write_text(json.dumps(settings))
    return DockerAccess("unix:///nonexistent", folder)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which credential helpers are found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def write_helper(folder: Path, name: str, script: str) -> None:
    program = folder / f"docker-credential-{name}"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("repository", "registry"),
    [
        ("registry.example/shop/app", "registry.example"),
        ("127.0.0.1:5000/app", "127.0.0.1:5000"),
        ("localhost/app", "localhost"),
        ("shop/app", "https://index.docker.io/v1/"),
    ],
)
def test_the_registry_of_an_image_is_found_as_docker_finds_it(repository: str, registry: str) -> None:
    assert registry_of(repository) == registry


async def test_no_configuration_at_all_means_no_credentials(tmp_path: Path) -> None:
    assert await find_login("registry.example", DockerAccess("unix:///nonexistent", tmp_path)) is None


@pytest.mark.parametrize(
    "key", ["registry.example:5000", "https://registry.example:5000", "https://registry.example:5000/v1/"]
)
async def test_a_registry_is_found_however_the_configuration_writes_it(key: str, tmp_path: Path) -> None:
    access = configured(tmp_path, auths={key: {"auth": encoded("me:a:b")}})
    assert await find_login("registry.example:5000", access) == RegistryLogin("me", "a:b")


async def test_an_identity_token_takes_the_place_of_a_password(tmp_path: Path) -> None:
    entry = {"auth": encoded("me:"), "identitytoken": "a-token"}
    access = configured(tmp_path, auths={"registry.example": entry})
    login = await find_login("registry.example", access)
    assert login == RegistryLogin(identity_token="a-token")


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"auths": 1}', '{"auths": {"a": {"auth": "no base64"}}}', "\udc80"]
)
async def test_a_configuration_that_cannot_be_read_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(text.encode(errors="surrogateescape"))
    reason = await find_login("registry.example", DockerAccess("unix:///nonexistent", tmp_path))
    assert isinstance(reason, Reason)
    assert reason.code is ReasonCode.IMAGE_PUSH_FAILED
    assert str(tmp_path / "config.json") in reason.text


async def test_a_helper_is_asked_for_its_registry(tmp_path: Path, helpers: Path) -> None:
    write_helper(
        helpers,
        "keys",
        'read registry; echo "{\\"Username\\": \\"me at $registry\\", \\"Secret\\": \\"$1\\"}"',
    )
    access = configured(tmp_path, credHelpers={"registry.example": "keys"})
    assert await find_login("registry.example", access) == RegistryLogin("me at registry.example", "get")


async def test_the_store_serves_the_registries_without_a_helper_of_their_own(
    tmp_path: Path, helpers: Path
) -> None:
    write_helper(helpers, "store", 'echo \'{"Username": "<token>", "Secret": "a-token"}\'')
    access = configured(tmp_path, credsStore="store", credHelpers={"other.example": "missing"})
    assert await find_login("registry.example", access) == RegistryLogin(identity_token="a-token")


async def test_a_helper_that_knows_nothing_leaves_it_to_the_configuration(
    tmp_path: Path, helpers: Path
) -> None:
    write_helper(helpers, "store", "echo credentials not found in native keychain; exit 1")
    access = configured(
        tmp_path, credsStore="store", auths={"registry.example": {"auth": encoded("me:here")}}
    )
    assert await find_login("registry.example", access) == RegistryLogin("me", "here")


@pytest.mark.parametrize(
    ("script", "said"),
    [("echo the vault is sealed >&2; exit 1", "the vault is sealed"), ("echo '[]'", "no sense")],
)
async def test_a_helper_that_fails_is_named_with_what_it_said(
    script: str, said: str, tmp_path: Path, helpers: Path
) -> None:
    write_helper(helpers, "broken", script)
    reason = await find_login("registry.example", configured(tmp_path, credsStore="broken"))
    assert isinstance(reason, Reason)
    assert "docker-credential-broken" in reason.text
    assert said in reason.text


async def test_a_helper_that_is_not_installed_is_named(tmp_path: Path) -> None:
    reason = await find_login("registry.example", configured(tmp_path, credsStore="absent"))
    assert isinstance(reason, Reason)
    assert "docker-credential-absent" in reason.text
    assert "No such file or directory" in reason.text


@pytest.mark.parametrize(
    ("registry", "region"),
    [
        (_ECR, "eu-west-1"),
        ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("123456789012.dkr-ecr.eu-west-1.on.aws", "eu-west-1"),
        ("registry.example", None),
        (f"{_ECR}.evil.example", None),
    ],
)
def test_an_ecr_registry_is_known_by_its_host(registry: str, region: str | None) -> None:
    assert ecr_region(registry) == region


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away every place in which AWS credentials could be found."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.usefixtures("no_aws")
async def test_an_ecr_registry_without_any_credentials_fails_and_says_what_is_missing(tmp_path: Path) -> None:
    reason = await find_login(_ECR, DockerAccess("unix:///nonexistent", tmp_path))
    assert isinstance(reason, Reason)
    assert reason.code is ReasonCode.IMAGE_PUSH_FAILED
    assert _ECR in reason.text
    assert str(tmp_path / "config.json") in reason.text
    assert "AWS" in reason.text


@pytest.fixture
def aws(no_aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Amazon's APIs as moto serves them, and credentials for them."""
    del no_aws
    server = pytest.importorskip("moto.server", reason="moto is missing").ThreadedMotoServer(
        "127.0.0.1", port=0
    )
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    yield
    server.stop()


@pytest.mark.usefixtures("aws")
async def test_aws_credentials_are_changed_for_a_token_of_ecr(tmp_path: Path) -> None:
    login = await find_login(_ECR, DockerAccess("unix:///nonexistent", tmp_path))
    assert isinstance(login, RegistryLogin)
    assert login.username == "AWS"
    assert login.password


@pytest.mark.usefixtures("no_aws")
async def test_aws_that_does_not_answer_is_a_failed_push(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("botocore", reason="botocore is missing")
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    reason = await find_login(_ECR, DockerAccess("unix:///nonexistent", tmp_path))
    assert isinstance(reason, Reason)
    assert "http://127.0.0.1:1" in reason.text


def test_a_login_never_shows_its_secrets() -> None:
    assert "hidden" not in repr(RegistryLogin("me", "hidden", "hidden too"))
