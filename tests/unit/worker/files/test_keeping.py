"""Keeping and finding files with a server that goes away, changes things, or wants nothing."""

import asyncio
import hashlib
import io
import os
import zipfile
from collections import deque
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from lineshaft.integrations.git.mirror import FoundBranches
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import ServerUnreachableError, StaleLeaseError
from lineshaft.model.kept_files import ArtifactRule, CacheRule, ResultRule, ResultType
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State
from lineshaft.sdk.agent.driver import Assignment
from lineshaft.sdk.agent.patience import Patience
from lineshaft.sdk.masking import MaskedLog, Masking
from lineshaft.sdk.memory_files import MemoryFiles, MemoryLease
from lineshaft.sdk.worker_files import PartData, WorkerFiles
from lineshaft.wire.files import Part, ReadRequest, UploadAnswer, UploadEnd, UploadRequest
from lineshaft.worker.files import PatientFiles, with_files
from lineshaft.worker.files.parts import MadePart, Parts
from worker_tasks import RUN_ID, Log, lease_of

PART = 10_000
DONE = Outcome(State.SUCCEEDED, exit_code=0)


async def at_once(pause: timedelta) -> None:
    """Take the place of sleeping."""
    del pause
    await asyncio.sleep(0)


class Scene:
    """An attempt in a workspace, and where its files are kept."""

    def __init__(self, workspace: Path, files: MemoryFiles | None = None) -> None:
        self.workspace = workspace
        self.log = Log()
        self.stop = asyncio.Event()
        self.files = files or MemoryFiles(part_bytes=PART)
        self.node = 0

    async def attempt(
        self,
        outcome: Outcome = DONE,
        needs: tuple[AttemptAddress, ...] = (),
        files: WorkerFiles | None = None,
        **facts: Any,
    ) -> Outcome:
        """Have the next attempt end so, in the workspace as it is."""
        self.node += 1
        address = AttemptAddress(RUN_ID, self.node, 1)
        self.files.lease(MemoryLease(address, "token", needs=needs))
        lease = lease_of("true", address=address, needs_files=bool(needs), **facts)

        async def same(commit: str) -> str:
            return commit

        async def work() -> Outcome:
            return outcome

        async def no_branches(_: Assignment) -> FoundBranches:
            return FoundBranches()

        masking = Masking()
        patient = PatientFiles(files or self.files, Patience(at_once))
        log = MaskedLog(self.log, masking)
        assignment = Assignment(lease, log, self.stop, same, masking, patient)
        return await with_files(assignment, self.workspace, no_branches, work)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    return workspace


def artifact(*paths: str) -> tuple[ArtifactRule, ...]:
    return (ArtifactRule("artifact", paths or ("a",)),)


class OftenAway(MemoryFiles):
    """Is away for every first call, and loses every second answer."""

    def __init__(self) -> None:
        super().__init__(part_bytes=PART)
        self.calls: dict[object, int] = {}

    def _may_be_away(self, call: object, *, behind: bool) -> None:
        if not behind:
            self.calls[call] = self.calls.get(call, 0) + 1
        if self.calls[call] == (2 if behind else 1):
            raise ServerUnreachableError("away")

    async def begin_upload(self, request: UploadRequest) -> UploadAnswer:
        self._may_be_away(request.upload, behind=False)
        answer = await super().begin_upload(request)
        self._may_be_away(request.upload, behind=True)
        return answer

    async def put_part(self, part: Part, data: PartData) -> None:
        self._may_be_away((part.upload, part.number), behind=False)
        await super().put_part(part, data)
        self._may_be_away((part.upload, part.number), behind=True)

    async def end_upload(self, end: UploadEnd) -> None:
        self._may_be_away((end.upload, "end"), behind=False)
        await super().end_upload(end)
        self._may_be_away((end.upload, "end"), behind=True)

    async def read(self, request: ReadRequest) -> AsyncIterator[bytes]:
        # Each try brings a little more.
        stop = min(request.stop, request.start + PART)
        some = request.model_copy(update={"stop": stop})
        for chunk in [chunk async for chunk in MemoryFiles.read(self, some)]:
            yield chunk
        if stop < request.stop:
            raise ServerUnreachableError("away")


async def test_what_is_sent_and_received_goes_on_where_the_server_went_away(workspace: Path) -> None:
    content = os.urandom(3 * PART + 5)
    (workspace / "a").write_bytes(content)
    scene = Scene(workspace, OftenAway())
    assert await scene.attempt(artifacts=artifact()) == DONE
    (workspace / "a").unlink()
    assert await scene.attempt(needs=(AttemptAddress(RUN_ID, 1, 1),)) == DONE
    assert (workspace / "a").read_bytes() == content


class AllAtOnce(MemoryFiles):
    """Takes no part before three are there."""

    def __init__(self) -> None:
        super().__init__(part_bytes=PART)
        self.waiting = 0
        self.most = 0
        self.three = asyncio.Event()

    async def put_part(self, part: Part, data: PartData) -> None:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        if self.waiting == 3:
            self.three.set()
        await self.three.wait()
        await super().put_part(part, data)
        self.waiting -= 1


