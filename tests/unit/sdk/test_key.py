from pathlib import Path

import pytest

from lineshaft.model.errors import ConfigurationError
from lineshaft.sdk.key import worker_key


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.touch(mode=0o600)
    path.write_text("# made in May\n\n  secret-1  \nsecret-2\n")
    return path


def test_without_a_file_and_a_variable_there_is_no_key() -> None:
    assert worker_key(None, named=False, environment={"LINESHAFT_WORKER_KEY": ""}) is None


def test_a_key_is_the_first_line_that_counts(key_file: Path) -> None:
    assert worker_key(key_file, named=True, environment={}) == "secret-1"


def test_the_environment_may_hold_the_key_itself() -> None:
    assert worker_key(None, named=False, environment={"LINESHAFT_WORKER_KEY": "secret\n"}) == "secret"


@pytest.mark.parametrize(("named", "key"), [(True, "secret-1"), (False, "secret-3")])
def test_a_file_on_the_command_line_is_stronger_than_the_environment_and_another_is_not(
    key_file: Path, *, named: bool, key: str
) -> None:
    assert worker_key(key_file, named=named, environment={"LINESHAFT_WORKER_KEY": "secret-3"}) == key


@pytest.mark.parametrize("text", ["", "\n\n", "# only a remark\n"])
def test_an_empty_file_is_refused(key_file: Path, text: str) -> None:
    key_file.write_text(text)
    with pytest.raises(ConfigurationError, match="is empty"):
        worker_key(key_file, named=True, environment={})


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        worker_key(tmp_path / name, named=True, environment={})


@pytest.mark.parametrize("text", ["two words", "clé", "x" * 513, "\x00\x01"])
def test_what_is_no_key_is_refused_without_repeating_it(key_file: Path, text: str) -> None:
    key_file.write_text(text)
    with pytest.raises(ConfigurationError) as refusal:
        worker_key(key_file, named=True, environment={})
    assert text not in refusal.value.message


def test_a_file_that_everybody_may_read_is_warned_of(
    key_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    worker_key(key_file, named=True, environment={})
    assert not caplog.records
    key_file.chmod(0o604)
    worker_key(key_file, named=True, environment={})
    assert "chmod 600" in caplog.text
