from pathlib import Path

import pytest

from lineshaft.model.errors import ConfigurationError
from lineshaft.sdk.nats.access import NatsAccess


def test_several_addresses_are_servers_any_of_which_will_do() -> None:
    access = NatsAccess.of("nats://a,nats://[::1]:5222")

    assert access.servers == ("nats://a:4222", "nats://[::1]:5222")
    assert not access.tls_only


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a:4222",
        "http://a",
        "nats://",
        "nats://u:p@a",
        "nats://a:0",
        "nats://a:99999",
        "nats://a/x",
        "nats://a, b",
    ],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match="NATS"):
        NatsAccess.of(address)


def test_an_address_of_tls_asks_for_it() -> None:
    assert NatsAccess.of("tls://a").tls_only


def test_half_a_way_to_sign_in_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="sign in"):
        NatsAccess.of("nats://a", user="u")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.creds"):
        NatsAccess.of("nats://a", credentials=tmp_path / "none.creds")


def test_the_password_is_not_shown() -> None:
    assert "hidden" not in repr(NatsAccess.of("nats://a", user="u", password="hidden"))
