"""Secrets out of a Vault; a `ports.secret_store.SecretStore`."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final, Self, TypeVar

from lineshaft.integrations.vault.access import VaultAccess
from lineshaft.integrations.vault.door import PATIENCE, Door, Patience
from lineshaft.model.errors import SecretsUnavailableError
from lineshaft.model.secret import FoundSecret, Wanted
from lineshaft.ports.clock import Clock

T = TypeVar("T")

KEPT_FOR: Final = timedelta(seconds=2)
"""How long what was read is kept. The tasks of a run begin together and ask for the same paths; for longer
nobody should have to wait for what was just changed."""

_THREADS: Final = 4
_RENEWAL_SECONDS: Final = 20.0
_LOG: Final = logging.getLogger("lineshaft.secrets")

_Read = asyncio.Task[Mapping[str, Any]]


class VaultSecrets:
    """The secrets in a KV v2 engine: keys of the paths that `VaultAccess.paths` lists.

    A path that may not be read is not taken for one where nothing is, so that nothing of another path comes
    in its place.
    """

    def __init__(self, access: VaultAccess, clock: Clock, patience: Patience = PATIENCE) -> None:
        """Know where they are; nothing is asked for before it is wanted."""
        self._access = access
        self._clock = clock
        self._door = Door(access, clock, patience)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="vault")
        self._reads: dict[str, tuple[datetime, _Read]] = {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Self]:
        """Use it while the context is open; at its end all connections are closed."""
        try:
            yield self
        finally:
            for _, read in self._reads.values():
                await asyncio.gather(read, return_exceptions=True)
            await asyncio.to_thread(self._threads.shutdown)
            self._door.close()

    async def stay_signed_in(self) -> None:
        """Renew the token in time, until this is cancelled, also while nobody wants a secret."""
        while True:
            try:
                await self.check()
            except SecretsUnavailableError as error:
                _LOG.warning("%s %s", error.message, error.advice)
            await asyncio.sleep(_RENEWAL_SECONDS)

    async def check(self) -> None:
        """Sign in where that has not been done, and renew the token where that is due.

        Raises:
            SecretsUnavailableError: the Vault does not answer, or does not let this server in.
        """
        await self._in_thread(self._door.look_after)

    async def missing(self, wanted: Sequence[Wanted]) -> frozenset[Wanted]:
        """Tell which of them are nowhere. Vault tells keys only with their values, which are dropped.

        Raises:
            SecretsUnavailableError: the Vault does not answer, or does not let this server read.
        """
        return frozenset(wanted) - (await self._where(wanted)).keys()

    async def fetch(self, wanted: Sequence[Wanted]) -> Mapping[Wanted, FoundSecret]:
        """Return the values of those that are there.

        Raises:
            SecretsUnavailableError: as `missing`, or a value is no text.
        """
        found: dict[Wanted, FoundSecret] = {}
        for each, (path, value) in (await self._where(wanted)).items():
            place = f"Vault, {self._access.mount}/{path}"
            if not isinstance(value, str):
                raise SecretsUnavailableError(
                    f"The secret {each.name} in {place} is no text.", advice="Write it there as a string."
                )
            found[each] = FoundSecret(value, place, for_server=path == self._access.server_path)
        return found

    async def _where(self, wanted: Sequence[Wanted]) -> Mapping[Wanted, tuple[str, Any]]:
        asked: defaultdict[tuple[str | None, str], list[Wanted]] = defaultdict(list)
        for each in wanted:
            pipeline = None if each.is_servers else each.pipeline
            asked[pipeline, each.environment].append(each)
        found: dict[Wanted, tuple[str, Any]] = {}
        for (pipeline, environment), some in asked.items():
            left = some
            for path in self._access.paths(pipeline, environment):
                if left:
                    keys = await self._read(path)
                    found.update((each, (path, keys[each.name])) for each in left if each.name in keys)
                    left = [each for each in left if each not in found]
        return found

    async def _read(self, path: str) -> Mapping[str, Any]:
        """Read a path; those who want it at the same time, or within a moment, share the answer."""
        now = self._clock.now()
        self._reads = {at: kept for at, kept in self._reads.items() if kept[0] > now}
        if path not in self._reads:
            task = asyncio.ensure_future(self._in_thread(lambda: self._door.read(path)))
            self._reads[path] = (now + KEPT_FOR, task)
            task.add_done_callback(lambda done: self._forget_failure(path, done))
        # Who does not wait any longer must not stop the others.
        return await asyncio.shield(self._reads[path][1])

    def _forget_failure(self, path: str, done: _Read) -> None:
        kept = self._reads.get(path)
        if (done.cancelled() or done.exception() is not None) and kept is not None and kept[1] is done:
            del self._reads[path]

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
