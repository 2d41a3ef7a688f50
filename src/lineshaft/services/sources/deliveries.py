"""Deliveries: what forges tell is let in, kept, shown, and seen to again at somebody's wish."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol
from uuid import UUID

from lineshaft.model.audit_entry import Action
from lineshaft.model.connection import Connection, ForgeKind
from lineshaft.model.delivery import Delivery, DeliverySource, DeliveryState
from lineshaft.model.errors import BadSignatureError, ConflictError, DeliveryNotFoundError
from lineshaft.model.principal import Actor
from lineshaft.ports.clock import Clock
from lineshaft.ports.forge import Told, Webhook, WebhookReader
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.auditing import record

_SOURCES: Final = {
    ForgeKind.GITHUB: DeliverySource.GITHUB,
    ForgeKind.GITLAB: DeliverySource.GITLAB,
    ForgeKind.BITBUCKET: DeliverySource.BITBUCKET,
    ForgeKind.GITEA: DeliverySource.GITEA,
}


class Signers(Protocol):
    """Knows what forges sign their webhooks with, and whose repositories are."""

    async def webhook_secrets(self, kind: ForgeKind) -> Sequence[tuple[Connection, str]]:
        """List the connections of a kind that send webhooks, each with what it signs them with."""
        ...

    async def of_address(self, address: str) -> Connection | None:
        """Find the connection that a repository belongs to; None for none."""
        ...


class Readers(Protocol):
    """Knows who reads the webhooks of each kind of forge."""

    def reader(self, kind: ForgeKind) -> WebhookReader | None:
        """Return what reads its webhooks; None where it sends none."""
        ...


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries to show; what is None does not matter.

    Attributes:
        pipeline_id: those of which something came for this pipeline.
        visible: the pipelines that whoever asks may see; of all others nothing is told.
    """

    pipeline_id: UUID | None = None
    visible: Collection[UUID] | None = None


class DeliveryService:
    """The use cases of deliveries."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, connections: Signers, readers: Readers) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._connections = connections
        self._readers = readers

    async def receive(self, kind: ForgeKind, webhook: Webhook) -> Delivery:
        """Keep what a forge tells; what follows from it follows in the background.

        Args:
            kind: whose words it speaks.
            webhook: its call, as it came.

        Returns:
            The delivery; where it has come before, the one that is there.

        Raises:
            BadSignatureError: no connection of that kind has signed it.
            InvalidInputError: it is no call of such a forge.
            SecretsUnavailableError: what it would be signed with cannot be had now.
            StoreUnavailableError: the database does not answer.
        """
        reader = self._readers.reader(kind)
        if reader is None or kind not in _SOURCES:
            raise BadSignatureError(kind.value)
        known = await self._connections.webhook_secrets(kind)
        # All are asked, so that the time tells nothing of which it is.
        signers = [each for each, secret in known if reader.is_signed(webhook, secret)]
        if not signers:
            raise BadSignatureError(kind.value)
        told = reader.read(webhook)
        delivery = self._delivery(_SOURCES[kind], await self._sender(signers, told), told)
        return await self._store.write(lambda transaction: transaction.deliveries.add(delivery))

    async def get(self, delivery_id: UUID, visible: Collection[UUID] | None = None) -> Delivery:
        """Find a delivery.

        Args:
            delivery_id: its id.
            visible: the pipelines that whoever asks may see; None means all.

        Raises:
            DeliveryNotFoundError: there is none of that id, or nothing came of it for a pipeline that may be
                seen.
        """
        found = await self._store.read(lambda transaction: transaction.deliveries.get(delivery_id))
        if found is not None and visible is not None:
            seen = tuple(each for each in found.outcomes if each.pipeline_id in visible)
            found = replace(found, outcomes=seen) if seen else None
        if found is None:
            raise DeliveryNotFoundError(str(delivery_id))
        return found

    async def page(self, of: DeliveryFilter, *, before: UUID | None, limit: int) -> Sequence[Delivery]:
        """List deliveries, newest first.

        Args:
            of: which.
            before: the id behind which to go on; None begins at the newest.
            limit: how many at most.
        """
        return await self._store.read(
            lambda transaction: transaction.deliveries.page(
                pipeline_id=of.pipeline_id, visible=of.visible, before=before, limit=limit
            )
        )

    async def redeliver(self, delivery_id: UUID, *, by: Actor) -> Delivery:
        """See to a delivery once more, as a delivery of its own.

        Args:
            delivery_id: which.
            by: who wants it.

        Returns:
            The new one.

        Raises:
            DeliveryNotFoundError: there is none of that id.
            ConflictError: it came from no forge.
        """
        now = self._clock.now()
        new_id = self._ids.new_id()

        def work(transaction: Transaction) -> Delivery:
            found = transaction.deliveries.get(delivery_id)
            if found is None:
                raise DeliveryNotFoundError(str(delivery_id))
            if found.source not in _SOURCES.values():
                raise ConflictError(
                    "Only what a forge has told of can be delivered again.",
                    advice="Start a run with `lineshaft trigger`.",
                )
            again = Delivery(
                new_id,
                found.source,
                found.connection,
                str(new_id),
                found.event,
                now,
                found.changes,
                redelivers=found.id,
            )
            record(
                transaction,
                ids=self._ids,
                now=now,
                by=by,
                action=Action.DELIVERY_REPEATED,
                target=found.id,
                delivery=str(new_id),
            )
            return transaction.deliveries.add(again)

        return await self._store.write(work)

    async def _sender(self, signers: Sequence[Connection], told: Told) -> Connection:
        """Choose among those with the same secret: whose the repository is."""
        if len(signers) > 1 and told.changes:
            owner = await self._connections.of_address(told.changes[0].repositories[0])
            if owner is not None and owner in signers:
                return owner
        return signers[0]

    def _delivery(self, source: DeliverySource, connection: Connection, told: Told) -> Delivery:
        now = self._clock.now()
        waits = bool(told.changes)
        return Delivery(
            id=self._ids.new_id(),
            source=source,
            connection=connection.name,
            remote_id=told.delivery,
            event=told.event,
            received_at=now,
            changes=tuple(told.changes),
            state=DeliveryState.RECEIVED if waits else DeliveryState.HANDLED,
            text=told.why_nothing,
            handled_at=None if waits else now,
        )
