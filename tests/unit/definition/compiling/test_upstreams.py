"""What is wrong with the upstreams of a pipeline is told where it is written."""

import pytest

from lineshaft.definition.compiling.read import read_native
from lineshaft.model.errors import InvalidDefinitionError

STEPS = "steps: [{name: a, run: make}]\n"
ASKS = "inputs: {version: {required: true}, level: {default: fast, choices: [fast, full]}}\n"


def problems(upstream: str, more: str = "") -> list[tuple[str, str]]:
    """Tell where something is wrong, and what."""
    text = f"name: shop\n{more}on: {{upstream: [{upstream}]}}\n{STEPS if 'steps:' not in more else ''}"
    try:
        read_native(text.encode())
    except InvalidDefinitionError as error:
        return [(problem.field, problem.message) for problem in error.problems]
    return []


@pytest.mark.parametrize("upstream", ["shop", "{pipeline: shop}", "build, shop"])
def test_a_pipeline_does_not_follow_itself(upstream: str) -> None:
    ((place, message),) = problems(upstream)
    assert place == f"on.upstream.{upstream.count(',')}"
    assert message == "is the pipeline itself, which cannot start when it has ended"


def test_what_templates_give_is_known_when_a_run_has_ended() -> None:
    given = '{pipeline: build, inputs: {version: "${{ upstream.outputs.version }}", level: full}}'
    assert problems(given, ASKS) == []


@pytest.mark.parametrize(
    ("inputs", "place", "words"),
    [
        ("{level: full}", "on.upstream.0", "does not give the input `version`"),
        ("{version: '1', level: slow}", "on.upstream.0.inputs.level", "must be one of"),
        ("{version: '1', other: x}", "on.upstream.0.inputs.other", "is no input of the pipeline"),
        ("{version: '1', other: '${{ upstream.run }}'}", "on.upstream.0.inputs.other", "is no input"),
        ("{version: '${{ upstream.outputs.x'}", "on.upstream.0.inputs.version", "expression that is wrong"),
        ("{version: '${{ upstream.size }}'}", "on.upstream.0.inputs.version", "expression that is wrong"),
        ("{version: '${{ branch }}'}", "on.upstream.0.inputs.version", "names `branch`"),
        ("{version: '${{ outputs.a.x }}'}", "on.upstream.0.inputs.version", "names `outputs`"),
    ],
)
def test_what_is_given_must_be_what_is_asked_for(inputs: str, place: str, words: str) -> None:
    ((told, message),) = problems(f"{{pipeline: build, inputs: {inputs}}}", ASKS)
    assert told == place
    assert words in message


@pytest.mark.parametrize(
    ("step", "place"),
    [
        ("env: {RUN: '${{ upstream.run }}'}", "steps.0.env.RUN"),
        ("if: upstream.state == 'failed'", "steps.0.if"),
    ],
)
def test_nothing_else_sees_the_run_before(step: str, place: str) -> None:
    ((told, message),) = problems("build", f"steps: [{{name: a, run: make, {step}}}]\n")
    assert told == place
    assert message == "names `upstream`, which is known in the `inputs` of `on.upstream` alone"
