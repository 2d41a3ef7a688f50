"""Running digests: SHA-256 of all bytes of an upload so far, part by part, each byte hashed once.

A part says the digest of everything from the beginning up to its own end, so that it can be checked only by
who knows the digest's state behind the part before. States are kept here in memory, by what they come to.
What is not known any more, or came to another process, is read back from the blob store, and from no further
back than is needed.
"""

import asyncio
import hashlib
from collections import OrderedDict
from datetime import timedelta
from typing import Final, Protocol, Self
from uuid import UUID
from weakref import WeakValueDictionary

from lineshaft.model.errors import ArtifactNotFoundError, NotFoundError, UnavailableError
from lineshaft.ports.blobs import Blobs
from lineshaft.ports.store import Store, StoredPart
from lineshaft.ports.wakeups import upload_topic

MOST_STATES: Final = 4_096
"""How many states one process remembers; each takes some hundred bytes."""

_LOOK_AGAIN: Final = timedelta(seconds=5)
_LOOK_BACK: Final = 32
_READ_AT_ONCE: Final = 4
"""For how many uploads one process reads parts back at once."""


class Digest(Protocol):
    """The state of a digest, as `hashlib` has it."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""
        ...

    def hexdigest(self) -> str:
        """Tell what it has come to."""
        ...

    def copy(self) -> Self:
        """Make another one that goes on from here."""
        ...


class RunningDigests:
    """Knows the digests of uploads that come to this process, and finds out about others.

    A state is remembered by the digest that it comes to: whatever bytes led there, it is the right one to go
    on from. So what is remembered is never wrong, be an upload removed or begun anew meanwhile.
    """

    def __init__(self, store: Store, blobs: Blobs, most_states: int = MOST_STATES) -> None:
        """Know nothing yet.

        Args:
            store: tells which parts are there.
            blobs: has their bytes.
            most_states: how many states are remembered; those go that were not used for longest.
        """
        self._store = store
        self._blobs = blobs
        self._most_states = most_states
        self._states: OrderedDict[str, Digest] = OrderedDict()
        self._reading = asyncio.Semaphore(_READ_AT_ONCE)
        self._turns: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    async def before(self, upload_id: UUID, number: int, at_most: timedelta) -> Digest:
        """Return the digest of all bytes of an upload before one of its parts, for the caller to go on with.

        Args:
            upload_id: which upload.
            number: of the part.
            at_most: how long to wait for parts before it that are not there yet.

        Raises:
            ArtifactNotFoundError: the upload was removed, or what is stored of it has changed.
            UnavailableError: the parts before it have not come, or the database or the blob store does not
                answer.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + at_most.total_seconds()
        with self._store.wakeups.listen(upload_topic(upload_id)) as listener:
            while (found := await self._find(upload_id, number)) is None:
                left = timedelta(seconds=until - loop.time())
                if left <= timedelta():
                    raise UnavailableError(
                        f"The parts before part {number} are not there yet.",
                        advice="Send parts in their order, and this one again.",
                    )
                await listener.wait(min(left, _LOOK_AGAIN))
        return found.copy()

    def learn(self, upload_id: UUID, digest: Digest) -> None:
        """Remember the digest of an upload up to the end of a part; whoever has waited for it goes on."""
        self._remember(digest)
        self._store.wakeups.wake(frozenset({upload_topic(upload_id)}))

    async def _find(self, upload_id: UUID, number: int) -> Digest | None:
        """Find the digest before a part; None while a part before it is neither known nor stored."""
        if number == 0:
            return hashlib.sha256()
        (last,) = await self._parts(upload_id, number - 1, 1) or (None,)
        if last is None:
            return None
        known = self._recall(last.sha256)
        if known is not None or not last.stored:
            return known
        # Who waits here finds what the one before has read.
        async with self._turns.setdefault(upload_id, asyncio.Lock()):
            return await self._catch_up(upload_id, number)

    async def _catch_up(self, upload_id: UUID, number: int) -> Digest | None:
        """Read what is stored before a part, from the last state on that is known."""
        at, digest = await self._nearest(upload_id, number)
        while at < number:
            (part,) = await self._parts(upload_id, at, 1) or (None,)
            if part is None or not part.stored:
                return None
            digest = await self._with(part, digest)
            at += 1
        return digest

    async def _nearest(self, upload_id: UUID, number: int) -> tuple[int, Digest]:
        """Find the last part before `number` in front of which the digest is known, and this digest."""
        behind = number
        while behind > 0:
            first = max(0, behind - _LOOK_BACK)
            for part in reversed(await self._parts(upload_id, first, behind - first)):
                known = self._recall(part.sha256)
                if known is not None:
                    return part.number + 1, known
            behind = first
        return 0, hashlib.sha256()

    async def _with(self, part: StoredPart, before: Digest) -> Digest:
        """Read a part back and take its bytes into the digest."""
        digest = before.copy()
        async with self._reading:
            try:
                async for chunk in self._blobs.read(part.key, 0, part.size_bytes):
                    await asyncio.to_thread(digest.update, chunk)
            except NotFoundError:
                raise no_upload() from None
        if digest.hexdigest() != part.sha256:
            raise ArtifactNotFoundError(
                f"What is stored of part {part.number} is not what came.",
                advice="Begin the upload anew, and look at what the server keeps its files in.",
            )
        self._remember(digest)
        return digest

    async def _parts(self, upload_id: UUID, first: int, limit: int) -> list[StoredPart]:
        """List the parts from `first` on that are among the next `limit` numbers."""
        found = await self._store.read(
            lambda transaction: transaction.artifacts.parts(upload_id, first, limit)
        )
        return [part for part in found if part.number < first + limit]

    def _recall(self, sha256: str) -> Digest | None:
        known = self._states.get(sha256)
        if known is not None:
            self._states.move_to_end(sha256)
        return known

    def _remember(self, digest: Digest) -> None:
        self._states[digest.hexdigest()] = digest
        while len(self._states) > self._most_states:
            self._states.popitem(last=False)


def no_upload() -> ArtifactNotFoundError:
    """Say that an upload is not there."""
    return ArtifactNotFoundError("The attempt has no such upload (any more).", advice="Begin it anew.")
