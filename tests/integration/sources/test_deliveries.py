"""Deliveries: what forges tell becomes runs, once each, and what came of it is told."""

from datetime import timedelta
from uuid import UUID

import pytest

from delivery_site import ADDRESS, DeliverySite, only, pushed
from forge_calls import GITHUB, GITLAB, forge_call, payload
from lineshaft.model.audit_entry import Action
from lineshaft.model.cause import Cause
from lineshaft.model.config_file import ConfigFile
from lineshaft.model.connection import ForgeKind
from lineshaft.model.delivery import DeliverySource, DeliveryState
from lineshaft.model.errors import BadSignatureError, DeliveryNotFoundError, InvalidInputError
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.store import AuditFilter
from lineshaft.services.sources.deliveries import DeliveryFilter
from lineshaft.services.sources.noting import LEASE, MOST_TRIES

FILE = '{"on": {"push": null}, "steps": [{"name": "a", "run": "x"}]}'


async def test_a_push_starts_a_run_of_the_commit(deliveries: DeliverySite) -> None:
    pipeline = await deliveries.pipeline()
    before = deliveries.repository.commit({"a": "1"})
    commit = deliveries.repository.commit({"b": "1"}, message="Sell", author="Ada <ada@example.org>")

    delivery = await deliveries.push(commit, before=before)

    (run,) = await deliveries.runs(pipeline)
    assert delivery.state is DeliveryState.HANDLED
    assert (only(delivery).run_id, only(delivery).text) == (run.id, "")
    assert run.cause is Cause.PUSH
    assert not run.untrusted
    assert run.source is not None
    assert (run.source.commit, run.source.branch, run.source.ref) == (commit, "main", "refs/heads/main")
    assert (run.source.message, run.source.author) == ("Sell", "Ada <ada@example.org>")
    assert run.source.changeset == ("b",)
    assert (run.origin.delivery, run.origin.actor) == (delivery.id, "alice")


async def test_what_was_told_is_kept_before_anything_follows_from_it(deliveries: DeliverySite) -> None:
    pipeline = await deliveries.pipeline()

    delivery = await deliveries.told("push", pushed("b" * 40), "1")

    assert (delivery.source, delivery.connection) == (DeliverySource.GITHUB, "hub")
    assert (delivery.event, delivery.state) == ("push", DeliveryState.RECEIVED)
    assert await deliveries.plane.sources.deliveries.get(delivery.id) == delivery
    assert await deliveries.runs(pipeline) == []


async def test_a_delivery_that_comes_twice_starts_nothing_twice(deliveries: DeliverySite) -> None:
    pipeline = await deliveries.pipeline()
    commit = deliveries.repository.commit({"a": "1"})
    first = await deliveries.push(commit, delivery="same")

    assert await deliveries.push(commit, delivery="same") == first

    assert len(await deliveries.runs(pipeline)) == 1


async def test_a_change_that_two_webhooks_tell_of_starts_one_run(deliveries: DeliverySite) -> None:
    pipeline = await deliveries.pipeline()
    commit = deliveries.repository.commit({"a": "1"})
    first = await deliveries.push(commit)

    second = await deliveries.push(commit)

    assert only(second).run_id is None
    assert str(first.id) in only(second).text
    assert len(await deliveries.runs(pipeline)) == 1


async def test_a_branch_that_goes_back_and_forth_starts_a_run_each_time(deliveries: DeliverySite) -> None:
    pipeline = await deliveries.pipeline()
    one = deliveries.repository.commit({"a": "1"})
    other = deliveries.repository.commit({"a": "2"})

    await deliveries.push(other, before=one)
    await deliveries.push(one, before=other)
    await deliveries.push(other, before=one)

    assert len(await deliveries.runs(pipeline)) == 3


async def test_a_tag_starts_a_run_of_it(deliveries: DeliverySite) -> None:
    pipeline = await deliveries.pipeline({"push": {"tags": ["v*"]}})
    commit = deliveries.repository.commit({"a": "1"})

    await deliveries.push(commit, "refs/tags/v1")

    (run,) = await deliveries.runs(pipeline)
    assert run.cause is Cause.TAG
    assert run.source is not None
    assert (run.source.tag, run.source.branch) == ("v1", "")


