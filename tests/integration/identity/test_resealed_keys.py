"""Keys of identity tokens under another key that seals."""

from pathlib import Path

import pytest

from integration.identity.house import AUDIENCE, open_house
from lineshaft.model.audit_entry import Action
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.ports.cipher import FakeCipher
from lineshaft.ports.ids import RandomIds
from lineshaft.services.secrets.identity import Issued
from lineshaft.services.secrets.keeping import SecretService


async def test_a_resealed_key_signs_on_without_the_former_sealing_key(
    tmp_path: Path, database_url: str
) -> None:
    async with open_house(tmp_path, database_url, FakeCipher("old")) as house:
        lease = await house.lease()
        before = await house.plane.secrets.identity.issue(lease, {"T": AUDIENCE})
        rotating = SecretService(house.plane.store, house.clock, RandomIds(), FakeCipher("new", "old"))

        resealed = await rotating.reseal(INSIDE_ACTOR)
        again = await rotating.reseal(INSIDE_ACTOR)

        assert (resealed.signing_keys, again.signing_keys) == (1, 0)
        (key,) = await house.keys()
        after = await house.other_process(FakeCipher("new")).issue(lease, {"T": AUDIENCE})
        assert head_of(before) == head_of(after)
        await house.admitted(after.tokens["T"])
        assert await house.keys() == [key]
        (entry,) = [each for each in await house.audit() if each.action is Action.SECRETS_RESEALED]
        assert (entry.target, entry.detail) == ("new", {"signing_key": key.id})


async def test_a_signing_key_that_cannot_be_opened_is_left_and_another_one_made(
    tmp_path: Path, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_house(tmp_path, database_url, FakeCipher("lost")) as house:
        lease = await house.lease()
        await house.plane.secrets.identity.issue(lease, {"T": AUDIENCE})
        (lost,) = await house.keys()
        rotating = SecretService(house.plane.store, house.clock, RandomIds(), FakeCipher("new"))

        assert (await rotating.reseal(INSIDE_ACTOR)).signing_keys == 0

        assert await house.keys() == [lost]
        assert f"The signing key {lost.id} cannot be sealed anew" in caplog.text
        issued = await house.other_process(FakeCipher("new")).issue(lease, {"T": AUDIENCE})
        await house.admitted(issued.tokens["T"])


def head_of(issued: Issued) -> str:
    return issued.tokens["T"].partition(".")[0]
