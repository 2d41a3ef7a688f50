"""A store that has a run in memory reads of it only what others have written since, and misses nothing."""

import asyncpg
import pytest

from definitions import definition, read_definition, wide
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.event import CancelRequested
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.ports.ids import RandomIds
from lineshaft.store import open_store
from scene import Scene
from trees import parallel, sequence, task

CANCEL = CancelRequested(Reason(ReasonCode.CANCELLED_BY_USER, "A user cancelled the run."))
NESTED = definition(
    sequence(
        parallel(task("a"), task("b"), name="first"),
        parallel(task("c"), sequence(task("d"), task("e"), name="f"), name="second"),
        name="nested",
    )
)


async def opened(url: str) -> Scene:
    return Scene(await open_store(url, ids=RandomIds(), read_definition=read_definition))


async def read_anew(url: str, run: Run) -> Run:
    """Read a run by a store that remembers nothing."""
    scene = await opened(url)
    found = await scene.look(lambda transaction: transaction.runs.get(run.id))
    await scene.store.close()
    assert found is not None
    return found


async def known(scene: Scene, run: Run) -> Run:
    """Read a run by a store that remembers it, in a transaction that may write."""
    found = await scene.store.write(lambda transaction: transaction.runs.get(run.id))
    assert found is not None
    return found


async def fail_as_a_former_server(url: str, address: AttemptAddress) -> None:
    """End a node as a server of an earlier version would.

    It knows nothing of who wrote what at which version, and leaves that as it is.
    """
    former = await asyncpg.connect(url)
    await former.execute(
        "UPDATE nodes SET state = 'failed', exit_code = 3 WHERE run_id = $1 AND node = $2",
        address.run_id,
        address.node,
    )
    await former.execute("UPDATE runs SET version = version + 1 WHERE id = $1", address.run_id)
    await former.close()


def same(one: Run, other: Run) -> bool:
    """Tell whether two runs are the same in all that is stored of them."""
    return (one.version, one.event_count, list(one.nodes)) == (
        other.version,
        other.event_count,
        list(other.nodes),
    )


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_run_is_as_another_has_left_it_after_each_of_its_events(
    postgres_url: str, *, cancelled: bool
) -> None:
    here, there = await opened(postgres_url), await opened(postgres_url)
    run = await here.run(NESTED)
    while claimed := await there.claim(1):
        assert same(await known(here, run), await read_anew(postgres_url, run))
        if cancelled and len(claimed) and (await known(there, run)).version > 4:
            await there.apply(run.id, CANCEL)
            assert same(await known(here, run), await read_anew(postgres_url, run))
        await there.report(claimed[0], State.CANCELLED if cancelled else State.SUCCEEDED)
        assert same(await known(here, run), await read_anew(postgres_url, run))

    assert (await known(here, run)).state.ended
    await here.store.close()
    await there.store.close()


async def test_what_a_server_of_an_earlier_version_wrote_in_between_is_not_missed(postgres_url: str) -> None:
    here, there = await opened(postgres_url), await opened(postgres_url)
    run = await here.run(wide(3))
    first, second, _ = await here.claim(3)
    await known(here, run)
    await fail_as_a_former_server(postgres_url, first.address)
    assert (await known(here, run)).nodes[first.address.node].exit_code == 3
    await there.report(second)

    found = await known(here, run)

    assert found.nodes[first.address.node].state is State.FAILED
    assert same(found, await read_anew(postgres_url, run))
    await here.store.close()
    await there.store.close()


async def test_who_missed_both_a_former_servers_write_and_a_later_one_reads_all_of_the_run(
    postgres_url: str,
) -> None:
    here, there = await opened(postgres_url), await opened(postgres_url)
    run = await here.run(wide(3))
    first, second, _ = await here.claim(3)
    await known(here, run)
    await fail_as_a_former_server(postgres_url, first.address)
    await there.report(second)

    found = await known(here, run)

    assert found.nodes[first.address.node].exit_code == 3
    assert same(found, await read_anew(postgres_url, run))
    await here.store.close()
    await there.store.close()