async def test_three_parts_are_on_their_way_at_once_and_no_more(workspace: Path) -> None:
    content = os.urandom(10 * PART)
    (workspace / "a").write_bytes(content)
    files = AllAtOnce()
    assert await Scene(workspace, files).attempt(artifacts=artifact()) == DONE
    assert files.most == 3
    (kept,) = files.kept
    with zipfile.ZipFile(io.BytesIO(files.content(kept.id))) as archive:
        assert archive.read("a") == content


class ChangedThere(MemoryFiles):
    """Gives back other bytes than it was given."""

    def content(self, artifact: UUID) -> bytes:
        return bytes(len(super().content(artifact)))


async def test_what_has_changed_at_the_server_is_never_unpacked(workspace: Path) -> None:
    (workspace / "a").write_bytes(b"x")
    scene = Scene(workspace, ChangedThere(part_bytes=PART))
    caches = (CacheRule("k", ("a",)),)
    await scene.attempt(artifacts=artifact(), cache=caches)
    (workspace / "a").unlink()
    outcome = await scene.attempt(needs=(AttemptAddress(RUN_ID, 1, 1),))
    assert outcome.state is State.LOST
    assert not outcome.begun
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.FILES_UNAVAILABLE
    assert await scene.attempt(cache=caches) == DONE
    assert "as good as a miss. What came of 'k'" in scene.log.text
    assert list(workspace.iterdir()) == []


async def test_nothing_is_kept_for_a_dead_lease(workspace: Path) -> None:
    (workspace / "a").write_bytes(b"x")

    class Dead(MemoryFiles):
        async def put_part(self, part: Part, data: PartData) -> None:
            self.end_lease(part.address)
            await super().put_part(part, data)

    files = Dead(part_bytes=PART)
    with pytest.raises(StaleLeaseError):
        await Scene(workspace, files).attempt(artifacts=artifact())
    assert files.kept == ()


class NeverTakes(MemoryFiles):
    """Takes no part, and tells when one was offered."""

    def __init__(self) -> None:
        super().__init__(part_bytes=PART)
        self.offered = asyncio.Event()

    async def put_part(self, part: Part, data: PartData) -> None:
        del part, data
        self.offered.set()
        await asyncio.Event().wait()


async def test_a_task_that_is_to_stop_while_its_files_are_kept_is_cancelled(workspace: Path) -> None:
    (workspace / "a").write_bytes(b"x")
    files = NeverTakes()
    scene = Scene(workspace, files)
    attempt = asyncio.create_task(scene.attempt(artifacts=artifact()))
    await files.offered.wait()
    scene.stop.set()
    assert (await attempt).state is State.CANCELLED


async def test_files_that_cannot_be_kept_in_time_are_a_loss(workspace: Path) -> None:
    (workspace / "a").write_bytes(b"x")
    outcome = await Scene(workspace, NeverTakes()).attempt(artifacts=artifact(), timeout_seconds=0.05)
    assert outcome.state is State.LOST
    assert outcome.begun
    assert outcome.reason is not None
    assert "within 0.05 s" in outcome.reason.text


async def test_results_that_the_server_refuses_change_nothing(workspace: Path) -> None:
    (workspace / "a").write_bytes(bytes(5 * PART))
    scene = Scene(workspace, MemoryFiles(part_bytes=PART, largest_bytes=PART))
    rules = (ResultRule(ResultType.FILE, "a", "report"),)
    assert await scene.attempt(results=rules) == DONE
    assert "Result 'report': not kept. No artifact may have more than 10,000 bytes." in scene.log.text


async def test_an_artifact_that_is_refused_leaves_a_failure_as_it_was(workspace: Path) -> None:
    (workspace / "a").write_bytes(bytes(5 * PART))
    scene = Scene(workspace, MemoryFiles(part_bytes=PART, largest_bytes=PART))
    failed = Outcome(State.TIMED_OUT)
    rules = (ArtifactRule("artifact", ("a",), when=artifact()[0].when),)
    assert await scene.attempt(failed, artifacts=rules) == failed


@pytest.mark.parametrize(
    ("sizes", "parts"),
    [
        ([], []),
        ([0], []),
        ([10], [10]),
        ([4, 4, 4], [10, 2]),
        ([25], [10, 10, 5]),
        ([10, 10], [10, 10]),
        ([7] * 9, [10] * 6 + [3]),
    ],
)
@pytest.mark.parametrize("in_use", [1, 2, 3])
def test_parts_have_their_size_but_for_the_last_and_the_digest_up_to_their_end(
    sizes: list[int], parts: list[int], in_use: int
) -> None:
    data = os.urandom(sum(sizes))
    ends = list(accumulate(sizes))
    maker = Parts((data[end - size : end] for size, end in zip(sizes, ends, strict=True)), 10)
    made, using = [], deque[MadePart]()
    while (part := maker.next()) is not None:
        using.append(part)
        if len(using) == in_use:
            made.append(_given_back(maker, using.popleft()))
    made += [_given_back(maker, part) for part in using]
    assert [len(content) for content, _ in made] == parts
    assert b"".join(content for content, _ in made) == data
    until = [data[:end] for end in accumulate(parts)]
    assert [digest for _, digest in made] == [hashlib.sha256(each).hexdigest() for each in until]
    assert (maker.size_bytes, maker.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def _given_back(maker: Parts, part: MadePart) -> tuple[bytes, str]:
    content = bytes(part.buffer.data)
    maker.give_back(part.buffer)
    return content, part.sha256
