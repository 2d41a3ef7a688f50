"""Attempts that are leased, and what they keep, for tests of `sdk.worker_files`."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from uuid import UUID

from lineshaft.definition.compiling.read import read_native
from lineshaft.model.artifact import PART_BYTES, ArtifactKind, ContentFormat
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.run import Run
from lineshaft.ports.ids import RandomIds
from lineshaft.sdk.memory_files import MemoryFiles, MemoryLease
from lineshaft.sdk.worker_files import WorkerFiles
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.run_request import RunRequest
from lineshaft.wire.files import CacheAnswer, CacheRequest, Part, ReadRequest, UploadEnd, UploadRequest
from lineshaft.wire.worker import LeaseMessage
from worker_protocol_scene import claim, register, report_on

_IDS: Final = RandomIds()
_STEPS: Final = """
steps:
  - {name: build, run: make, artifacts: {paths: [dist]}}
  - {name: test, run: make, needs: [build]}
"""


@dataclass(frozen=True, slots=True)
class Held:
    """An attempt that is leased.

    Attributes:
        address: which one.
        token: of its lease.
    """

    address: AttemptAddress
    token: str

    @property
    def members(self) -> dict[str, Any]:
        """What every message about it begins with."""
        return {"address": self.address, "token": self.token}


class FilesScene(Protocol):
    """A server, or what stands for one."""

    @property
    def files(self) -> WorkerFiles:
        """What is tested."""
        ...

    async def first(self, pipeline: str = "shop", **request: Any) -> Held:
        """Start a run, and lease its first task, which keeps artifacts."""
        ...

    async def second(self, first: Held) -> Held:
        """End a run's first task, and lease the second one, which needs it."""
        ...


@dataclass(slots=True)
class ServedScene:
    """A control plane, called directly or over HTTP."""

    plane: ControlPlane
    protocol: WorkerProtocol
    files: WorkerFiles
    _pipelines: dict[str, UUID] = field(default_factory=dict)
    _worker: UUID | None = None
    _leases: dict[AttemptAddress, LeaseMessage] = field(default_factory=dict)

    async def first(self, pipeline: str = "shop", **request: Any) -> Held:
        """Start a run, and lease its first task, which keeps artifacts."""
        if pipeline not in self._pipelines:
            made = await self.plane.pipelines.create(read_native(f"name: {pipeline}{_STEPS}".encode()))
            self._pipelines[pipeline] = made.id
        run = await self.plane.runs.trigger(self._pipelines[pipeline], RunRequest(**request))
        return await self._lease(run.id)

    async def second(self, first: Held) -> Held:
        """End a run's first task, and lease the second one, which needs it."""
        assert self._worker is not None
        await self.protocol.report(report_on(self._worker, self._leases[first.address]))
        return await self._lease(first.address.run_id)

    async def run(self, held: Held) -> Run:
        """Find the run of an attempt."""
        return await self.plane.runs.get(held.address.run_id)

    async def _lease(self, run_id: UUID) -> Held:
        if self._worker is None:
            self._worker = await register(self.protocol, slots=100)
        (lease,) = await claim(self.protocol, self._worker, slots=100)
        assert lease.address.run_id == run_id
        self._leases[lease.address] = lease
        return Held(lease.address, lease.token)


