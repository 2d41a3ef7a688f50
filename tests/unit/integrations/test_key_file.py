"""Keys that seal secrets: in memory, and in their file."""

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lineshaft.integrations.key_file import own_key_file, read_key_file
from lineshaft.integrations.key_ring import KEY_BYTES, KeyRing, new_key
from lineshaft.model.errors import ConfigurationError, SecretsUnavailableError


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "keys"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_new_key_is_a_line_of_32_bytes_and_never_the_same() -> None:
    assert len(base64.b64decode(new_key(), validate=True)) == KEY_BYTES
    assert new_key() != new_key()


async def test_of_several_lines_the_first_seals_and_all_open(tmp_path: Path) -> None:
    new, old = new_key(), new_key()
    sealed = await KeyRing.read(old, "here").seal(b"value", b"")
    ring = read_key_file(written(tmp_path, f"# of June\n{new}\n\n  {old}  \n"))
    assert ring.current_key_id == KeyRing.read(new, "here").current_key_id
    assert ring.key_ids == {ring.current_key_id, sealed.key_id}
    assert await ring.open(sealed, b"") == b"value"


async def test_the_same_value_is_never_sealed_alike() -> None:
    ring = KeyRing.read(new_key(), "here")
    assert await ring.seal(b"value", b"") != await ring.seal(b"value", b"")


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing but words\n"])
def test_an_empty_file_is_refused_with_advice(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match="holds no key") as caught:
        read_key_file(written(tmp_path, text))
    assert "Put back the key" in caught.value.advice


@pytest.mark.parametrize("cut", [1, 20, 43])
def test_a_torn_key_is_refused_without_being_repeated(tmp_path: Path, cut: int) -> None:
    torn = new_key()[:cut]
    with pytest.raises(ConfigurationError, match=r"Line 2 of .*keys is no key") as caught:
        read_key_file(written(tmp_path, f"{new_key()}\n{torn}"))
    assert cut == 1 or torn not in str(caught.value) + caught.value.advice


@pytest.mark.parametrize("mode", [0o644, 0o602, 0o620, 0o601])
def test_a_file_that_others_may_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigurationError, match="Not only its owner") as caught:
        read_key_file(written(tmp_path, new_key(), mode))
    assert "chmod 600" in caught.value.advice


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o440, 0o640])
def test_a_file_may_be_read_by_its_owner_and_group(tmp_path: Path, mode: int) -> None:
    assert read_key_file(written(tmp_path, new_key(), mode)).key_ids


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_file_that_is_none_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_key_file(tmp_path / name)


def test_an_endless_file_is_no_file_of_keys(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="longer than 65,536 bytes"):
        read_key_file(written(tmp_path, "#" * 70_000))


def test_the_servers_own_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets.key"
    first = own_key_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert own_key_file(path).current_key_id == first.current_key_id
    assert list(tmp_path.iterdir()) == [path]


def test_servers_that_start_at_once_in_one_folder_share_a_key(tmp_path: Path) -> None:
    path = tmp_path / "secrets.key"
    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(own_key_file, [path] * 8))
    assert len({ring.current_key_id for ring in rings}) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_an_own_file_that_was_torn_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "secrets.key"
    path.touch(0o600)
    with pytest.raises(ConfigurationError, match="holds no key"):
        own_key_file(path)
    assert path.read_bytes() == b""


def test_a_link_that_leads_nowhere_is_not_taken_for_a_first_start(tmp_path: Path) -> None:
    path = tmp_path / "secrets.key"
    path.symlink_to(tmp_path / "not mounted")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        own_key_file(path)


def test_a_folder_that_takes_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be made") as caught:
        own_key_file(tmp_path / "missing" / "secrets.key")
    assert "LINESHAFT_SECRETS_KEY_FILE" in caught.value.advice


async def test_a_server_with_another_key_says_that_it_cannot_open_what_the_first_sealed(
    tmp_path: Path,
) -> None:
    first, second = own_key_file(tmp_path / "one"), own_key_file(tmp_path / "two")
    sealed = await first.seal(b"value", b"")
    with pytest.raises(SecretsUnavailableError) as caught:
        await second.open(sealed, b"")
    assert first.current_key_id in caught.value.message
    assert second.current_key_id in caught.value.message
    assert "the same keys" in caught.value.advice


def test_keys_are_in_nothing_that_a_ring_shows_of_itself() -> None:
    key = new_key()
    ring = KeyRing.read(key, "here")
    assert key not in f"{ring!r} {vars(ring)}"
