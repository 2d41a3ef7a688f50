"""A run of each schedule must be able to begin: what it gives is what the pipeline asks for."""

import pytest

from lineshaft.definition import read_definition
from lineshaft.model.definition import Format
from lineshaft.model.errors import InvalidDefinitionError
from lineshaft.model.schedule import Schedule
from native_definitions import native

ASKING = "inputs: {level: {choices: [fast, full]}, n: {default: 1}}\nsteps: []"


def problems(schedule: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidDefinitionError) as caught:
        native(f"name: p\non: {{schedule: [{schedule}]}}\n{ASKING}")
    return [(problem.field, problem.message) for problem in caught.value.problems]


def test_what_a_schedule_gives_and_defaults_are_enough() -> None:
    definition = native(
        f'name: p\non: {{schedule: [{{cron: "0 3 * * *", inputs: {{level: full}}}}]}}\n{ASKING}'
    )

    assert definition.schedules == (Schedule("0 3 * * *", "UTC", {"level": "full"}),)


def test_an_input_that_nobody_gives_is_asked_for() -> None:
    ((field, message),) = problems('"0 3 * * *"')

    assert field == "on.schedule.0"
    assert "does not give the input `level`" in message


def test_a_value_that_does_not_fit_is_refused_where_it_stands() -> None:
    assert [field for field, _ in problems('{cron: "0 3 * * *", inputs: {level: slow}}')] == [
        "on.schedule.0.inputs.level"
    ]


def test_a_name_that_the_pipeline_does_not_ask_for_is_refused() -> None:
    assert problems('{cron: "0 3 * * *", inputs: {level: full, m: 1}}') == [
        ("on.schedule.0.inputs.m", "is no input of the pipeline")
    ]


def test_a_kept_text_of_an_earlier_version_has_its_schedules() -> None:
    text = '{"name":"p","on":{"schedule":["0 3 * * *"]},"steps":[]}'

    assert read_definition(Format.NATIVE, text).schedules == (Schedule("0 3 * * *"),)
