from pathlib import Path

import pytest

from lineshaft.model.errors import ConfigurationError
from lineshaft.sdk.config import ClientConfig, default_path, is_loopback, read_table

NOWHERE = {"XDG_CONFIG_HOME": "/nonexistent"}


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


def test_a_client_needs_nothing_to_reach_a_fresh_server_on_this_machine() -> None:
    assert ClientConfig.load(environment=NOWHERE) == ClientConfig("http://localhost:5001", "admin", "admin")


def test_what_is_given_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, '[client]\nurl = "http://file:1"\nusername = "file"\npassword = "file"\n')
    environment = {"LINESHAFT_URL": "http://env:1", "LINESHAFT_USERNAME": "env"}
    config = ClientConfig.load(url="http://flag:1", config=path, environment=environment)
    assert config == ClientConfig("http://flag:1", "env", "file")


def test_an_empty_variable_counts_as_absent() -> None:
    environment = {**NOWHERE, "LINESHAFT_URL": "", "LINESHAFT_PASSWORD": ""}
    assert ClientConfig.load(environment=environment).url == "http://localhost:5001"


def test_a_server_elsewhere_gets_no_default_password() -> None:
    with pytest.raises(ConfigurationError, match=r"no password for https://ci\.example") as caught:
        ClientConfig.load(url="https://ci.example", environment=NOWHERE)
    assert "LINESHAFT_PASSWORD" in caught.value.advice


def test_the_file_is_found_by_its_variable(tmp_path: Path) -> None:
    path = write(tmp_path, '[client]\nurl = "http://127.0.0.1:9"\n')
    assert ClientConfig.load(environment={"LINESHAFT_CONFIG": str(path)}).url == "http://127.0.0.1:9"


def test_the_file_is_found_in_the_users_configuration_folder(tmp_path: Path) -> None:
    (tmp_path / "lineshaft").mkdir()
    write(tmp_path / "lineshaft", '[client]\nusername = "ada"\n')
    assert ClientConfig.load(environment={"XDG_CONFIG_HOME": str(tmp_path)}).username == "ada"


def test_a_file_that_is_named_must_be_there() -> None:
    with pytest.raises(ConfigurationError, match="no configuration file /nonexistent/c"):
        ClientConfig.load(config=Path("/nonexistent/c"), environment={})


def test_an_unknown_key_is_refused_and_the_nearest_named(tmp_path: Path) -> None:
    path = write(tmp_path, '[client]\nusernam = "ada"\n')
    with pytest.raises(ConfigurationError, match=r"\[client\] has no key `usernam`") as caught:
        ClientConfig.load(config=path, environment={})
    assert caught.value.advice == "Did you mean `username`?"


def test_an_unknown_table_is_refused_and_all_are_named_where_none_is_near(tmp_path: Path) -> None:
    path = write(tmp_path, "[quux]\n")
    with pytest.raises(ConfigurationError, match="no table or key `quux`") as caught:
        read_table("client", (), path, {})
    assert caught.value.advice == "Known: client, server, worker."


def test_a_file_that_is_no_toml_is_refused_with_the_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no valid TOML: .*line 2"):
        read_table("client", (), write(tmp_path, "[client]\nurl =\n"), {})


def test_a_table_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"written as \[client\]"):
        read_table("client", (), write(tmp_path, "client = 1\n"), {})


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Is a directory"):
        read_table("client", (), tmp_path, {})


def test_values_of_another_type_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"`password` in .* must be a string"):
        ClientConfig.load(config=write(tmp_path, "[client]\npassword = 1\n"), environment={})


@pytest.mark.parametrize(
    "url",
    ["localhost:5001", "ftp://host", "http://", "http://host:99999", "http://host/?a=b", "http://a:b@host"],
)
def test_an_address_that_is_no_plain_http_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="no plain http or https URL"):
        ClientConfig.load(url=url, environment=NOWHERE)


def test_a_password_in_an_address_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as caught:
        ClientConfig.load(url="http://ada:sesame@host", environment=NOWHERE)
    assert "sesame" not in f"{caught.value} {caught.value.advice}"


def test_an_address_may_have_a_path_and_loses_its_last_slash() -> None:
    config = ClientConfig.load(url="https://host/ci/", password="sesame", environment=NOWHERE)
    assert config.url == "https://host/ci"


def test_a_password_does_not_show_when_a_configuration_is_printed() -> None:
    assert "sesame" not in repr(ClientConfig("http://host", "ada", "sesame"))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "::1"])
def test_loopback_hosts_are_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "::", "10.0.0.1", "localhost.example", "ci"])
def test_other_hosts_are_not_taken_for_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_the_users_file_is_where_the_xdg_specification_says() -> None:
    assert default_path({"XDG_CONFIG_HOME": "/etc/xdg"}) == Path("/etc/xdg/lineshaft/config.toml")
    assert default_path({}) == Path.home() / ".config/lineshaft/config.toml"