async def test_pipelines_are_found_however_the_repository_is_spelt(deliveries: DeliverySite) -> None:
    spellings = [
        "git@github.com:acme/shop.git",
        "https://github.com/Acme/Shop",
        "ssh://git@github.com/acme/shop",
    ]
    deliveries.repository.commit({"a": "1"})
    commit = deliveries.repository.commit({"b": "1"})
    for number, address in enumerate(spellings):
        other = deliveries.repositories.add(address)
        other.commits |= deliveries.repository.commits
        await deliveries.pipeline(name=f"p{number}", address=address)
    await deliveries.pipeline(name="other", address="https://github.com/acme/other")

    delivery = await deliveries.push(commit)

    assert [outcome.pipeline for outcome in delivery.outcomes if outcome.run_id] == ["p0", "p1", "p2"]
    assert len(delivery.outcomes) == 3


@pytest.mark.parametrize(
    ("on", "reason"),
    [({"schedule": ["0 3 * * *"]}, "no pushes"), ({"push": {"branches": ["x"]}}, "leave out 'main'")],
)
async def test_what_starts_nothing_says_why(
    deliveries: DeliverySite, on: dict[str, object], reason: str
) -> None:
    pipeline = await deliveries.pipeline(on)
    commit = deliveries.repository.commit({"a": "1"})

    delivery = await deliveries.push(commit)

    assert (only(delivery).pipeline, only(delivery).run_id) == ("shop", None)
    assert reason in only(delivery).text
    assert await deliveries.runs(pipeline) == []


async def test_paths_are_compared_with_what_was_there_before(deliveries: DeliverySite) -> None:
    await deliveries.pipeline({"push": {"paths": ["src/**"]}})
    one = deliveries.repository.commit({"src/a": "1"})
    two = deliveries.repository.commit({"docs/a": "1"})
    three = deliveries.repository.commit({"src/a": "2"})

    assert "`paths`" in only(await deliveries.push(two, before=one)).text
    assert only(await deliveries.push(three, before=two)).run_id is not None


async def test_a_message_that_asks_to_skip_starts_nothing(deliveries: DeliverySite) -> None:
    await deliveries.pipeline()
    commit = deliveries.repository.commit({"a": "1"})

    delivery = await deliveries.handled("push", pushed(commit, message="Typo [skip ci]"))

    assert "[skip ci]" in only(delivery).text
    assert only(delivery).run_id is None


async def test_a_repository_that_no_pipeline_works_on_is_named(deliveries: DeliverySite) -> None:
    delivery = await deliveries.push("b" * 40)

    assert delivery.state is DeliveryState.HANDLED
    assert "github.com/acme/shop" in delivery.text


async def test_what_is_not_of_interest_is_handled_at_once(deliveries: DeliverySite) -> None:
    delivery = await deliveries.told("ping", payload(GITHUB, "ping"))

    assert delivery.state is DeliveryState.HANDLED
    assert delivery.text


async def test_a_call_that_nobody_has_signed_is_refused(deliveries: DeliverySite) -> None:
    service = deliveries.plane.sources.deliveries
    for secret in ("wrong", ""):
        with pytest.raises(BadSignatureError):
            await service.receive(
                ForgeKind.GITHUB, forge_call(GITHUB, "push", pushed("b" * 40), secret=secret)
            )
    with pytest.raises(BadSignatureError):
        await service.receive(ForgeKind.GITLAB, forge_call(GITLAB, "Push Hook", {}))
    with pytest.raises(BadSignatureError):
        await service.receive(ForgeKind.GIT, forge_call(GITHUB, "push", {}))

    assert await service.page(DeliveryFilter(), before=None, limit=10) == []


async def test_a_signed_call_that_cannot_be_read_is_refused(deliveries: DeliverySite) -> None:
    with pytest.raises(InvalidInputError):
        await deliveries.told("push", b"{")


async def test_a_forge_starts_nothing_in_the_repositories_of_another(deliveries: DeliverySite) -> None:
    await deliveries.connect("other", "https://other.example")
    await deliveries.connect("hub", secret="another-secret")
    pipeline = await deliveries.pipeline()
    commit = deliveries.repository.commit({"a": "1"})

    delivery = await deliveries.push(commit)

    assert delivery.connection == "other"
    assert "belongs to the connection 'hub'" in only(delivery).text
    assert await deliveries.runs(pipeline) == []


async def test_of_those_with_one_secret_the_owner_of_the_repository_counts(deliveries: DeliverySite) -> None:
    await deliveries.connect("acme", "https://github.com/acme")
    await deliveries.connect("zebra", "https://github.com/zebra")

    assert (await deliveries.told("push", pushed("b" * 40))).connection == "acme"


