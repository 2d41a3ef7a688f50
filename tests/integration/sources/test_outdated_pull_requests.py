"""Pull requests that are over, or have moved on: nobody is asked any more to approve what they were."""

from typing import Any

import pytest

from delivery_site import DeliverySite, only
from forge_calls import GITHUB, payload
from lineshaft.model.delivery import DeliveryState
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.principal import Actor, Means
from lineshaft.model.reason import ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.ports.clock import ManualClock
from lineshaft.services.sources.noting import LEASE

ON: dict[str, Any] = {"pull_request": {"branches": ["main"]}}
ADA = Actor("ada", Means.PASSWORD)


def asked(head: str, **changes: Any) -> Any:
    """Return the body of a pull request from a fork."""
    return payload(GITHUB, "pull_request_from_fork", {"pull_request.head.sha": head, **changes})


def ended(head: str, *, merged: bool = False) -> Any:
    """Return the body of a pull request that is over."""
    return asked(head, action="closed", **{"pull_request.merged": merged})


async def open_one(deliveries: DeliverySite, on: dict[str, Any] | None = None) -> tuple[Pipeline, str]:
    """Make a pipeline, and a run of it for a pull request from a fork, and return the one and its head."""
    pipeline = await deliveries.pipeline(on or ON)
    common = deliveries.repository.commit({"a": "1"})
    head = deliveries.repository.commit({"b": "1"}, branch="topic", parents=(common,))
    deliveries.repository.commit({"c": "1"})
    await deliveries.handled("pull_request", asked(head))
    (run,) = await deliveries.runs(pipeline)
    assert run.held
    return pipeline, head


def newer(deliveries: DeliverySite, head: str) -> str:
    """Commit once more to the pull request."""
    return deliveries.repository.commit({"b": "2"}, branch="topic", parents=(head,))


def end_of(run: Run) -> tuple[State, ReasonCode | None]:
    return run.state, None if run.root.reason is None else run.root.reason.code


@pytest.mark.parametrize(("merged", "word"), [(False, "closed"), (True, "merged")])
async def test_the_end_of_a_pull_request_cancels_what_waits_for_approval(
    deliveries: DeliverySite, word: str, *, merged: bool
) -> None:
    pipeline, head = await open_one(deliveries)

    delivery = await deliveries.handled("pull_request", ended(head, merged=merged))

    (run,) = await deliveries.runs(pipeline)
    assert end_of(run) == (State.CANCELLED, ReasonCode.PULL_REQUEST_CLOSED)
    assert run.root.reason is not None
    assert run.root.reason.text == f"Pull request 7 was {word} before anybody approved this run."
    assert only(delivery).run_id is None


async def test_what_was_approved_goes_on_when_its_pull_request_ends(deliveries: DeliverySite) -> None:
    pipeline, head = await open_one(deliveries)
    (run,) = await deliveries.runs(pipeline)
    await deliveries.plane.approvals.approve(run.id, head, ADA)

    await deliveries.handled("pull_request", ended(head))

    (run,) = await deliveries.runs(pipeline)
    assert run.state is State.QUEUED


async def test_the_end_of_another_pull_request_cancels_nothing(deliveries: DeliverySite) -> None:
    pipeline, head = await open_one(deliveries)

    await deliveries.handled("pull_request", asked(head, action="closed", **{"pull_request.number": 8}))

    (run,) = await deliveries.runs(pipeline)
    assert run.held


async def test_a_pull_request_that_asks_to_be_skipped_is_over_as_any(deliveries: DeliverySite) -> None:
    pipeline, head = await open_one(deliveries)

    await deliveries.handled(
        "pull_request", ended(head) | {"pull_request": ended(head)["pull_request"] | {"title": "[skip ci]"}}
    )

    (run,) = await deliveries.runs(pipeline)
    assert run.state is State.CANCELLED


async def test_a_run_for_the_end_of_a_pull_request_still_waits(deliveries: DeliverySite) -> None:
    on = {"pull_request": {"actions": ["opened", "closed"]}}
    pipeline, head = await open_one(deliveries, on)

    await deliveries.handled("pull_request", ended(head))

    last, first = await deliveries.runs(pipeline)
    assert first.state is State.CANCELLED
    assert last.held


async def test_a_newer_commit_that_starts_nothing_still_cancels_what_waits(deliveries: DeliverySite) -> None:
    pipeline, head = await open_one(deliveries)

    delivery = await deliveries.handled(
        "pull_request",
        asked(newer(deliveries, head), action="synchronize", **{"pull_request.title": "Go on [skip ci]"}),
    )

    (run,) = await deliveries.runs(pipeline)
    assert only(delivery).run_id is None
    assert end_of(run) == (State.CANCELLED, ReasonCode.SUPERSEDED)
    assert run.root.reason is not None
    assert run.root.reason.text == "Pull request 7 has changed since, so that nobody need approve this run."


async def test_the_same_commit_told_once_more_cancels_nothing(deliveries: DeliverySite) -> None:
    pipeline, head = await open_one(deliveries, {"pull_request": {"actions": ["opened"]}})

    await deliveries.handled("pull_request", asked(head, action="synchronize"))

    (run,) = await deliveries.runs(pipeline)
    assert run.held


async def test_a_pull_request_that_was_opened_again_is_not_ended_by_what_came_before(
    deliveries: DeliverySite, clock: ManualClock
) -> None:
    pipeline, head = await open_one(deliveries)
    await deliveries.pipeline({"pull_request": {"actions": ["closed"]}}, name="closing")
    deliveries.repository.answers = False
    end = await deliveries.handled("pull_request", ended(head))
    assert end.state is DeliveryState.RECEIVED
    deliveries.repository.answers = True
    await deliveries.handled("pull_request", asked(head, action="reopened"))

    clock.advance(LEASE)
    await deliveries.plane.sources.handling.handle_due()

    end = await deliveries.plane.sources.deliveries.get(end.id)
    assert end.state is DeliveryState.HANDLED
    last, first = await deliveries.runs(pipeline)
    assert first.state is State.CANCELLED
    assert last.held


async def test_what_was_told_before_the_end_and_seen_to_behind_it_starts_nothing(
    deliveries: DeliverySite, clock: ManualClock
) -> None:
    pipeline = await deliveries.pipeline(ON)
    common = deliveries.repository.commit({"a": "1"})
    head = deliveries.repository.commit({"b": "1"}, branch="topic", parents=(common,))
    deliveries.repository.answers = False
    opened = await deliveries.handled("pull_request", asked(head))
    deliveries.repository.answers = True
    end = await deliveries.handled("pull_request", ended(head))

    clock.advance(LEASE)
    await deliveries.plane.sources.handling.handle_due()

    outcome = only(await deliveries.plane.sources.deliveries.get(opened.id))
    assert outcome.run_id is None
    assert str(end.id) in outcome.text
    assert await deliveries.runs(pipeline) == []


async def test_a_forge_ends_nothing_in_the_repositories_of_another(deliveries: DeliverySite) -> None:
    pipeline, head = await open_one(deliveries)
    await deliveries.connect("other", "https://other.example")
    await deliveries.connect("hub", secret="another-secret")

    delivery = await deliveries.handled("pull_request", ended(head))

    assert delivery.connection == "other"
    (run,) = await deliveries.runs(pipeline)
    assert run.held
