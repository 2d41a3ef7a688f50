"""A place of secrets besides the database, for tests."""

import asyncio
from collections.abc import Mapping, Sequence

from lineshaft.model.errors import SecretsUnavailableError
from lineshaft.model.secret import FoundSecret, Wanted
from lineshaft.ports.secret_store import GivenSecrets


class Vault:
    """A store that can be sealed up for good or for some calls, or silent."""

    def __init__(self, **values: str) -> None:
        self._secrets = GivenSecrets(values, found_at="vault")
        self.down = False
        self.failures = 0
        self.silent = False
        self.fault: Exception | None = None
        self.asked: list[Wanted] = []

    async def missing(self, wanted: Sequence[Wanted]) -> frozenset[Wanted]:
        await self._answer(wanted)
        return await self._secrets.missing(wanted)

    async def fetch(self, wanted: Sequence[Wanted]) -> Mapping[Wanted, FoundSecret]:
        await self._answer(wanted)
        return await self._secrets.fetch(wanted)

    async def _answer(self, wanted: Sequence[Wanted]) -> None:
        self.asked += wanted
        if self.fault is not None:
            raise self.fault
        self.failures -= 1
        if self.down or self.failures >= 0:
            raise SecretsUnavailableError("The vault is sealed.", advice="Unseal it.")
        if self.silent:
            await asyncio.Event().wait()
