"""The ciphers that the suite is run against."""

from collections.abc import Callable

import pytest

from lineshaft.integrations.key_ring import KEY_BYTES, KeyRing
from lineshaft.ports.cipher import Cipher, FakeCipher

MakeCipher = Callable[..., Cipher]
"""Makes a cipher that has the keys of some numbers, of which the first seals."""


@pytest.fixture(params=["keys", "fake"])
def make(request: pytest.FixtureRequest) -> MakeCipher:
    """Make ciphers of each kind."""
    return _ring if request.param == "keys" else _fake


def _ring(*numbers: int) -> Cipher:
    return KeyRing([bytes([number]) * KEY_BYTES for number in numbers])


def _fake(*numbers: int) -> Cipher:
    return FakeCipher(*map(str, numbers))