async def test_the_definition_is_read_at_the_commit(deliveries: DeliverySite) -> None:
    deliveries.repository.commit({"lineshaft.yml": FILE})
    pipeline = await deliveries.plane.sources.kept.create("shop", ConfigFile(ADDRESS))
    other = FILE.replace('"name": "a"', '"name": "b"')
    commit = deliveries.repository.commit({"lineshaft.yml": other}, branch="topic", parents=())

    await deliveries.push(commit, "refs/heads/topic")

    (run,) = await deliveries.runs(pipeline)
    assert [place.path for place in run.tree.below_root()] == ["b"]
    kept = await deliveries.plane.pipelines.get(pipeline.id)
    assert kept.definition.hash == pipeline.definition.hash


async def test_a_push_to_where_a_pipeline_is_kept_changes_what_starts_it(deliveries: DeliverySite) -> None:
    deliveries.repository.commit({"lineshaft.yml": FILE})
    pipeline = await deliveries.plane.sources.kept.create("shop", ConfigFile(ADDRESS))
    other = FILE.replace('{"push": null}', '{"push": null, "schedule": ["0 3 * * *"]}')
    commit = deliveries.repository.commit({"lineshaft.yml": other})

    delivery = await deliveries.push(commit)

    assert delivery.state is DeliveryState.HANDLED
    assert only(delivery).run_id is not None
    kept = await deliveries.plane.pipelines.get(pipeline.id)
    assert [each.cron for each in kept.definition.schedules] == ["0 3 * * *"]


async def test_a_file_that_cannot_be_read_is_told_and_changes_nothing(deliveries: DeliverySite) -> None:
    deliveries.repository.commit({"lineshaft.yml": FILE})
    pipeline = await deliveries.plane.sources.kept.create("shop", ConfigFile(ADDRESS))
    commit = deliveries.repository.commit({"lineshaft.yml": "steps: 7"})

    delivery = await deliveries.push(commit)

    assert delivery.state is DeliveryState.HANDLED
    assert "lineshaft.yml" in only(delivery).text
    assert (await deliveries.plane.pipelines.get(pipeline.id)).definition.hash == pipeline.definition.hash


async def test_a_commit_that_is_gone_is_told(deliveries: DeliverySite) -> None:
    deliveries.repository.commit({"lineshaft.yml": FILE})
    await deliveries.plane.sources.kept.create("shop", ConfigFile(ADDRESS))

    delivery = await deliveries.push("e" * 40)

    assert only(delivery).run_id is None
    assert "e" * 40 in only(delivery).text


async def test_a_repository_that_does_not_answer_is_asked_again(
    deliveries: DeliverySite, clock: ManualClock
) -> None:
    pipeline = await deliveries.pipeline()
    commit = deliveries.repository.commit({"a": "1"})
    deliveries.repository.answers = False
    delivery = await deliveries.push(commit)
    assert (delivery.state, delivery.tries) == (DeliveryState.RECEIVED, 1)
    assert "does not answer" in delivery.text
    assert await deliveries.plane.sources.handling.handle_due() == 0
    deliveries.repository.answers = True

    clock.advance(LEASE)
    assert await deliveries.plane.sources.handling.handle_due() == 1

    done = await deliveries.plane.sources.deliveries.get(delivery.id)
    assert (done.state, done.text) == (DeliveryState.HANDLED, "")
    assert len(await deliveries.runs(pipeline)) == 1


async def test_a_repository_that_never_answers_is_given_up(
    deliveries: DeliverySite, clock: ManualClock
) -> None:
    await deliveries.pipeline()
    commit = deliveries.repository.commit({"a": "1"})
    deliveries.repository.answers = False
    started_at = clock.now()
    delivery = await deliveries.push(commit)
    while delivery.state is DeliveryState.RECEIVED:
        clock.advance(timedelta(minutes=1))
        await deliveries.plane.sources.handling.handle_due()
        delivery = await deliveries.plane.sources.deliveries.get(delivery.id)

    assert (delivery.state, delivery.tries) == (DeliveryState.FAILED, MOST_TRIES)
    assert timedelta(minutes=50) < clock.now() - started_at < timedelta(minutes=80)
    assert "does not answer" in delivery.text
    assert "does not answer" in only(delivery).text


