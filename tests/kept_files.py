"""Files that attempts keep, for tests that are about the store."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from definitions import definition
from lineshaft.model.artifact import ArtifactKind, Content, ContentFormat
from lineshaft.model.event import RunStarted
from lineshaft.model.pipeline import Pipeline
from lineshaft.ports.store import DELETE_BLOBS, StoredPart, Transaction, Upload
from scene import Held, Scene
from trees import sequence, task

ONE = definition(sequence(task("only"), name="one"))
ALL = 10_000
LONG = timedelta(days=1)


@dataclass
class KeptFiles:
    """Keeps files in a store, as the services do."""

    scene: Scene

    async def held(self, pipeline: Pipeline | None = None) -> Held:
        """Start a run of a pipeline, and lease its task."""
        run = await self.scene.waiting_run(pipeline or await self.scene.pipeline(ONE))
        await self.scene.apply(run.id, RunStarted())
        (held,) = await self.scene.claim()
        return held

    async def begin(self, held: Held, name: str = "dist", **members: Any) -> Upload:
        """Begin an upload."""

        def work(transaction: Transaction) -> Upload:
            run = transaction.runs.get(held.address.run_id)
            assert run is not None
            said: dict[str, Any] = {
                "id": self.scene.ids.new_id(),
                "kind": ArtifactKind.ARTIFACT,
                "path": "only",
                "type": None,
                "format": ContentFormat.FILE,
                "media_type": "text/plain",
                **members,
            }
            upload = Upload(address=held.address, pipeline_id=run.pipeline_id, name=name, **said)
            transaction.artifacts.hold_lease(held.address, held.token)
            assert transaction.artifacts.add(upload, self.scene.clock.now())
            return upload

        return await self.scene.store.write(work)

    async def put(self, upload: Upload, number: int = 0, text: str = "a", size_bytes: int = 3) -> StoredPart:
        """Note that a part is there."""
        part = StoredPart(upload.id, number, size_bytes, text * 64, stored=True)

        def work(transaction: Transaction) -> None:
            transaction.artifacts.announce(StoredPart(upload.id, number, 0, text * 64))
            assert transaction.artifacts.note_stored(part)

        await self.scene.store.write(work)
        return part

    async def end(self, upload: Upload, text: str = "a") -> bool:
        """End an upload."""
        content = Content(upload.format, upload.media_type, 3, text * 64)
        now = self.scene.clock.now()
        return await self.scene.store.write(
            lambda transaction: transaction.artifacts.keep(upload, content, now)
        )

    async def keep(self, held: Held, name: str = "dist", *, text: str = "a", **members: Any) -> Upload:
        """Keep three bytes."""
        upload = await self.begin(held, name, **members)
        await self.put(upload, text=text)
        assert await self.end(upload, text)
        return upload

    async def cache(self, held: Held, key: str, scope: str = "main", *, text: str = "a") -> Upload:
        """Keep three bytes as a cache."""
        return await self.keep(held, key, text=text, kind=ArtifactKind.CACHE, scope=scope)

    async def sweep(self, limit: int = ALL) -> int:
        """Remove all that was let go, and tell how many transactions that took."""
        now = self.scene.clock.now()
        rounds = 1
        while not await self.scene.store.write(lambda t: t.artifacts.sweep(now, limit)):
            rounds += 1
        return rounds

    async def deleted(self, *, later: timedelta = timedelta()) -> set[str]:
        """Tell which blobs are to be deleted by now, or some time later."""
        at = self.scene.clock.now() + later
        entries = await self.scene.look(lambda transaction: transaction.outbox.due(at, ALL))
        return {key for entry in entries if entry.kind == DELETE_BLOBS for key in entry.payload["keys"]}

    async def parts(self, artifact_id: UUID) -> list[StoredPart]:
        """List the parts of what is kept."""
        return list(await self.scene.look(lambda t: t.artifacts.parts(artifact_id, 0, ALL)))
