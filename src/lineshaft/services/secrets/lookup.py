"""Looking secrets up for tasks: in the database first, then wherever else they may be."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final, TypeVar

from lineshaft.model.errors import SecretsUnavailableError
from lineshaft.model.secret import FoundSecret, Secret, SecretAddress, Wanted, closest
from lineshaft.ports.cipher import Cipher
from lineshaft.ports.secret_store import SecretStore
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.secrets.keeping import context_of
from lineshaft.services.secrets.wanted import by_pipeline, missing_secrets

T = TypeVar("T")

PATIENCE: Final = timedelta(seconds=10)
"""How long to wait for what a store of secrets answers."""


class DatabaseSecrets:
    """The secrets that the database keeps; a `ports.secret_store.SecretStore`."""

    def __init__(self, store: Store, cipher: Cipher) -> None:
        self._store = store
        self._cipher = cipher

    async def missing(self, wanted: Sequence[Wanted]) -> frozenset[Wanted]:
        """Tell which of them are nowhere, without reading any value."""
        return await self._store.read(lambda transaction: missing_secrets(transaction, wanted))

    async def fetch(self, wanted: Sequence[Wanted]) -> Mapping[Wanted, FoundSecret]:
        """Return the values of those that are there.

        Raises:
            SecretsUnavailableError: one of them cannot be opened.
        """
        chosen = await self._store.read(lambda transaction: _chosen(transaction, wanted))
        return {each: await self._opened(secret) for each, secret in chosen.items()}

    async def _opened(self, secret: Secret) -> FoundSecret:
        plain = await self._cipher.open(secret.value, context_of(secret))
        address = secret.address
        return FoundSecret(plain.decode(), place_of(address), for_server=address.for_server)


class SecretChain:
    """Several stores as one: what the first has not is looked for in the next."""

    def __init__(self, stores: Iterable[SecretStore], patience: timedelta = PATIENCE) -> None:
        """Make one.

        Args:
            stores: in the order in which they are asked.
            patience: how long to wait for an answer; who calls here holds up a worker or a run.
        """
        self._stores: Final = tuple(stores)
        self._patience: Final = patience

    async def missing(self, wanted: Sequence[Wanted]) -> frozenset[Wanted]:
        """Tell which of them are nowhere.

        Raises:
            SecretsUnavailableError: a store that was to be asked does not answer.
        """
        left = frozenset(wanted)
        for store in self._stores:
            if left:
                left = await self._answer(store.missing(tuple(left)))
        return left

    async def fetch(self, wanted: Sequence[Wanted]) -> Mapping[Wanted, FoundSecret]:
        """Return the values of those that are anywhere.

        Raises:
            SecretsUnavailableError: a store that was to be asked does not answer.
        """
        found: dict[Wanted, FoundSecret] = {}
        for store in self._stores:
            left = [each for each in wanted if each not in found]
            if left:
                found.update(await self._answer(store.fetch(left)))
        return found

    async def _answer(self, asked: Awaitable[T]) -> T:
        seconds = self._patience.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                return await asked
        except TimeoutError:
            raise SecretsUnavailableError(
                f"What keeps them has not answered for {seconds:g} seconds.", advice="Look at its own log."
            ) from None


def place_of(address: SecretAddress) -> str:
    """Say for people whom a secret is for."""
    if address.for_server:
        return "server"
    whose = "all pipelines" if address.pipeline_id is None else "pipeline"
    return whose if address.environment is None else f"{whose}, environment {address.environment}"


def _chosen(transaction: Transaction, wanted: Sequence[Wanted]) -> dict[Wanted, Secret]:
    chosen: dict[Wanted, Secret] = {}
    for pipeline_id, asked in by_pipeline(wanted).items():
        names = {each.name for each in asked}
        there: defaultdict[str, dict[SecretAddress, Secret]] = defaultdict(dict)
        for secret in transaction.secrets.fitting(pipeline_id, names):
            there[secret.address.name][secret.address] = secret
        for each in asked:
            address = closest(each, there[each.name])
            if address is not None:
                chosen[each] = there[each.name][address]
    return chosen
