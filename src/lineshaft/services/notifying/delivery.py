"""The mails that notifications ask for: written when they are sent, and handed over at least once."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from lineshaft.engine.ended import culprits
from lineshaft.model.errors import MailRefusedError, MailUnreachableError
from lineshaft.model.notification import Email
from lineshaft.model.run import Run
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.mailer import Handover, Mail, Mailer
from lineshaft.ports.store import NOTIFY, OutboxEntry, Store, Transaction
from lineshaft.services.logs import LogService
from lineshaft.services.notifying.letter import MOST_CULPRITS, Culprit, did, letter_of
from lineshaft.services.notifying.log_end import log_end
from lineshaft.services.notifying.terms import NO_TERMS, MailTerms
from lineshaft.services.outbox import delay_after

_LOG: Final = logging.getLogger("lineshaft.mail")

GIVE_UP_AFTER: Final = timedelta(hours=24)
"""How long after a run's end a mail about it is tried again."""

TAKEN_FOR: Final = timedelta(minutes=5)
"""How long one process has for a mail before another one may send it; a mailer takes less."""

AT_ONCE: Final = 4
"""How many mails a process sends at the same time."""

Target = tuple[Run, Email]


class NotificationService:
    """Tells people how runs have ended."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        logs: LogService,
        *,
        mailer: Mailer | None = None,
        terms: MailTerms = NO_TERMS,
    ) -> None:
        """Make one.

        Args:
            store: where runs and their definitions are.
            clock: tells when it is too late.
            ids: for what is tried again for some recipients.
            logs: of which mails tell the last lines.
            mailer: sends mails; None where none is set up.
            terms: what mails may say, and to whom.
        """
        self._store = store
        self._clock = clock
        self._ids = ids
        self._logs = logs
        self._mailer = mailer
        self._terms = terms

    @property
    def sends(self) -> bool:
        """Whether notifications have somewhere to go."""
        return self._mailer is not None

    async def deliver(self, entry: OutboxEntry) -> None:
        """Send the mail that an entry of the kind `notify` asks for.

        Repeating it sends the mail again, under the same Message-ID.

        Raises:
            MailUnreachableError: the mail server takes nothing now, and it is not too late yet.
        """
        target = await self._store.read(lambda transaction: _target(transaction, entry))
        if target is None:
            _LOG.info("A mail about run %s is not sent: the run was removed.", entry.payload["run_id"])
            return
        run, email = target
        to, cc = self._terms.recipients(email, run)
        only = entry.payload.get("only")
        recipients = [each for each in (*to, *cc) if only is None or each in only]
        if not recipients:
            _LOG.info("Run %s: a mail is not sent, since nobody may get it.", run.id)
            return
        mail = await self._mail(entry, run, email, (to, cc))
        try:
            handover = await self._send(mail, recipients)
        except MailRefusedError as error:
            _LOG.warning("Run %s: a mail to %s is not sent: %s", run.id, ", ".join(recipients), error)
        except MailUnreachableError as error:
            if not self._too_late(entry, run):
                raise
            _log_giving_up(run, {each: str(error) for each in recipients})
        else:
            await self._follow_up(entry, run, handover)

    async def _send(self, mail: Mail, recipients: Sequence[str]) -> Handover:
        if self._mailer is None:
            raise MailUnreachableError(
                "No mail server is set up.", advice="Set LINESHAFT_SMTP_URL and LINESHAFT_SMTP_FROM."
            )
        return await self._mailer.send(mail, recipients)

    async def _mail(
        self, entry: OutboxEntry, run: Run, email: Email, readers: tuple[tuple[str, ...], tuple[str, ...]]
    ) -> Mail:
        found = culprits(run)
        told = [await self._culprit(run, place.index, place.path) for place in found[:MOST_CULPRITS]]
        letter = letter_of(email, run, self._terms.url_of(run), told, len(found) - len(told))
        return Mail(
            id=f"{run.id}.{entry.payload['position']}",
            to=readers[0],
            cc=readers[1],
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            at=_ended_at(run),
        )

    async def _culprit(self, run: Run, index: int, path: str) -> Culprit:
        node = run.nodes[index]
        # What a change from outside prints is not for mailboxes.
        log = () if run.untrusted or not node.attempt else await log_end(self._logs, run.id, path)
        return Culprit(path, did(node.state), "" if node.reason is None else node.reason.text, log)

    async def _follow_up(self, entry: OutboxEntry, run: Run, handover: Handover) -> None:
        """Log what was refused for good, and see to it that the rest is tried again, for those alone."""
        for address, said in handover.refused.items():
            _LOG.warning("Run %s: the mail server never takes mail for %s: %s", run.id, address, said)
        if not handover.put_off:
            return
        if self._too_late(entry, run):
            _log_giving_up(run, handover.put_off)
            return
        again = OutboxEntry(
            self._ids.new_id(), NOTIFY, {**entry.payload, "only": sorted(handover.put_off)}, entry.tries + 1
        )
        due_at = self._clock.now() + delay_after(entry.tries)
        for address, said in handover.put_off.items():
            _LOG.warning("Run %s: the mail for %s is tried again: %s", run.id, address, said)
        await self._store.write(lambda transaction: transaction.outbox.add(again, due_at))

    def _too_late(self, entry: OutboxEntry, run: Run) -> bool:
        # A server that was away for a day tries once all the same.
        return bool(entry.tries) and self._clock.now() - _ended_at(run) > GIVE_UP_AFTER


def _target(transaction: Transaction, entry: OutboxEntry) -> Target | None:
    run = transaction.runs.get(UUID(entry.payload["run_id"]))
    definition = None if run is None else transaction.definition(run.definition_hash)
    if run is None or definition is None:
        return None
    return run, definition.notifications[entry.payload["position"]].email


def _ended_at(run: Run) -> datetime:
    return run.root.ended_at or run.created_at


def _log_giving_up(run: Run, said: Mapping[str, str]) -> None:
    for address, why in said.items():
        _LOG.error("Run %s: the mail for %s is given up after %s: %s", run.id, address, GIVE_UP_AFTER, why)
