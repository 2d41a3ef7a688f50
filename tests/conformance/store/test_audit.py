"""The audit log: what is in it stays as it is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from lineshaft.model.audit_entry import Action, AuditEntry
from lineshaft.model.errors import LineshaftError
from lineshaft.model.principal import Actor, Means
from lineshaft.ports.store import AuditFilter, Transaction
from lineshaft.store.transaction import SqlTransaction
from scene import Scene

ANN = Actor("ann", Means.TOKEN, "192.0.2.7", "request-1")
BOB = Actor("bob", Means.PASSWORD)
ALL = AuditFilter()


def entry(scene: Scene, actor: Actor = ANN, action: Action = Action.SECRET_SET) -> AuditEntry:
    scene.clock.advance(timedelta(seconds=1))
    return AuditEntry(scene.ids.new_id(), scene.clock.now(), actor, action, "TOKEN")


async def add(scene: Scene, *entries: AuditEntry) -> None:
    def work(transaction: Transaction) -> None:
        for each in entries:
            transaction.audit.add(each)

    await scene.store.write(work)


async def page(scene: Scene, of: AuditFilter = ALL, limit: int = 100) -> Sequence[AuditEntry]:
    return await scene.look(lambda transaction: transaction.audit.page(of, before=None, limit=limit))


async def test_an_entry_is_read_as_it_was_added(scene: Scene) -> None:
    full = replace(
        entry(scene),
        actor=replace(ANN, credential_id=scene.ids.new_id()),
        pipeline_id=scene.ids.new_id(),
        detail={"names": ["A", "é"], "version": 3, "shared": False, "worker": None},
    )
    plain = entry(scene)
    await add(scene, full, plain)

    assert await page(scene) == [plain, full]


async def test_entries_are_told_newest_first_a_page_at_a_time(scene: Scene) -> None:
    entries = [entry(scene) for _ in range(5)]
    await add(scene, *entries)

    first = await page(scene, limit=2)
    second = await scene.look(lambda transaction: transaction.audit.page(ALL, before=first[-1].id, limit=10))

    assert [*first, *second] == entries[::-1]


async def test_entries_are_found_by_who_what_which_pipeline_and_when(scene: Scene) -> None:
    pipeline_id = scene.ids.new_id()
    by_bob = entry(scene, BOB)
    deleted = entry(scene, action=Action.SECRET_DELETED)
    of_pipeline = replace(entry(scene), pipeline_id=pipeline_id)
    last = entry(scene)
    await add(scene, by_bob, deleted, of_pipeline, last)

    assert await page(scene, AuditFilter(actor="bob")) == [by_bob]
    assert await page(scene, AuditFilter(action=Action.SECRET_DELETED)) == [deleted]
    assert await page(scene, AuditFilter(pipeline_id=pipeline_id)) == [of_pipeline]
    assert await page(scene, AuditFilter(since=last.at)) == [last]
    assert await page(scene, AuditFilter(until=deleted.at)) == [by_bob]
    assert await page(scene, AuditFilter(actor="ann", action=Action.SECRET_SET, since=last.at)) == [last]


@pytest.mark.parametrize("change", ["UPDATE audit_entries SET actor = 'eve'", "DELETE FROM audit_entries"])
async def test_the_database_itself_refuses_to_change_or_remove_an_entry(scene: Scene, change: str) -> None:
    kept = entry(scene)
    await add(scene, kept)

    def tamper(transaction: Transaction) -> None:
        assert isinstance(transaction, SqlTransaction)
        transaction.audit._session.change()  # noqa: SLF001 - no port offers this, which is the point.
        transaction.audit._session.connection.execute(text(change))  # noqa: SLF001 - as above.

    with pytest.raises(Exception, match="append-only"):
        await scene.store.write(tamper)

    assert await page(scene) == [kept]


async def test_what_is_rolled_back_leaves_no_entry(scene: Scene) -> None:
    def work(transaction: Transaction) -> None:
        transaction.audit.add(entry(scene))
        raise LineshaftError("no")

    with pytest.raises(LineshaftError, match="no"):
        await scene.store.write(work)

    assert await page(scene) == []
