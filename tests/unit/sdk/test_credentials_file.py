import json
import stat
from pathlib import Path

import pytest

from lineshaft.model.errors import ConfigurationError
from lineshaft.sdk.config import ClientConfig, credentials_file
from lineshaft.sdk.credentials_file import CredentialsFile, Login, is_token
from lineshaft.sdk.transport import bearer

URL = "https://ci.example"
LOGIN = Login("ada", "lst_secret", "0197a9b0-7e0e-7000-8000-000000000001")


@pytest.fixture
def file(tmp_path: Path) -> CredentialsFile:
    return CredentialsFile(tmp_path / "lineshaft" / "credentials.json")


def load(folder: Path, url: str = URL, **said: str) -> ClientConfig:
    variables = {f"LINESHAFT_{name.upper()}": value for name, value in said.items()}
    return ClientConfig.load(url=url, environment={"XDG_CONFIG_HOME": str(folder), **variables})


def test_what_is_kept_for_a_server_is_found_for_it_alone(file: CredentialsFile) -> None:
    other = Login("bob", "lst_other", "1")
    file.keep(URL, LOGIN)
    file.keep("http://localhost:5001", other)

    assert (file.find(URL), file.find("http://localhost:5001")) == (LOGIN, other)
    assert file.find("https://other.example") is None


def test_nobody_else_may_read_it_whatever_the_file_was_before(file: CredentialsFile) -> None:
    file.path.parent.mkdir()
    file.path.write_text("{}")
    file.path.chmod(0o644)

    file.keep(URL, LOGIN)

    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [each.name for each in file.path.parent.iterdir()] == ["credentials.json"]


def test_what_was_left_by_a_program_that_was_killed_is_no_obstacle(file: CredentialsFile) -> None:
    file.path.parent.mkdir()
    left = file.path.with_name(".credentials.json.new")
    left.write_text("half")
    left.chmod(0o666)

    file.keep(URL, LOGIN)

    assert file.find(URL) == LOGIN
    assert not left.exists()


def test_what_is_forgotten_is_gone_and_the_rest_stays(file: CredentialsFile) -> None:
    file.keep(URL, LOGIN)
    file.keep("http://localhost:5001", LOGIN)

    file.forget(URL)
    file.forget("https://never.example")

    assert (file.find(URL), file.find("http://localhost:5001")) == (None, LOGIN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "[" * 100_000,
        "\udcff",
        f'{{"{URL}": 1}}',
        f'{{"{URL}": {{}}}}',
        f'{{"{URL}": {{"token": "a"}}}}',
    ],
    ids=["empty", "open", "list", "deep", "bytes", "number", "nothing", "half"],
)
def test_a_file_that_makes_no_sense_is_refused_without_what_is_in_it(
    file: CredentialsFile, text: str
) -> None:
    file.path.parent.mkdir()
    file.path.write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(ConfigurationError, match="makes no sense") as refused:
        file.find(URL)

    assert "lineshaft login" in refused.value.advice


@pytest.mark.parametrize("token", ["", "a b", "a\nb", "ä", "x" * 513, 7, None])
def test_a_token_that_cannot_be_sent_is_refused(file: CredentialsFile, token: object) -> None:
    assert not is_token(token)
    file.path.parent.mkdir()
    file.path.write_text(json.dumps({URL: {"username": "ada", "token": token, "token_id": "1"}}))

    with pytest.raises(ConfigurationError):
        file.find(URL)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "lineshaft").write_text("a file")

    with pytest.raises(ConfigurationError, match="cannot be written") as refused:
        CredentialsFile(tmp_path / "lineshaft" / "credentials.json").keep(URL, LOGIN)

    assert "XDG_CONFIG_HOME" in refused.value.advice


def test_a_token_is_not_shown_by_accident() -> None:
    assert "lst_secret" not in repr(LOGIN)
    assert "lst_secret" not in repr(ClientConfig(URL, "ada", "", "lst_secret"))


def test_the_file_stands_beside_the_users_own_configuration_file(tmp_path: Path) -> None:
    found = credentials_file({"XDG_CONFIG_HOME": str(tmp_path)})

    assert found == CredentialsFile(tmp_path / "lineshaft" / "credentials.json")


def test_a_client_shows_what_was_signed_in_with(tmp_path: Path, file: CredentialsFile) -> None:
    file.keep(URL, LOGIN)

    assert load(tmp_path) == ClientConfig(URL, "ada", "", "lst_secret")
    assert load(tmp_path, URL + "/").token == "lst_secret"
    assert load(tmp_path, "http://localhost:5001") == ClientConfig("http://localhost:5001", "admin", "admin")


def test_a_password_goes_before_what_was_signed_in_with(tmp_path: Path, file: CredentialsFile) -> None:
    file.keep(URL, LOGIN)

    assert load(tmp_path, password="sesame") == ClientConfig(URL, "admin", "sesame")
    assert load(tmp_path, username="ada").token == "lst_secret"
    with pytest.raises(ConfigurationError, match="no password"):
        load(tmp_path, username="bob")


def test_a_token_goes_before_a_name_and_a_password_of_the_same_place(tmp_path: Path) -> None:
    config = load(tmp_path, token="lst_env", username="ada", password="sesame")

    assert (config.token, config.password) == ("lst_env", "")


def test_what_is_said_in_a_stronger_place_goes_before_a_token_of_a_weaker_one(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[client]\ntoken = "lst_file"\npassword = "sesame"\n')
    said = {"LINESHAFT_USERNAME": "ada"}

    assert ClientConfig.load(url=URL, config=path, environment={}).token == "lst_file"
    assert ClientConfig.load(url=URL, config=path, environment=said) == ClientConfig(URL, "ada", "sesame")
    assert ClientConfig.load(url=URL, config=path, token="lst_flag", environment=said).token == "lst_flag"


def test_a_token_that_is_none_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(tmp_path, token="two words")

    assert "two words" not in f"{refused.value} {refused.value.advice}"


def test_a_server_elsewhere_without_credentials_is_told_how_to_sign_in(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(tmp_path)

    assert "lineshaft login" in refused.value.advice
    assert "LINESHAFT_TOKEN" in refused.value.advice


def test_whoever_has_a_key_needs_none_of_it(tmp_path: Path, file: CredentialsFile) -> None:
    file.path.parent.mkdir()
    file.path.write_text("{")

    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert ClientConfig.load(url=URL, needs_password=False, environment=environment).token is None


def test_a_token_is_sent_as_a_bearer_token() -> None:
    assert bearer("lst_secret") == {"Authorization": "Bearer lst_secret"}
    assert bearer(None) == {}
