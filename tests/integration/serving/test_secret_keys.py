"""The keys of secrets, as a server finds or makes them."""

from pathlib import Path

import pytest

from lineshaft.integrations.key_ring import new_key
from lineshaft.model.errors import ConfigurationError
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.model.secret import SecretAddress
from lineshaft.server.composition import SECRETS_KEY, open_control_plane
from lineshaft.server.settings import ServerSettings

VALUE = "correct-horse-battery"


def settings(folder: Path, **given: object) -> ServerSettings:
    return ServerSettings.load(data=folder / "data", **given)


async def test_a_server_makes_its_key_once_and_opens_with_it_after_a_restart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_control_plane(settings(tmp_path)) as plane:
        await plane.secrets.keeping.set(SecretAddress("TOKEN"), VALUE, INSIDE_ACTOR)
    key = (tmp_path / "data" / SECRETS_KEY).read_text()

    async with open_control_plane(settings(tmp_path)) as plane:
        resealed = await plane.secrets.keeping.reseal(INSIDE_ACTOR)

    assert (resealed.count, resealed.unopened) == (0, ())
    assert (tmp_path / "data" / SECRETS_KEY).read_text() == key
    assert "cannot be opened" not in caplog.text


async def test_a_second_server_with_a_key_of_its_own_says_what_it_cannot_open(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_control_plane(settings(tmp_path)) as plane:
        await plane.secrets.keeping.set(SecretAddress("TOKEN"), VALUE, INSIDE_ACTOR)

    async with open_control_plane(settings(tmp_path, secrets_key=new_key())) as plane:
        resealed = await plane.secrets.keeping.reseal(INSIDE_ACTOR)

    assert [secret.address.name for secret in resealed.unopened] == ["TOKEN"]
    assert "1 secret cannot be opened by this server. A secret was sealed with the key" in caplog.text


async def test_a_named_file_goes_before_the_variable_and_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(new_key())
    (tmp_path / "keys").chmod(0o600)
    given = settings(tmp_path, secrets_key_file=tmp_path / "keys", secrets_key="no key at all")

    async with open_control_plane(given):
        pass

    assert not (tmp_path / "data" / SECRETS_KEY).exists()


async def test_a_torn_key_keeps_a_server_from_starting(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / SECRETS_KEY).touch(0o600)
    with pytest.raises(ConfigurationError, match="holds no key"):
        async with open_control_plane(settings(tmp_path)):
            pass


async def test_a_variable_that_holds_no_key_is_told_without_being_repeated(tmp_path: Path) -> None:
    given = settings(tmp_path, secrets_key="my-own-password")
    with pytest.raises(ConfigurationError, match="LINESHAFT_SECRETS_KEY is no key") as caught:
        async with open_control_plane(given):
            pass
    assert "my-own-password" not in f"{caught.value} {given!r}"
