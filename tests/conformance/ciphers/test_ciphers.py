"""What every cipher does; see `ports.cipher.Cipher`."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from lineshaft.model.errors import SecretsUnavailableError
from lineshaft.ports.cipher import Cipher

MakeCipher = Callable[..., Cipher]


@pytest.mark.parametrize("plain", [b"", b"x", b"\0\xff" * 40_000])
async def test_what_was_sealed_is_opened(make: MakeCipher, plain: bytes) -> None:
    cipher = make(1)
    assert await cipher.open(await cipher.seal(plain, b"here"), b"here") == plain


async def test_what_was_sealed_for_another_context_is_not_opened(make: MakeCipher) -> None:
    cipher = make(1)
    sealed = await cipher.seal(b"value", b"here")
    with pytest.raises(SecretsUnavailableError):
        await cipher.open(sealed, b"there")


@pytest.mark.parametrize("at", [0, 14, -1])
async def test_what_was_changed_is_not_opened(make: MakeCipher, at: int) -> None:
    cipher = make(1)
    sealed = await cipher.seal(b"value", b"here")
    data = bytearray(sealed.data)
    data[at] ^= 1
    with pytest.raises(SecretsUnavailableError):
        await cipher.open(replace(sealed, data=bytes(data)), b"here")


@pytest.mark.parametrize("length", [0, 5, 20])
async def test_what_was_cut_short_is_not_opened(make: MakeCipher, length: int) -> None:
    cipher = make(1)
    sealed = await cipher.seal(b"a value of some length", b"here")
    with pytest.raises(SecretsUnavailableError):
        await cipher.open(replace(sealed, data=sealed.data[:length]), b"here")


async def test_the_current_key_is_told_with_what_it_seals_and_is_the_same_everywhere(
    make: MakeCipher,
) -> None:
    cipher, elsewhere = make(1), make(1)
    sealed = await cipher.seal(b"value", b"")
    assert sealed.key_id == cipher.current_key_id == elsewhere.current_key_id
    assert cipher.current_key_id != make(2).current_key_id
    assert await elsewhere.open(sealed, b"") == b"value"


async def test_an_older_key_opens_what_it_has_sealed_for_as_long_as_it_is_there(make: MakeCipher) -> None:
    sealed = await make(1).seal(b"value", b"")
    assert await make(2, 1).open(sealed, b"") == b"value"
    assert (await make(2, 1).seal(b"value", b"")).key_id == make(2).current_key_id


async def test_without_its_key_it_is_said_which_one_is_missing(make: MakeCipher) -> None:
    sealed = await make(1).seal(b"value", b"")
    with pytest.raises(SecretsUnavailableError, match=sealed.key_id):
        await make(2).open(sealed, b"")


async def test_many_may_seal_and_open_at_once(make: MakeCipher) -> None:
    cipher = make(1)
    values = [str(number).encode() for number in range(50)]
    sealed = await asyncio.gather(*(cipher.seal(value, value) for value in values))
    opened = await asyncio.gather(
        *(cipher.open(each, value) for each, value in zip(sealed, values, strict=True))
    )
    assert opened == values
