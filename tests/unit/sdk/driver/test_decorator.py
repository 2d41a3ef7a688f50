"""What can be a driver, and what its declaration may say."""

import inspect
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from lineshaft.model.errors import InvalidInputError
from lineshaft.sdk.driver import Result, Task, driver
from lineshaft.sdk.driver.decorator import registered


async def do_nothing(task: Task) -> None:
    """Do nothing at all,
    and that well.

    More about it.
    """
    del task


def declare(**said: Any) -> Any:
    return driver(**{"name": "compile", **said})


@driver(name="upload")
class Upload:
    def __init__(self, bucket: str = "b") -> None:
        self.bucket = bucket

    async def reconcile(self, task: Task) -> Result:
        del task
        return Result.success(self.bucket)


@driver(name="strict")
class Strict:
    def __init__(self, bucket: str) -> None:
        self.bucket = bucket

    def reconcile(self, task: Task) -> None:
        del task


def test_what_is_declared_is_what_the_server_hears() -> None:
    made = driver(
        name="compile",
        resources=["app", "app", "lib"],
        events=["created"],
        concurrency=3,
        timeout=timedelta(minutes=1),
        retries=2,
        idempotent=False,
    )(do_nothing)
    said = registered(made).declaration
    assert said.concurrency == 3
    assert said.driver.resources == ("app", "lib")
    assert said.driver.events == ("created",)
    assert said.driver.timeout == timedelta(minutes=1)
    assert (said.driver.retries, said.driver.idempotent) == (2, False)
    assert said.driver.description == "Do nothing at all, and that well."


def test_what_is_left_out_is_as_the_documents_say() -> None:
    said = registered(driver(name="compile")(do_nothing)).declaration
    assert (said.concurrency, said.driver.resources, said.driver.events) == (1, (), ("*",))
    assert (said.driver.timeout, said.driver.retries, said.driver.idempotent) == (timedelta(hours=1), 0, True)


def test_a_decorated_function_is_called_as_before() -> None:
    def add(task: Any) -> dict[str, int]:
        return {"sum": task + 1}

    assert driver(name="add")(add) is add
    assert add(1) == {"sum": 2}


def test_a_class_and_an_object_of_it_are_the_same_driver() -> None:
    assert inspect.isclass(Upload)
    assert registered(Upload).name == registered(Upload("c")).name == "upload"
    assert registered(Upload("c")).is_async
    assert not registered(Strict("c")).is_async


def test_a_class_that_needs_arguments_is_to_be_made_by_its_author() -> None:
    with pytest.raises(InvalidInputError) as refused:
        registered(Strict)
    assert "missing a required argument: 'bucket'" in refused.value.message
    assert refused.value.advice == "Make the object yourself, and hand that over: serve(Strict(...))."


@pytest.mark.parametrize("thing", [do_nothing.__name__, 7, None, print, object])
def test_what_was_not_decorated_is_no_driver(thing: object) -> None:
    with pytest.raises(InvalidInputError, match="is no driver"):
        registered(thing)


@pytest.mark.parametrize(
    "name", ["", "run", "build", "deploy", "pipeline", "exec", "steps", "a b", "-a", "ä", "a" * 101]
)
def test_a_name_that_can_be_none_is_refused_where_it_is_said(name: str) -> None:
    with pytest.raises(InvalidInputError, match=r"A driver cannot be named .* a name has 1 to 100 letters"):
        declare(name=name)(do_nothing)


def test_a_decorator_without_parentheses_is_explained() -> None:
    with pytest.raises(InvalidInputError, match=r'write @driver\(name="compile"\) above the function'):
        driver(do_nothing)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"resources": "app"}, r'`resources` are a list of texts: write resources=\["app"\]'),
        ({"resources": 7}, "are a list of texts"),
        ({"resources": [7]}, "are texts of 1 to 255"),
        ({"resources": [""]}, "are texts of 1 to 255"),
        ({"resources": [str(each) for each in range(1001)]}, "are at most 1,000"),
        ({"events": "created"}, "`events` are a list of texts"),
        ({"events": []}, "leave `events` out to hear all"),
        ({"concurrency": 0}, "`concurrency` is a whole number from 1 to 10,000, and not 0"),
        ({"concurrency": True}, "is a whole number"),
        ({"concurrency": 1.5}, "is a whole number"),
        ({"retries": -1}, "`retries` is a whole number from 0 to 100"),
        ({"retries": 101}, "from 0 to 100"),
        ({"timeout": 60}, r"write timeout=timedelta\(minutes=10\)"),
        ({"timeout": timedelta(0)}, "is a time of up to 115 days"),
        ({"timeout": timedelta(days=116)}, "is a time of up to 115 days"),
        ({"idempotent": "no"}, "is True or False"),
    ],
)
def test_an_argument_that_makes_no_sense_is_explained_where_it_is_said(
    said: dict[str, Any], why: str
) -> None:
    with pytest.raises(InvalidInputError, match=why):
        declare(**said)(do_nothing)


def without_arguments() -> None: ...


def with_two(task: Task, more: int) -> None:
    del task, more


async def yielding(task: Task) -> AsyncIterator[Task]:
    yield task


class Without:
    pass


@pytest.mark.parametrize(
    ("thing", "why"),
    [
        (without_arguments, "called with a task alone: a function of one argument, the task"),
        (with_two, "called with a task alone"),
        (yielding, "cannot `yield`"),
        (Without, r"has no method `reconcile\(self, task\)`"),
        (7, "stands above a function or a class"),
    ],
)
def test_what_can_do_no_task_is_refused_where_it_is_decorated(thing: Any, why: str) -> None:
    with pytest.raises(InvalidInputError, match=why):
        declare()(thing)
