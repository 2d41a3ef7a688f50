import pytest

from lineshaft.services.access.passwords import PasswordHashing, password_complaint


@pytest.mark.parametrize("password", ["12 chars???", "correct horse", "ü" * 8, "x" * 1024, "        "])
def test_length_is_what_counts(password: str) -> None:
    assert password_complaint(password, "ada") is None


@pytest.mark.parametrize("password", ["", "1234567", "x" * 1025])
def test_too_short_and_too_long_ones_are_refused(password: str) -> None:
    assert password_complaint(password) == "must have 8 to 1024 characters"


@pytest.mark.parametrize(
    "password", ["password", "Password", "QWERTYUIOP", "123456789", "iloveyou", "P@ssw0rd"]
)
def test_the_commonest_are_refused_however_their_letters_are_written(password: str) -> None:
    assert "one of the commonest" in (password_complaint(password) or "")


def test_the_lines_that_tell_where_the_list_comes_from_are_no_passwords() -> None:
    assert password_complaint("# MIT License. Copyright (c) 2025 Daniel Miessler") is None


@pytest.mark.parametrize("password", ["ada.lovelace", "Ada.Lovelace"])
def test_the_users_own_name_is_refused(password: str) -> None:
    assert password_complaint(password, "ada.lovelace") == "must not be the user's name"


@pytest.mark.parametrize("password", ["open\nsesame", "open\0sesame", "open\x7fsesame", "open\ud800sesame"])
def test_what_basic_authentication_cannot_send_is_refused(password: str) -> None:
    assert password_complaint(password) == "must not have control characters in it"


async def test_a_hash_matches_its_password_alone() -> None:
    hashing = PasswordHashing()

    encoded = await hashing.hash("open sesame")

    assert encoded.startswith("$argon2id$")
    assert await hashing.matches(encoded, "open sesame")
    assert not await hashing.matches(encoded, "Open sesame")


@pytest.mark.parametrize("encoded", ["", "$argon2id$1", "open sesame"])
async def test_what_is_no_hash_matches_nothing(encoded: str) -> None:
    assert not await PasswordHashing().matches(encoded, "open sesame")


async def test_bytes_that_are_no_utf_8_make_a_password_of_the_settings_as_well() -> None:
    hashing = PasswordHashing()

    assert await hashing.matches(await hashing.hash("open\udcff"), "open\udcff")