async def test_a_pipeline_does_not_wait_for_the_repository_of_another(
    deliveries: DeliverySite, clock: ManualClock
) -> None:
    good = await deliveries.pipeline()
    late = await deliveries.pipeline(name="late", address="git@github.com:acme/shop.git")
    other = deliveries.repositories.add("git@github.com:acme/shop.git")
    commit = deliveries.repository.commit({"a": "1"})
    other.commits |= deliveries.repository.commits
    other.answers = False

    delivery = await deliveries.push(commit)
    assert len(await deliveries.runs(good)) == 1
    assert await deliveries.runs(late) == []
    other.answers = True
    clock.advance(LEASE)
    await deliveries.plane.sources.handling.handle_due()

    done = await deliveries.plane.sources.deliveries.get(delivery.id)
    assert done.state is DeliveryState.HANDLED
    assert [outcome.pipeline for outcome in done.outcomes] == ["shop", "late"]
    assert len(await deliveries.runs(good)) == len(await deliveries.runs(late)) == 1


async def test_what_a_killed_server_has_taken_is_seen_to_by_another(
    deliveries: DeliverySite, clock: ManualClock
) -> None:
    pipeline = await deliveries.pipeline()
    commit = deliveries.repository.commit({"a": "1"})
    delivery = await deliveries.told("push", pushed(commit))
    now = clock.now()
    await deliveries.plane.store.write(lambda it: it.deliveries.take(now, now + LEASE, 1))
    assert await deliveries.plane.sources.handling.handle_due() == 0

    clock.advance(LEASE)
    assert await deliveries.plane.sources.handling.handle_due() == 1

    (run,) = await deliveries.runs(pipeline)
    assert run.origin.delivery == delivery.id


async def test_a_delivery_is_seen_to_again_as_one_of_its_own(deliveries: DeliverySite) -> None:
    pipeline = await deliveries.pipeline()
    commit = deliveries.repository.commit({"a": "1"})
    first = await deliveries.push(commit)

    again = await deliveries.plane.sources.deliveries.redeliver(first.id, by=INSIDE_ACTOR)
    await deliveries.plane.sources.handling.handle_due()

    done = await deliveries.plane.sources.deliveries.get(again.id)
    assert done.redelivers == first.id
    assert done.changes == first.changes
    assert only(done).run_id is not None
    assert len(await deliveries.runs(pipeline)) == 2
    log = await deliveries.plane.audit.page(AuditFilter(), before=None, limit=10)
    assert Action.DELIVERY_REPEATED in [entry.action for entry in log]


async def test_what_is_not_there_cannot_be_delivered_again(deliveries: DeliverySite) -> None:
    with pytest.raises(DeliveryNotFoundError):
        await deliveries.plane.sources.deliveries.redeliver(UUID(int=1), by=INSIDE_ACTOR)


async def test_a_run_that_was_started_is_in_the_audit_log(deliveries: DeliverySite) -> None:
    await deliveries.pipeline()
    delivery = await deliveries.push(deliveries.repository.commit({"a": "1"}))

    started = AuditFilter(action=Action.RUN_STARTED)
    (entry,) = await deliveries.plane.audit.page(started, before=None, limit=10)
    assert entry.target == str(only(delivery).run_id)
    assert (entry.detail["delivery"], entry.detail["forge_actor"]) == (str(delivery.id), "alice")


async def test_a_pipeline_that_needs_inputs_is_not_started(deliveries: DeliverySite) -> None:
    await deliveries.pipeline(inputs={"level": {"required": True}})
    delivery = await deliveries.push(deliveries.repository.commit({"a": "1"}))

    assert only(delivery).run_id is None
    assert "level" in only(delivery).text


async def test_only_what_came_of_pipelines_that_may_be_seen_is_shown(deliveries: DeliverySite) -> None:
    service = deliveries.plane.sources.deliveries
    seen = await deliveries.pipeline()
    hidden = await deliveries.pipeline(name="hidden")
    delivery = await deliveries.push(deliveries.repository.commit({"a": "1"}))
    nothing = await deliveries.push("b" * 40, "refs/heads/x")
    mine = frozenset({seen.id})

    assert [each.pipeline for each in (await service.get(delivery.id, mine)).outcomes] == ["shop"]
    with pytest.raises(DeliveryNotFoundError):
        await service.get(delivery.id, frozenset())
    page = await service.page(DeliveryFilter(visible=mine), before=None, limit=10)
    assert [each.id for each in page] == [nothing.id, delivery.id]
    assert {outcome.pipeline_id for each in page for outcome in each.outcomes} == mine
    assert await service.page(DeliveryFilter(hidden.id, mine), before=None, limit=10) == []
