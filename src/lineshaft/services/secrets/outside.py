"""Secrets from outside the database, held to what holds for those within."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from lineshaft.model.errors import SecretsUnavailableError
from lineshaft.model.secret import NO_PIPELINE, FoundSecret, Wanted
from lineshaft.ports.secret_store import SecretStore
from lineshaft.ports.store import Store
from lineshaft.services.secrets.keeping import why_refused
from lineshaft.services.secrets.pipeline_names import true_names


class OutsideSecrets:
    """A store that is asked by the true names of pipelines, and of which only what can be masked is taken."""

    def __init__(self, store: Store, outside: SecretStore) -> None:
        """Stand before another store.

        Args:
            store: knows the names.
            outside: has the secrets.
        """
        self._store: Final = store
        self._outside: Final = outside

    async def missing(self, wanted: Sequence[Wanted]) -> frozenset[Wanted]:
        """Tell which of them are nowhere.

        Raises:
            SecretsUnavailableError: the store does not answer, or another pipeline has the same name.
        """
        named = await self._named(wanted)
        missing = await self._outside.missing(tuple(named.values()))
        return frozenset(each for each, asked in named.items() if asked in missing)

    async def fetch(self, wanted: Sequence[Wanted]) -> Mapping[Wanted, FoundSecret]:
        """Return the values of those that are there.

        Raises:
            SecretsUnavailableError: as `missing`, or a value can be no secret.
        """
        named = await self._named(wanted)
        found = await self._outside.fetch(tuple(named.values()))
        for asked, secret in found.items():
            why = why_refused(secret.value)
            if why is not None:
                # The value itself is repeated nowhere.
                raise SecretsUnavailableError(f"The value of {asked.name} ({secret.found_at}) {why}.")
        return {each: found[asked] for each, asked in named.items() if asked in found}

    async def _named(self, wanted: Sequence[Wanted]) -> Mapping[Wanted, Wanted]:
        ids = {each.pipeline_id for each in wanted} - {NO_PIPELINE}
        names = await self._store.read(lambda transaction: true_names(transaction, ids)) if ids else {}
        names = {NO_PIPELINE: "", **names}
        return {each: replace(each, pipeline=names[each.pipeline_id]) for each in wanted}
