"""Pull requests: runs work on the merge, and what comes from a fork is not trusted."""

from typing import Any
from uuid import UUID

from delivery_site import ADDRESS, DeliverySite, only
from forge_calls import GITHUB, payload
from lineshaft.model.cause import Cause
from lineshaft.model.change import Change, ChangeKind, PullRequest, PullRequestAction
from lineshaft.model.commit_status import CommitStatus, StatusState, StatusTarget
from lineshaft.model.delivery import DeliveryState
from lineshaft.model.merge import Merge
from lineshaft.model.pipeline import Pipeline
from lineshaft.services.sources.preparing import Nothing, Prepared, Preparing, Sender, Wish

ON: dict[str, Any] = {"pull_request": {"branches": ["main"]}}


def asked(head: str, name: str = "pull_request", **changes: Any) -> Any:
    """Return the body of a pull request."""
    return payload(GITHUB, name, {"pull_request.head.sha": head, **changes})


def two_sides(deliveries: DeliverySite) -> tuple[str, str]:
    """Commit to both sides, from what they have in common."""
    common = deliveries.repository.commit({"a": "1"})
    head = deliveries.repository.commit({"b": "1"}, branch="topic", parents=(common,))
    return deliveries.repository.commit({"c": "1"}), head


async def test_a_run_works_on_the_merge(deliveries: DeliverySite) -> None:
    pipeline = await deliveries.pipeline(ON)
    base, head = two_sides(deliveries)

    delivery = await deliveries.handled("pull_request", asked(head))

    (run,) = await deliveries.runs(pipeline)
    assert only(delivery).run_id == run.id
    assert run.cause is Cause.PULL_REQUEST
    assert not run.untrusted
    assert run.source is not None
    assert run.source.merge == Merge(base, head, "refs/pull/7/head")
    merge = deliveries.repository.commits[run.source.commit or ""]
    assert merge.parents == (base, head)
    assert run.source.changeset == ("b",)
    assert (run.origin.pull_request, run.origin.head_commit) == (7, head)
    assert run.origin.url == "https://github.com/acme/shop/pull/7"


async def test_the_branch_of_a_run_is_where_the_pull_request_comes_from(deliveries: DeliverySite) -> None:
    pipeline = await deliveries.pipeline(ON)
    _, head = two_sides(deliveries)

    await deliveries.handled("pull_request", asked(head, **{"pull_request.head.ref": "topic"}))

    (run,) = await deliveries.runs(pipeline)
    assert run.source is not None
    assert run.source.branch == "topic"


async def test_what_comes_from_a_fork_is_not_trusted(deliveries: DeliverySite) -> None:
    pipeline = await deliveries.pipeline(ON)
    _, head = two_sides(deliveries)

    await deliveries.handled("pull_request", asked(head, "pull_request_from_fork"))

    (run,) = await deliveries.runs(pipeline)
    assert run.untrusted
    assert run.held
    assert run.origin.from_fork
    assert run.origin.actor == "mallory"
    assert run.source is not None
    assert run.source.branch == "fork:main"


async def test_what_comes_from_a_fork_is_trusted_where_the_connection_says_so(
    deliveries: DeliverySite,
) -> None:
    await deliveries.connect(trusts_forks=True)
    pipeline = await deliveries.pipeline(ON)
    _, head = two_sides(deliveries)

    await deliveries.handled("pull_request", asked(head, "pull_request_from_fork"))

    (run,) = await deliveries.runs(pipeline)
    assert not run.untrusted
    assert not run.held
    assert run.origin.from_fork


async def test_what_cannot_be_merged_starts_nothing_and_says_so(deliveries: DeliverySite) -> None:
    pipeline = await deliveries.pipeline(ON)
    common = deliveries.repository.commit({"a": "1"})
    head = deliveries.repository.commit({"a": "2"}, branch="topic", parents=(common,))
    deliveries.repository.commit({"a": "3"})

    delivery = await deliveries.handled("pull_request", asked(head))

    assert delivery.state is DeliveryState.HANDLED
    assert "merge" in only(delivery).text
    assert await deliveries.runs(pipeline) == []


