"""What is written of those who call, a moment later: who was seen, which tokens were shown, who was refused.

No request waits for that. What is not written yet when a process is killed is not written at all.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from lineshaft.model.audit_entry import Action
from lineshaft.model.errors import StoreUnavailableError
from lineshaft.model.principal import Actor, Means, Principal
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.auditing import record

EVERY: Final = timedelta(seconds=10)
"""How often it is written."""

MOST_REFUSALS: Final = 100
"""How many refusals are written at once: guesses from everywhere must not fill the database."""

_PATIENCE_SECONDS: Final = 2.0
_LONGEST_NAME: Final = 255
_LOG: Final = logging.getLogger("lineshaft.access")

_Seen = tuple[Means, str | UUID | None]


@dataclass(frozen=True, slots=True)
class _Refusal:
    at: datetime
    actor: Actor
    name: str


class Noting:
    """Keeps what is to be written, and writes it now and then in one transaction."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._seen: dict[_Seen, datetime] = {}
        self._written: dict[_Seen, datetime] = {}
        self._refusals: list[_Refusal] = []
        self._dropped = 0

    def saw(self, principal: Principal) -> None:
        """Note that someone has shown who they are: to be written at most once a minute."""
        now = self._clock.now()
        minute = now.replace(second=0, microsecond=0)
        seen: list[_Seen] = [(Means.PASSWORD, principal.name)]
        if principal.credential_id is not None:
            seen.append((principal.means, principal.credential_id))
        for each in seen:
            if self._written.get(each) != minute:
                self._seen[each] = minute

    def last_seen(self, session_id: UUID, written: datetime) -> datetime:
        """Tell when a browser session was last used, as far as this process knows.

        Args:
            session_id: of the session.
            written: what the database says.
        """
        key = (Means.SESSION, session_id)
        return max(written, self._seen.get(key, written), self._written.get(key, written))

    def refused(self, name: str, means: Means, address: str) -> None:
        """Note that someone was refused.

        Args:
            name: who they said that they were; empty where they did not.
            means: what they have shown.
            address: from where.
        """
        if len(self._refusals) >= MOST_REFUSALS:
            self._dropped += 1
            return
        shown = name[:_LONGEST_NAME]
        # Nobody knows who it was, so that no user's own doings are mixed with guesses at their password.
        self._refusals.append(_Refusal(self._clock.now(), Actor("", means, address), shown))

    async def write(self) -> None:
        """Write what was noted.

        Raises:
            StoreUnavailableError: the database does not answer; what was noted is kept.
        """
        seen, refusals = dict(self._seen), list(self._refusals)
        if self._dropped:
            _LOG.warning("%d more refused sign-ins were not recorded.", self._dropped)
            self._dropped = 0
        if not seen and not refusals:
            return

        def work(transaction: Transaction) -> None:
            # In one order, so that two processes do not wait for each other.
            for (means, who), at in sorted(seen.items(), key=lambda each: (each[0][0], str(each[0][1]))):
                _note(transaction, means, who, at)
            for refusal in refusals:
                record(
                    transaction,
                    ids=self._ids,
                    now=refusal.at,
                    by=refusal.actor,
                    action=Action.SIGN_IN_REFUSED,
                    target=refusal.name,
                )

        await self._store.write(work)
        self._refusals = self._refusals[len(refusals) :]
        self._seen = {key: at for key, at in self._seen.items() if seen.get(key) != at}
        latest = max(seen.values(), default=None)
        kept = {key: at for key, at in self._written.items() if at == latest}
        self._written = {**kept, **seen} if latest is not None else self._written

    async def finish(self) -> None:
        """Write what was noted last; a database that does not answer is not waited for."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self.write()
        except (StoreUnavailableError, TimeoutError) as error:
            _LOG.warning("Who was seen last cannot be written: %s", error)

    async def run(self) -> None:
        """Write again and again, until cancelled."""
        while True:
            await asyncio.sleep(EVERY.total_seconds())
            try:
                await self.write()
            except StoreUnavailableError as error:
                _LOG.warning("Who was seen cannot be written now: %s", error)


def _note(transaction: Transaction, means: Means, who: str | UUID | None, at: datetime) -> None:
    match means, who:
        case Means.TOKEN, UUID():
            transaction.tokens.used(who, at)
        case Means.SESSION, UUID():
            transaction.browser_sessions.seen(who, at)
        case _, str():
            transaction.users.seen(who, at)
        case _:
            raise ValueError(f"{means} is shown by nobody of that kind: {who!r}")
