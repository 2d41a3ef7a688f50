"""What workers are told of their sources, and which of them are told of none that they cannot check out."""

import pytest

from desk import DeskWorker
from lineshaft.model.merge import Merge
from lineshaft.model.reason import ReasonCode
from lineshaft.model.run import Source
from lineshaft.model.state import State
from lineshaft.model.work import WorkKind
from lineshaft.model.worker_key import INSIDE
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.run_request import NOTHING_SPECIAL, RunRequest
from lineshaft.services.secrets.delivery import Visit
from lineshaft.wire.worker import ClaimRequest, Hello

ADDRESS = "https://forge.example/shop.git"
PLAIN = f"name: shop\nrepository: {ADDRESS}\nsteps: [{{name: a, run: x}}]"
INNER = f"{PLAIN}\nsource: {{submodules: true}}"
LARGE = f"{PLAIN}\nsource: {{lfs: true}}"
MERGED = RunRequest(revision=Source(ADDRESS, "c" * 40, merge=Merge("a" * 40, "b" * 40, "refs/pull/1/head")))


async def test_a_lease_tells_how_its_commit_comes_to_be(plane: ControlPlane) -> None:
    worker = DeskWorker(plane)
    await worker.start(PLAIN, MERGED)
    (lease,) = (await worker.claim()).values()
    assert lease.commit == "c" * 40
    assert lease.merge == Merge("a" * 40, "b" * 40, "refs/pull/1/head")
    assert not lease.submodules


async def test_a_lease_tells_whether_submodules_are_checked_out(plane: ControlPlane) -> None:
    worker = DeskWorker(plane)
    await worker.start(INNER)
    (lease,) = (await worker.claim()).values()
    assert lease.submodules
    assert lease.merge is None
    assert not lease.lfs


async def test_a_lease_tells_whether_files_of_git_lfs_have_their_content(plane: ControlPlane) -> None:
    worker = DeskWorker(plane)
    await worker.start(LARGE)
    (lease,) = (await worker.claim()).values()
    assert lease.lfs
    assert not lease.submodules


@pytest.mark.parametrize(
    ("text", "request_"), [(PLAIN, MERGED), (INNER, NOTHING_SPECIAL), (LARGE, NOTHING_SPECIAL)]
)
async def test_a_worker_that_cannot_check_a_source_out_is_not_given_it_and_its_attempt_ends(
    plane: ControlPlane, text: str, request_: RunRequest
) -> None:
    run = await DeskWorker(plane).start(text, request_)
    desk = plane.fleet.desk.of(INSIDE, Visit(3))
    hello = Hello(name="old", kinds=frozenset({WorkKind.RUN}), slots=1, version="0.1.0")
    worker_id = (await desk.register(hello)).worker_id

    answer = await desk.claim(ClaimRequest(worker_id=worker_id, slots=1, wait_seconds=0))

    assert answer.leases == ()
    node = (await plane.runs.get(run.id)).nodes[1]
    assert node.state is State.FAILED
    assert node.reason is not None
    assert node.reason.code is ReasonCode.SOURCE_REFUSED
    told = "'old' is of Lineshaft 0.1.0, which can neither merge nor check out submodules or files of Git LFS"
    assert told in node.reason.text