async def test_a_forge_is_to_show_what_cannot_be_merged(deliveries: DeliverySite) -> None:
    await deliveries.connect_with_token()
    await deliveries.pipeline(ON)
    common = deliveries.repository.commit({"a": "1"})
    head = deliveries.repository.commit({"a": "2"}, branch="topic", parents=(common,))
    deliveries.repository.commit({"a": "3"})

    delivery = await deliveries.handled("pull_request", asked(head))

    (status,) = await deliveries.plane.statuses.of_run(delivery.id)
    assert not status.has_run
    assert status.status == CommitStatus("lineshaft/shop", StatusState.FAILED, only(delivery).text)
    assert (status.target.connection, status.target.commit) == ("hub", head)


async def prepared(deliveries: DeliverySite, pipeline: Pipeline, head: str) -> Prepared:
    """Find out what a pull request means of whose head a forge tells so much, as Bitbucket's 12 digits."""
    sources = deliveries.plane.sources
    asked = PullRequest(
        7,
        PullRequestAction.OPENED,
        "Go",
        "main",
        "",
        "topic",
        head,
        ADDRESS,
        "refs/pull/7/head",
        from_fork=False,
    )
    change = Change(
        ChangeKind.PULL_REQUEST, (ADDRESS,), "refs/heads/main", head, message="Go", pull_request=asked
    )
    preparing = Preparing(deliveries.repositories, sources.reader, sources.connections)
    sender = Sender(UUID(int=1), await sources.connections.get("hub"))
    return await preparing.prepare(sender, change, pipeline)


async def test_a_head_that_is_told_in_short_is_found_at_its_branch(deliveries: DeliverySite) -> None:
    await deliveries.connect_with_token()
    pipeline = await deliveries.pipeline(ON)
    base, head = two_sides(deliveries)

    wish = await prepared(deliveries, pipeline, head[:12])

    assert isinstance(wish, Wish)
    assert wish.new.source is not None
    assert wish.new.source.merge == Merge(base, head, "refs/pull/7/head")
    assert wish.new.origin.head_commit == head
    assert wish.new.origin.statuses == StatusTarget("hub", ADDRESS, head)


async def test_a_head_that_is_told_in_short_and_has_moved_on_starts_nothing(
    deliveries: DeliverySite,
) -> None:
    pipeline = await deliveries.pipeline(ON)
    _, head = two_sides(deliveries)
    deliveries.repository.commit({"b": "2"}, branch="topic", parents=(head,))

    nothing = await prepared(deliveries, pipeline, head[:12])

    assert isinstance(nothing, Nothing)
    assert "has moved on" in nothing.why


async def test_an_action_that_nobody_waits_for_starts_nothing(deliveries: DeliverySite) -> None:
    await deliveries.pipeline(ON)
    _, head = two_sides(deliveries)

    delivery = await deliveries.handled("pull_request", asked(head, action="labeled"))

    assert "leave out 'labeled'" in only(delivery).text


async def test_a_draft_starts_nothing_before_it_is_ready(deliveries: DeliverySite) -> None:
    pipeline = await deliveries.pipeline(ON)
    _, head = two_sides(deliveries)
    draft = asked(head, "pull_request", **{"pull_request.draft": True})

    assert "a draft" in only(await deliveries.handled("pull_request", draft)).text
    await deliveries.handled("pull_request", asked(head, action="ready_for_review"))

    assert len(await deliveries.runs(pipeline)) == 1


async def test_a_run_is_told_to_the_forge_where_the_connection_says_so(deliveries: DeliverySite) -> None:
    await deliveries.connect(token="HOOK_OF_HUB", statuses=True)
    pipeline = await deliveries.pipeline(ON)
    _, head = two_sides(deliveries)

    await deliveries.handled("pull_request", asked(head))

    (run,) = await deliveries.runs(pipeline)
    target = run.origin.statuses
    assert target is not None
    assert (target.connection, target.commit) == ("hub", head)
    assert "acme/shop" in target.repository
