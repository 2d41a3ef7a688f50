"""The harness by which authors of drivers try them out."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from lineshaft.model.errors import InvalidInputError
from lineshaft.sdk.driver import Context, Result, Task, driver
from lineshaft.sdk.driver.testing import perform, perform_now


@driver(name="echo")
def echo(task: Task) -> Mapping[str, Any]:
    """Say what it was given."""
    resource = task.resource
    return {
        "event": task.event,
        "resource": None if resource is None else [resource.type, resource.name, resource.version],
        "inputs": task.inputs,
        "payload": task.payload,
        "run": [task.run.pipeline, task.run.number, task.run.node, task.run.attempt],
        "metadata": task.context.metadata,
        "before": {path: [each.succeeded, each.data] for path, each in task.context.results.items()},
    }


@driver(name="wait")
async def wait(task: Task) -> Result:
    task.log("waiting")
    await task.cancelled.wait()
    return Result.failure("interrupted")


def test_a_task_sees_what_it_was_given() -> None:
    done = perform_now(
        echo,
        resource={"type": "app", "name": "shop", "version": 3, "metadata": {"a": "b"}},
        event="updated",
        inputs={"target": ["release"]},
        payload={"all": True},
        context=Context({"channel": "stable"}, {"compile": Result.success(artifact="a.tar")}),
    )
    assert done.result.data == {
        "event": "updated",
        "resource": ["app", "shop", 3],
        "inputs": {"target": ["release"]},
        "payload": {"all": True},
        "run": ["test", 1, "echo", 1],
        "metadata": {"channel": "stable"},
        "before": {"compile": [True, {"artifact": "a.tar"}]},
    }


async def test_what_is_not_given_is_as_in_a_run_by_hand() -> None:
    done = await perform(echo)
    assert done.state == "succeeded"
    assert done.result.data["event"] == "manual"
    assert done.result.data["resource"] is None


def test_a_resource_was_created_where_nothing_else_is_said() -> None:
    assert perform_now(echo, resource={"type": "app", "name": "a"}).result.data["event"] == "created"


def test_a_resource_may_have_the_id_that_a_test_gives_it() -> None:
    @driver(name="id")
    def tell(task: Task) -> dict[str, bool]:
        return {"same": task.resource is not None and task.resource.id == UUID(int=7)}

    resource = {"type": "app", "name": "a", "id": UUID(int=7)}
    assert perform_now(tell, resource=resource).result.data == {"same": True}


@pytest.mark.parametrize("after", ["waiting", 0])
async def test_a_task_is_cancelled_when_the_test_says(after: str | int) -> None:
    done = await perform(wait, cancel_after=after)
    assert done.state == "cancelled"
    assert done.result.message == "Its driver was told to stop it."
    assert not done.result.succeeded


async def test_a_function_that_does_not_stop_by_itself_is_cancelled_behind_the_grace() -> None:
    @driver(name="deaf")
    async def deaf(task: Task) -> None:
        task.log("deaf")
        await asyncio.Event().wait()

    done = await perform(deaf, cancel_after="deaf", grace=timedelta(0))
    assert done.state == "cancelled"


async def test_a_task_whose_time_is_up_is_timed_out() -> None:
    done = await perform(wait, timeout=timedelta(milliseconds=1))
    assert done.state == "timed_out"
    assert done.result.message == "It did not end within 0.001 s."


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"inputs": {"a": {1, 2}}}, "an object of the type set is no JSON"),
        ({"payload": float("nan")}, "not JSON compliant"),
        ({"resource": {"name": "shop"}}, "`type`: Field required"),
    ],
)
async def test_what_no_server_would_give_is_refused(given: Any, why: str) -> None:
    with pytest.raises(InvalidInputError, match=why):
        await perform(echo, **given)


async def test_what_is_no_driver_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="is no driver"):
        await perform(print)


async def test_several_tasks_may_be_performed_at_once() -> None:
    done = await asyncio.gather(*(perform(echo, inputs={"n": number}) for number in range(5)))
    assert [each.result.data["inputs"]["n"] for each in done] == [0, 1, 2, 3, 4]
