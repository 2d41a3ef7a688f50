"""Results and artifacts, as people and programs find them: by run, node and name."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from lineshaft.model.artifact import Artifact, ArtifactKind
from lineshaft.model.audit_entry import Action
from lineshaft.model.errors import ArtifactNotFoundError, ConflictError
from lineshaft.model.principal import Actor
from lineshaft.model.test_report import TestCounts
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.auditing import record
from lineshaft.services.files.inside import Inside
from lineshaft.services.files.reading import FileReading
from lineshaft.services.finding import find_run
from lineshaft.services.kept_nodes import origins
from lineshaft.services.tests import run_summaries

MOST_SHOWN: Final = 10_000
"""How many results or artifacts of a run are found."""

_PAGE: Final = 500
_NAMED: Final = 10
_FILES: Final = "/files"


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A result or an artifact.

    Attributes:
        artifact: the files.
        tests: what the test cases in it have come to; None where it tells of none.
        expired: whether its time is over.
    """

    artifact: Artifact
    tests: TestCounts | None = None
    expired: bool = False


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A result or an artifact that was asked for, or something in it.

    Attributes:
        artifact: the files.
        inside: the path of a file or folder in it; None means all of it.
    """

    artifact: Artifact
    inside: str | None = None


class ShownFiles:
    """The use cases of results and artifacts.

    Attributes:
        inside: finds and reads single files in archives.
    """

    def __init__(self, store: Store, clock: Clock, ids: Ids, reading: FileReading) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._reading = reading
        self.inside = Inside(reading)

    async def list(
        self, run_id: UUID, kind: ArtifactKind, *, attempt: int | None, offset: int, limit: int
    ) -> Sequence[ShownFile]:
        """List what the nodes of a run have kept, by node, name and attempt.

        Args:
            run_id: the run.
            kind: results or artifacts.
            attempt: of which attempts; None means all.
            offset: how many to pass over.
            limit: how many at most.

        Raises:
            RunNotFoundError: there is no such run.
        """
        now = self._clock.now()

        def work(transaction: Transaction) -> Sequence[ShownFile]:
            found = _of_run(transaction, run_id, kind)
            asked = [each for each in found if attempt is None or each.address.attempt == attempt]
            asked.sort(key=lambda each: (each.path, each.name, each.address.attempt))
            tests = _counts(transaction, run_id) if kind is ArtifactKind.RESULT else {}
            return [
                ShownFile(
                    each,
                    tests.get((each.address, each.name)),
                    each.expires_at is not None and each.expires_at <= now,
                )
                for each in asked[offset : offset + limit]
            ]

        return await self._store.read(work)

    async def find(self, run_id: UUID, kind: ArtifactKind, name: str, attempt: int | None) -> FoundFile:
        """Find what is called `NODE/NAME` in a run, or `NAME` alone, perhaps with `/files/PATH` behind it.

        Args:
            run_id: the run.
            kind: a result or an artifact.
            name: what is asked for.
            attempt: which attempt kept it; None means each node's newest that has kept one of that name.

        Raises:
            RunNotFoundError: there is no such run.
            ArtifactNotFoundError: it keeps nothing of that name, or does not any more.
            ConflictError: several nodes have kept one of that name.
        """
        found = await self._store.read(
            lambda transaction: _find(_of_run(transaction, run_id, kind), name, attempt)
        )
        self._reading.refuse_expired(found.artifact)
        return found

    def read(self, artifact: Artifact, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Read bytes of an artifact; see `FileReading.read`."""
        return self._reading.read(artifact, start, stop)

    async def delete(self, run_id: UUID, name: str, attempt: int | None, by: Actor) -> None:
        """Delete an artifact.

        Raises:
            RunNotFoundError: there is no such run.
            ArtifactNotFoundError: it keeps none of that name.
            ConflictError: several nodes have kept one of that name.
        """

        def work(transaction: Transaction) -> None:
            found = _find(_of_run(transaction, run_id, ArtifactKind.ARTIFACT), name, attempt)
            if found.inside is not None:
                raise _nothing(name, ())
            transaction.artifacts.remove(found.artifact.id)
            record(
                transaction,
                ids=self._ids,
                now=self._clock.now(),
                by=by,
                action=Action.ARTIFACT_DELETED,
                target=full_name(found.artifact),
                pipeline_id=found.artifact.pipeline_id,
                run_id=str(found.artifact.address.run_id),
                attempt=found.artifact.address.attempt,
            )

        await self._store.write(work)


def full_name(artifact: Artifact) -> str:
    """Tell by which name an artifact is found in its run, whatever else is there."""
    return f"{artifact.path}/{artifact.name}"


def _of_run(transaction: Transaction, run_id: UUID, kind: ArtifactKind) -> list[Artifact]:
    run = find_run(transaction, run_id)
    found: list[Artifact] = []
    for origin in origins(transaction, run):
        after: UUID | None = None
        while len(found) < MOST_SHOWN:
            page = transaction.artifacts.of_run(origin.run_id, [kind], after=after, limit=_PAGE)
            found += [each for each in page if origin.has(each.path)]
            if len(page) < _PAGE:
                break
            after = page[-1].id
    return found


def _counts(transaction: Transaction, run_id: UUID) -> dict[object, TestCounts]:
    summaries = run_summaries(transaction, find_run(transaction, run_id))
    return {(each.source.address, each.source.result): each.counts for each in summaries}


def _find(kept: Sequence[Artifact], name: str, attempt: int | None) -> FoundFile:
    of_attempt = [each for each in kept if attempt is None or each.address.attempt == attempt]
    whole = _called(of_attempt, name)
    if whole is not None:
        return FoundFile(whole)
    at = name.find(_FILES)
    while at >= 0:
        behind = name[at + len(_FILES) :]
        archive = _called(of_attempt, name[:at]) if not behind or behind.startswith("/") else None
        if archive is not None:
            return FoundFile(archive, behind.removeprefix("/"))
        at = name.find(_FILES, at + 1)
    raise _nothing(name, of_attempt)


def _called(kept: Iterable[Artifact], name: str) -> Artifact | None:
    """Find the newest one that has a name.

    Raises:
        ConflictError: several nodes have kept one.
    """
    listed = list(kept)
    fitting = [each for each in listed if full_name(each) == name] or [
        each for each in listed if each.name == name
    ]
    by_name: defaultdict[str, list[Artifact]] = defaultdict(list)
    for each in fitting:
        by_name[full_name(each)].append(each)
    if len(by_name) > 1:
        raise ConflictError(
            f"{len(by_name)} nodes have kept something called '{name}'.",
            advice=f"Ask for one of {_names(by_name)}.",
        )
    return max(fitting, key=lambda each: each.address.attempt, default=None)


def _nothing(name: str, kept: Sequence[Artifact]) -> ArtifactNotFoundError:
    names = {full_name(each) for each in kept}
    advice = f"There are {_names(names)}." if names else "The run has kept nothing of the kind."
    return ArtifactNotFoundError(f"Nothing is kept as '{name}'.", advice=advice)


def _names(names: Iterable[str]) -> str:
    listed = sorted(names)
    more = f", and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
    return ", ".join(f"'{each}'" for each in listed[:_NAMED]) + more
