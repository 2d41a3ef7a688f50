"""A run whose rows make no sense is named, and disturbs no other."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import asyncpg
import pytest

from definitions import definition, read_definition
from lineshaft.model.errors import CorruptRunError
from lineshaft.model.event import RunStarted
from lineshaft.model.run import Run
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import Transaction
from lineshaft.store import open_store
from scene import Scene
from trees import parallel
from waiting_line import WaitingLine

SHOP = definition(parallel("a", "b", name="shop"))

EVERYWHERE = {
    "a state that nobody knows": "UPDATE runs SET state = 'sleeping' WHERE id = '{run}'",
    "a reason that nobody knows": "UPDATE runs SET reason_code = 'whim' WHERE id = '{run}'",
    "a cause that nobody knows": "UPDATE runs SET cause = 'boredom' WHERE id = '{run}'",
    "a source that is none": """
        UPDATE runs SET repository = 'r', source = '{{"colour": "red"}}' WHERE id = '{run}'
        """,
    "a node's state that nobody knows": "UPDATE nodes SET state = 'sleeping' WHERE run_id = '{run}'",
    "a node that is not in the tree": "UPDATE nodes SET node = 99 WHERE run_id = '{run}' AND node = 1",
    "a definition that cannot be read": """
        INSERT INTO definitions (hash, format, text) VALUES ('odd', 'rest', 'no JSON');
        UPDATE runs SET definition_hash = 'odd' WHERE id = '{run}'
        """,
    "generated nodes that cannot be read": """
        UPDATE runs SET growths = 1 WHERE id = '{run}';
        INSERT INTO generated (run_id, number, node, text) VALUES ('{run}', 1, 1, 'nonsense')
        """,
}
# PostgreSQL itself takes no such values.
ON_SQLITE = {
    "inputs that are no JSON": "UPDATE runs SET inputs = '{{' WHERE id = '{run}'",
    "a time that is none": "UPDATE runs SET created_at = 'yesterday' WHERE id = '{run}'",
    "a definition that is missing": """
        PRAGMA foreign_keys = OFF;
        UPDATE runs SET definition_hash = 'gone' WHERE id = '{run}'
        """,
    "outputs that are no JSON": """
        UPDATE runs SET output_count = 1 WHERE id = '{run}';
        INSERT INTO outputs (run_id, node, given) VALUES ('{run}', 1, '{{')
        """,
}


@pytest.mark.parametrize("damage", EVERYWHERE)
async def test_a_run_that_makes_no_sense_is_named(database_url: str, damage: str) -> None:
    await is_named(database_url, EVERYWHERE[damage])


@pytest.mark.parametrize("damage", ON_SQLITE)
async def test_a_run_whose_values_cannot_be_read_is_named(tmp_path: Path, damage: str) -> None:
    await is_named(f"sqlite:///{tmp_path / 'lineshaft.db'}", ON_SQLITE[damage])


@pytest.mark.parametrize("damage", ["a state that nobody knows", "inputs that are no JSON"])
async def test_what_has_not_ended_is_told_apart_from_what_makes_no_sense(tmp_path: Path, damage: str) -> None:
    await is_told_apart(f"sqlite:///{tmp_path / 'lineshaft.db'}", (EVERYWHERE | ON_SQLITE)[damage])


async def test_what_has_not_ended_is_told_apart_on_either_database(database_url: str) -> None:
    await is_told_apart(database_url, EVERYWHERE["a state that nobody knows"])


@pytest.mark.parametrize(("limit", "found"), [(1, 1), (None, 2)])
async def test_a_run_that_makes_no_sense_does_not_count_among_the_oldest(
    tmp_path: Path, limit: int | None, found: int
) -> None:
    url = f"sqlite:///{tmp_path / 'lineshaft.db'}"
    good, bad = await with_a_corrupt_run(url, EVERYWHERE["a state that nobody knows"], bad_is_older=True)
    async with opened(url) as scene:
        pipeline = await scene.look(lambda transaction: transaction.pipelines.get(good.pipeline_id))
        assert pipeline is not None
        newest = await scene.waiting_run(pipeline)

        unended = await scene.look(
            lambda transaction: transaction.runs.unended_of_group(pipeline.id, "", limit=limit)
        )

        assert [run.id for run in unended.runs] == [good.id, newest.id][:found]
        assert [error.run_id for error in unended.corrupt] == [bad.id]


async def test_attempts_of_a_run_that_makes_no_sense_can_be_claimed_and_set_aside(database_url: str) -> None:
    good, bad = await with_a_corrupt_run(database_url, EVERYWHERE["a state that nobody knows"])
    async with opened(database_url) as scene:
        now = scene.clock.now()

        claiming = WaitingLine(scene.store).claiming(slots=9)

        def work(transaction: Transaction) -> int:
            claimed = claiming(transaction)
            for address in claimed:
                if address.run_id == bad.id:
                    transaction.attempts.set_aside(address, now)
            return len(claimed)

        assert await scene.store.write(work) == 4
        held = await scene.look(lambda transaction: transaction.attempts.held())
        assert {each.address.run_id for each in held} == {good.id}


async def is_told_apart(url: str, damage: str) -> None:
    good, bad = await with_a_corrupt_run(url, damage)
    async with opened(url) as scene:
        unended = await scene.look(lambda transaction: transaction.runs.unended(good.pipeline_id))
        assert [run.id for run in unended.runs] == [good.id]
        assert [error.run_id for error in unended.corrupt] == [bad.id]


async def is_named(url: str, damage: str) -> None:
    good, bad = await with_a_corrupt_run(url, damage)
    async with opened(url) as scene:
        with pytest.raises(CorruptRunError, match=str(bad.id)) as raised:
            await scene.look(lambda transaction: transaction.runs.get(bad.id))
        assert raised.value.run_id == bad.id
        with pytest.raises(CorruptRunError, match=str(bad.id)):
            await scene.store.write(lambda transaction: transaction.runs.get(bad.id))
        found = await scene.look(lambda transaction: transaction.runs.get(good.id))
        assert found is not None
        assert list(found.nodes) == list(good.nodes)


async def with_a_corrupt_run(url: str, damage: str, *, bad_is_older: bool = False) -> tuple[Run, Run]:
    async with opened(url) as scene:
        pipeline = await scene.pipeline(SHOP)
        runs = [await scene.apply((await scene.waiting_run(pipeline)).id, RunStarted()) for _ in range(2)]
    bad, good = runs if bad_is_older else reversed(runs)
    script = damage.format(run=bad.id.hex)
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.executescript(script)
    else:
        server = await asyncpg.connect(url)
        await server.execute(script)
        await server.close()
    return good, bad


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Scene]:
    store = await open_store(url, ids=RandomIds(), read_definition=read_definition)
    yield Scene(store)
    await store.close()
