"""The file that holds worker keys."""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from lineshaft.model.errors import ConfigurationError
from lineshaft.server.worker_keys_file import WorkerKeysFile
from lineshaft.services.fleet.worker_keys import key_hash

KEY = "a-key-of-seventeen"
OTHER = "another-key-of-some-length"


class Keys:
    """A file of keys that a test writes, each time at another time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._times: Iterator[int] = count(1_000_000_000, 10)

    def write(self, text: str | bytes, mode: int = 0o600) -> None:
        self.path.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.path.chmod(mode)
        moment = next(self._times)
        os.utime(self.path, (moment, moment))


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "keys")


def _holds(file: WorkerKeysFile, key: str) -> bool:
    return key_hash(key.encode()) in file()


def test_each_line_is_a_key_but_for_comments_and_empty_lines(keys: Keys) -> None:
    keys.write(f"# Workers of the build farm\n\n  {KEY}  \r\n{OTHER}\n")

    file = WorkerKeysFile(keys.path)

    assert len(file()) == 2
    assert _holds(file, KEY)
    assert _holds(file, OTHER)


def test_each_key_is_a_caller_of_its_own_that_stays_the_same(keys: Keys) -> None:
    keys.write(f"{KEY}\n{OTHER}\n")
    before = WorkerKeysFile(keys.path)()
    keys.write(f"{OTHER}\n{KEY}\n")

    assert WorkerKeysFile(keys.path)() == before
    assert len({caller.key_id for caller in before.values()}) == 2


def test_the_file_is_read_again_when_it_changes(keys: Keys) -> None:
    keys.write(KEY)
    file = WorkerKeysFile(keys.path)

    keys.write(OTHER)

    assert not _holds(file, KEY)
    assert _holds(file, OTHER)


def test_a_file_that_goes_away_holds_no_key_until_it_comes_back(
    keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    keys.write(KEY)
    file = WorkerKeysFile(keys.path)

    keys.path.unlink()
    assert not _holds(file, KEY)
    assert not _holds(file, KEY)
    assert caplog.text.count("cannot be read any more") == 1

    keys.write(KEY)
    assert _holds(file, KEY)


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n"])
def test_a_file_without_a_key_is_told_of(keys: Keys, caplog: pytest.LogCaptureFixture, text: str) -> None:
    keys.write(text)

    assert WorkerKeysFile(keys.path)() == {}
    assert "holds no key" in caplog.text


def test_short_keys_are_taken_and_told_of_without_being_shown(
    keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    keys.write("key1\n")

    assert _holds(WorkerKeysFile(keys.path), "key1")
    assert "1 of the keys" in caplog.text
    assert "key1" not in caplog.text


def test_a_file_that_everybody_may_read_is_told_of(keys: Keys, caplog: pytest.LogCaptureFixture) -> None:
    keys.write(KEY, mode=0o644)

    assert _holds(WorkerKeysFile(keys.path), KEY)
    assert "chmod 600" in caplog.text


def test_bytes_that_are_no_text_are_keys_as_well(keys: Keys) -> None:
    keys.write(b"\xff\xfe-and-more-of-them\n")

    assert key_hash(b"\xff\xfe-and-more-of-them") in WorkerKeysFile(keys.path)()


def test_a_server_does_not_start_with_a_file_that_cannot_be_read(keys: Keys, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        WorkerKeysFile(keys.path)
    with pytest.raises(ConfigurationError, match="directory"):
        WorkerKeysFile(tmp_path)


def test_a_file_that_is_too_long_is_refused(keys: Keys) -> None:
    keys.write("k" * 1_100_000)

    with pytest.raises(ConfigurationError, match="longer than"):
        WorkerKeysFile(keys.path)
