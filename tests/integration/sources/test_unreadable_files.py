"""Files that cannot be read at a commit: its forge is to show that, where its author looks."""

from datetime import timedelta
from typing import Any

import pytest

from delivery_site import ADDRESS, DeliverySite, only
from forge_calls import GITHUB, payload
from lineshaft.model.commit_status import StatusState, WantedStatus
from lineshaft.model.config_file import ConfigFile
from lineshaft.model.delivery import Delivery, DeliveryState
from lineshaft.ports.clock import ManualClock

GOOD = '{"on": {"push": {"branches": ["main"]}, "pull_request": null}, "steps": [{"name": "a", "run": "x"}]}'
ASKING = (
    '{"on": {"push": null}, "inputs": {"level": {"required": true}}, "steps": [{"name": "a", "run": "x"}]}'
)


async def keep(deliveries: DeliverySite) -> None:
    """Have statuses told, and a pipeline kept in the repository."""
    await deliveries.connect_with_token()
    deliveries.repository.commit({"ci.yml": GOOD})
    await deliveries.plane.sources.kept.create("shop", ConfigFile(ADDRESS, path="ci.yml"))


async def shown(deliveries: DeliverySite, delivery: Delivery) -> WantedStatus:
    (status,) = await deliveries.plane.statuses.of_run(delivery.id)
    return status


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "ci.yml: is no file of this commit."),
        ("on: {push: null}\nsteps: [", "ci.yml:2:9: "),
        ("x" * (1 << 20) + "x", "ci.yml: has more than 1,048,576 bytes, which is the limit."),
        (ASKING, "inputs.level: "),
    ],
)
async def test_a_file_that_cannot_be_read_is_shown_at_its_commit(
    deliveries: DeliverySite, content: str | None, sentence: str
) -> None:
    await keep(deliveries)
    commit = deliveries.repository.commit({"ci.yml": content, "a": "1"})

    delivery = await deliveries.push(commit)

    assert only(delivery).run_id is None
    status = await shown(deliveries, delivery)
    assert (status.status.context, status.status.state) == ("lineshaft/shop", StatusState.FAILED)
    assert status.status.text.startswith(sentence)
    assert (status.target.connection, status.target.commit, status.has_run) == ("hub", commit, False)


async def test_it_is_shown_at_the_head_of_a_pull_request(deliveries: DeliverySite) -> None:
    await keep(deliveries)
    head = deliveries.repository.commit({"ci.yml": "{"}, branch="topic", parents=tuple(tip(deliveries)))
    deliveries.repository.commit({"c": "1"})

    delivery = await deliveries.handled(
        "pull_request", payload(GITHUB, "pull_request", {"pull_request.head.sha": head})
    )

    assert (await shown(deliveries, delivery)).target.commit == head


async def test_a_push_that_the_pipeline_does_not_wait_for_shows_nothing(deliveries: DeliverySite) -> None:
    await keep(deliveries)
    commit = deliveries.repository.commit({"ci.yml": "{"}, branch="topic", parents=tuple(tip(deliveries)))

    delivery = await deliveries.push(commit, "refs/heads/topic")

    assert only(delivery).text
    assert await deliveries.plane.statuses.of_run(delivery.id) == []


async def test_a_connection_that_tells_no_statuses_is_told_nothing(deliveries: DeliverySite) -> None:
    await keep(deliveries)
    await deliveries.connect()

    delivery = await deliveries.push(deliveries.repository.commit({"ci.yml": "{"}))

    assert await deliveries.plane.statuses.of_run(delivery.id) == []


async def test_a_repository_that_never_answers_is_shown_as_an_error_of_ours(
    deliveries: DeliverySite, clock: ManualClock
) -> None:
    await keep(deliveries)
    commit = deliveries.repository.commit({"a": "1"})
    deliveries.repository.answers = False
    delivery = await deliveries.push(commit)
    assert await deliveries.plane.statuses.of_run(delivery.id) == []

    while delivery.state is DeliveryState.RECEIVED:
        clock.advance(timedelta(hours=1))
        await deliveries.plane.sources.handling.handle_due()
        delivery = await deliveries.plane.sources.deliveries.get(delivery.id)

    status = await shown(deliveries, delivery)
    assert (status.status.context, status.status.state) == ("lineshaft/shop", StatusState.ERROR)
    assert "does not answer" in status.status.text


def tip(deliveries: DeliverySite) -> list[Any]:
    """Return where the default branch points."""
    return [deliveries.repository.refs["refs/heads/main"]]