@dataclass(slots=True)
class MemoryScene:
    """The fake, which is told of leases."""

    files: MemoryFiles = field(default_factory=MemoryFiles)
    _pipelines: dict[str, UUID] = field(default_factory=dict)
    _leases: dict[AttemptAddress, MemoryLease] = field(default_factory=dict)

    async def first(self, pipeline: str = "shop", **request: Any) -> Held:
        """Lease an attempt."""
        address = AttemptAddress(_IDS.new_id(), 1, 1)
        asked = RunRequest(**request)
        lease = MemoryLease(
            address,
            _IDS.new_token(),
            pipeline_id=self._pipelines.setdefault(pipeline, _IDS.new_id()),
            path="build",
            source=asked.source(None),
            cause=asked.cause,
            untrusted=asked.untrusted,
        )
        return self._held(lease)

    async def second(self, first: Held) -> Held:
        """End an attempt, and lease another one that needs it."""
        before = self._leases[first.address]
        self.files.end_lease(first.address)
        address = AttemptAddress(first.address.run_id, 2, 1)
        lease = MemoryLease(
            address,
            _IDS.new_token(),
            pipeline_id=before.pipeline_id,
            path="test",
            source=before.source,
            needs=(first.address,),
        )
        return self._held(lease)

    def _held(self, lease: MemoryLease) -> Held:
        self._leases[lease.address] = lease
        self.files.lease(lease)
        return Held(lease.address, lease.token)


def upload_of(held: Held, name: str = "dist", **members: Any) -> UploadRequest:
    """Say that files are to be kept."""
    said: dict[str, Any] = {
        "upload": _IDS.new_id(),
        "kind": ArtifactKind.ARTIFACT,
        "name": name,
        "format": ContentFormat.ZIP,
        "media_type": "application/zip",
        **members,
    }
    return UploadRequest(**held.members, **said)


def part_of(held: Held, upload: UUID, number: int, data: bytes, before: bytes = b"") -> Part:
    """Say which part comes, behind the bytes before it."""
    return Part(**held.members, upload=upload, number=number, sha256=sha256(before + data))


async def send(files: WorkerFiles, held: Held, upload: UUID, data: bytes, numbers: Iterable[int]) -> None:
    """Send some of the parts of an upload, one after the other."""
    for number in numbers:
        await send_part(files, held, upload, data, number)


async def send_part(files: WorkerFiles, held: Held, upload: UUID, data: bytes, number: int) -> None:
    """Send a part of an upload."""
    begin = number * PART_BYTES
    part = data[begin : begin + PART_BYTES]
    await files.put_part(part_of(held, upload, number, part, data[:begin]), part)


def end_of(held: Held, upload: UUID, data: bytes, **members: Any) -> UploadEnd:
    """Say that all parts have been sent."""
    said: dict[str, Any] = {"size_bytes": len(data), "sha256": sha256(data), **members}
    return UploadEnd(**held.members, upload=upload, **said)


async def keep(files: WorkerFiles, held: Held, data: bytes, name: str = "dist", **members: Any) -> UUID:
    """Keep bytes, part by part."""
    request = upload_of(held, name, **members)
    answer = await files.begin_upload(request)
    assert answer.refused is None
    await send(files, held, request.upload, data, range(len(parts_of(data))))
    await files.end_upload(end_of(held, request.upload, data))
    return request.upload


async def keep_cache(
    files: WorkerFiles, held: Held, key: str, data: bytes = b"deps", branch: str = ""
) -> UUID:
    """Keep a cache."""
    return await keep(
        files,
        held,
        data,
        key,
        kind=ArtifactKind.CACHE,
        format=ContentFormat.TAR_ZSTD,
        media_type="application/zstd",
        branch=branch,
    )


async def find(files: WorkerFiles, held: Held, key: str, *restore: str, **members: Any) -> CacheAnswer:
    """Look for a cache."""
    return await files.find_cache(CacheRequest(**held.members, key=key, restore=restore, **members))


async def read(files: WorkerFiles, held: Held, artifact: UUID, start: int = 0, stop: int = 2**40) -> bytes:
    """Read bytes of what is kept."""
    request = ReadRequest(**held.members, artifact=artifact, start=start, stop=stop)
    return b"".join([chunk async for chunk in files.read(request)])


def parts_of(data: bytes) -> list[bytes]:
    """Cut bytes into parts."""
    return [data[start : start + PART_BYTES] for start in range(0, len(data), PART_BYTES)]


def sha256(data: bytes) -> str:
    """Tell the digest of bytes."""
    return hashlib.sha256(data).hexdigest()
