"""Pipelines with tasks of drivers are refused where there is no server."""

import pytest

from lineshaft.cli.local_drivers import refuse_drivers
from lineshaft.cli.start import Start
from lineshaft.definition import read_native
from lineshaft.model.definition import Definition
from lineshaft.model.errors import InvalidInputError

DRIVEN = "{name: inner, steps: [{name: a, driver: compile}]}"


def native(text: str) -> Definition:
    return read_native(text.encode())


def test_a_task_of_a_driver_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidInputError, match="driver 'compile'") as refused:
        refuse_drivers([native(DRIVEN)], (), Start())
    assert "lineshaft up" in refused.value.advice


@pytest.mark.parametrize("name", ["inner", '"${{ branch }}"'])
def test_so_is_one_of_a_pipeline_that_may_be_called(name: str) -> None:
    outer = native(f"{{name: outer, steps: [{{name: a, pipeline: {name}}}]}}")
    with pytest.raises(InvalidInputError, match="'inner' has a task"):
        refuse_drivers([outer], [native(DRIVEN)], Start())


def test_pipelines_that_nobody_calls_are_in_nobody_s_way() -> None:
    refuse_drivers([native("{name: outer, steps: [{name: a, run: make}]}")], [native(DRIVEN)], Start())


def test_pipelines_that_call_each_other_are_looked_at_once() -> None:
    circle = (
        native("{name: a, steps: [{name: a, pipeline: b}]}"),
        native("{name: b, steps: [{name: a, pipeline: a}]}"),
    )
    refuse_drivers(circle[:1], circle, Start())


def test_what_is_not_asked_for_is_not_refused() -> None:
    some = native("{name: p, steps: [{name: a, driver: compile}, {name: b, run: make}]}")
    refuse_drivers([some], (), Start(only=("b",)))
