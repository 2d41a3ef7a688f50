"""Each rule of the pipeline language: what breaks it is refused, with its place and what to write instead."""

import json
from typing import Any

import jsonschema_rs
import pytest

from lineshaft.definition.native.reader import read_native_document
from lineshaft.definition.native.schema import native_schema
from lineshaft.model.errors import InvalidDefinitionError, Problem
from native_documents import Document, pipeline, task

VALIDATOR = jsonschema_rs.validator_for(native_schema())


def problems(text: str) -> list[Problem]:
    with pytest.raises(InvalidDefinitionError) as caught:
        read_native_document(text)
    return list(caught.value.problems)


def told(document: Document) -> list[tuple[str, str]]:
    return [(problem.field, problem.message) for problem in problems(json.dumps(document))]


def deploy(**keys: Any) -> Document:
    return task("ship", deploy={"manifests": "k8s", "cluster": "prod", **keys.pop("deploy", {})}, **keys)


REFUSED = [
    ("name", pipeline(name=""), "must be 1 to 200 characters"),
    ("name", pipeline(name="a/b"), "with no `/`"),
    ("name", pipeline(name="\u2003"), "not blank"),
    ("name", pipeline(name=".."), "neither `.` nor `..`"),
    ("name", pipeline(name="a\n"), "no control character"),
    ("name", pipeline(name="a" * 201), "1 to 200 characters"),
    ("name", pipeline(name=1), "not 1"),
    ("priority", pipeline(priority=101), "must be a whole number from -100 to 100, not 101"),
    ("priority", pipeline(priority=-101), "must be a whole number from -100 to 100, not -101"),
    ("priority", pipeline(priority="high"), "must be a whole number from -100 to 100"),
    ("priority", pipeline(priority=True), "must be a whole number from -100 to 100"),
    ("source", pipeline(source=True), "must be an object"),
    ("source.submodules", pipeline(source={"submodules": "yes"}), "must be true or false"),
    ("source.lfs", pipeline(source={"lfs": 1}), "must be true or false"),
    ("callable_by", pipeline(callable_by="shop"), 'must be "*", or a list of names and ids of pipelines'),
    ("callable_by", pipeline(callable_by=[]), "not empty, not an empty list"),
    ("callable_by", pipeline(callable_by=None), "not null"),
    ("callable_by.0", pipeline(callable_by=["*"]), "must be one pipeline: names have no wildcards here"),
    ("callable_by.1", pipeline(callable_by=["a", "team-*"]), "is listed by its id"),
    ("callable_by.0", pipeline(callable_by=["a/b"]), "must be a pipeline's name or id"),
    ("callable_by.0", pipeline(callable_by=[1]), "must be a pipeline's name or id, not 1"),
    ("labels.0", pipeline(labels=["a b"]), "must be a label: 1 to 100 letters, digits and `_.:/=+-`"),
    ("labels.0", pipeline(labels=["-a"]), "beginning with a letter, a digit or `_`"),
    ("labels.0", pipeline(labels=["é"]), "must be a label"),
    ("labels.0", pipeline(labels=[""]), "must be a label"),
    ("labels.0", pipeline(labels=["a\n"]), "must be a label"),
    ("labels.1", pipeline(labels=["a" * 100, "a" * 101]), "must be a label"),
    ("labels.0", pipeline(labels=["${{ branch }}" + "a" * 4096]), "must be a label"),
    ("labels", pipeline(labels=["a"] * 101), "must be a list of at most 100 labels"),
    ("defaults.labels.0", pipeline(defaults={"labels": ["a b"]}), "must be a label"),
    ("steps.0.labels.0", pipeline(task(labels=["a b"])), "must be a label"),
    ("steps", {"name": "a"}, "is missing; it must be a list of nodes"),
    ("steps", {"name": "a", "steps": None}, "must be a list of nodes, not null"),
    ("steps.0", pipeline(1), "must be an object, not 1"),
    ("steps.0.name", pipeline({"run": "x"}), "is missing; it must be a name without `/`"),
    ("steps.0", pipeline({"name": "a"}), "says nothing to do"),
    ("steps.0.exec", pipeline(task(run="a", exec=["b"])), "cannot stand beside `run`"),
    ("steps.0.steps", pipeline(task(run="a", steps=[])), "cannot stand beside `run`"),
    ("steps.0.use", pipeline(task(steps=[], use="a")), "cannot stand beside `steps`"),
    ("steps.0.image", pipeline(task(steps=[], image="a")), "has no meaning for a group"),
    ("steps.0.parallel", pipeline(task(parallel=False)), "has no meaning beside `run`"),
    ("steps.0.fail_fast", pipeline(task(use="a", fail_fast=True)), "has no meaning beside `use`"),
    ("steps.0.shell", pipeline({**task(exec=["a"]), "shell": "bash"}), "has no meaning beside `exec`"),
    ("steps.0.with", pipeline({**task(), "with": {}}), "has no meaning beside `run`"),
    ("steps.0.outputs", pipeline(task(pipeline="b", outputs=[])), "has no meaning beside `pipeline`"),
    ("steps.0.generates", pipeline(deploy(generates="a")), "has no meaning beside `deploy`"),
    ("steps.0.retry", pipeline(deploy(retry=1)), "would deploy twice"),
    ("steps.0.retry", pipeline(deploy(retry=1, idempotent=False)), "would deploy twice"),
    ("steps.0.run", pipeline(task(run="")), "must be text, not empty"),
    ("steps.0.run", pipeline(task(run="echo ${{ branch }}")), "must hold no expression"),
    ("steps.0.exec", pipeline(task(exec=[])), "must be a list of arguments, not empty, not an empty list"),
    ("steps.0.exec.0", pipeline(task(exec=[None])), "must be text, a number, true or false, not null"),
    (
        "steps.0.image",
        pipeline(task(image=None)),
        "or an object with build, not null",
    ),
    ("steps.0.image", pipeline(task(image="")), "must be text, not empty, or an object with build, not"),
    ("steps.0.image", pipeline(task(image=["a"])), "must be text, not empty, or an object with build, not"),
    ("steps.0.image.build", pipeline(task(image={})), "is missing; it must be an object with context"),
    ("steps.0.image.builds", pipeline(task(image={"builds": {}})), "is unknown in an image"),
    ("steps.0.image.build.tag", pipeline(task(image={"build": {"tag": "a"}})), "is unknown in a build of"),
    ("steps.0.image.build.context", pipeline(task(image={"build": {"context": "../a"}})), "does not lead"),
    ("defaults.image.build.context", pipeline(defaults={"image": {"build": {"context": ""}}}), "must be"),
    ("steps.0.timeout", pipeline(task(timeout="10x")), "must be a time such as 90s, 10m or 1h30m"),
    ("steps.0.timeout", pipeline(task(timeout="")), "must be a time such as"),
    ("steps.0.timeout", pipeline(task(timeout="0s")), "must be a time such as"),
    ("steps.0.timeout", pipeline(task(timeout=0)), "must be a time such as"),
    ("steps.0.timeout", pipeline(task(timeout=True)), "must be a time such as"),
    ("steps.0.timeout", pipeline(task(timeout=31_536_001)), "at most 365 days"),
    ("steps.0.retry", pipeline(task(retry=-1)), "must be a count from 0 to 100"),
    ("steps.0.retry.count", pipeline(task(retry={})), "is missing; it must be a whole number"),
    ("steps.0.retry.on.0", pipeline(task(retry={"count": 1, "on": ["x"]})), "or an exit code from 0 to 255"),
    ("steps.0.env.1A", pipeline(task(env={"1A": ""})), "must be letters, digits and `_`"),
    ("steps.0.env.LINESHAFT_X", pipeline(task(env={"LINESHAFT_X": ""})), "must not begin with LINESHAFT_"),
    ("steps.0.env.LD_PRELOAD", pipeline(task(env={"LD_PRELOAD": ""})), "must not be set"),
    ("steps.0.env.PATH", pipeline(task(env={"PATH": ""})), "set it in the script, as `export PATH=...`"),
    ("env.BASH_ENV", pipeline(env={"BASH_ENV": ""}), "must not be set"),
    ("steps.0.secrets.0", pipeline(task(secrets=["LINESHAFT_X"])), "must not begin with LINESHAFT_"),
    ("steps.0.secrets.0", pipeline(task(secrets=["PATH"])), "must not be set"),
    ("steps.0.secrets.0", pipeline(task(secrets=["A-B"])), "must be letters, digits and `_`"),
    ("steps.0.environment", pipeline(task(environment="a b")), "must be letters, digits, `_` and `-`"),
    ("steps.0.environment", pipeline(task(environment="${{ x }}")), "must be letters, digits, `_` and `-`"),
    ("environment", pipeline(environment=""), "must be letters, digits, `_` and `-`"),
    ("steps.0.environment", pipeline({"name": "a", "pipeline": "b", "environment": "c"}), "has no meaning"),
    ("steps.0.id_tokens.PATH", pipeline(task(id_tokens={"PATH": "a"})), "must not be set"),
    ("steps.0.id_tokens.A", pipeline(task(id_tokens={"A": ""})), "must be text of 1 to"),
    ("steps.0.id_tokens.A", pipeline(task(id_tokens={"A": "a\nb"})), "in one line"),
    ("id_tokens", pipeline(id_tokens={f"A{n}": "a" for n in range(21)}), "at most 20"),
    ("steps.0.id_tokens", pipeline({"name": "a", "steps": [], "id_tokens": {}}), "no meaning for a group"),
    ("steps.0.env.A", pipeline(task(env={"A": []})), "not an empty list"),
    ("steps.0.matrix", pipeline(task(matrix={})), "has no axis"),
    ("steps.0.matrix.a", pipeline(task(matrix={"a": []})), "not empty"),
    ("steps.0.matrix.a b", pipeline(task(matrix={"a b": [1]})), "must be letters, digits, `_` and `-`"),
    ("steps.0.matrix.a.0", pipeline(task(matrix={"a": [[]]})), "must be text, a number, true or false"),
    ("steps.0.resources.cpus", pipeline(task(resources={"cpus": 0})), "must be a number above 0"),
    ("steps.0.resources.memory", pipeline(task(resources={"memory": "1x"})), "must be a size such as"),
    ("steps.0.services.a.image", pipeline(task(services={"a": {}})), "is missing"),
    ("steps.0.cwd", pipeline(task(cwd="../a")), "does not lead out of the workspace"),
    ("steps.0.cwd", pipeline(task(cwd="/a")), "does not lead out of the workspace"),
    (
        "steps.0.setup.name",
        pipeline(task(setup=task())),
        "the name of a setup is that word",
    ),
    (
        "steps.0.teardown.needs",
        pipeline(task(teardown={"run": "a", "needs": []})),
        "has no siblings",
    ),
    ("on.schedule.0.cron", pipeline(on={"schedule": ["0 3 * *"]}), "must be five fields of cron"),
    ("on.schedule.0", pipeline(on={"schedule": [3]}), "five fields of cron, or an object with cron"),
    ("on.schedule.0.cron", pipeline(on={"schedule": [{"timezone": "UTC"}]}), "five fields of cron"),
    ("on.schedule", pipeline(on={"schedule": ["* * * * *"] * 51}), "a list of at most 50 items"),
    ("concurrency.policy", pipeline(concurrency={}), "is missing; it must be supersede, queue or allow"),
    (
        "concurrency.policy",
        pipeline(concurrency={"policy": "x"}),
        "supersede, queue or allow",
    ),
    ("files./a", pipeline(files={"/a": {"steps": []}}), "does not lead out of the workspace"),
    (
        "inputs.a.type",
        pipeline(inputs={"a": {"type": [], "default": 1}}),
        "must be string, number or boolean",
    ),
    ("inputs.a b", pipeline(inputs={"a b": {}}), "must be letters, digits, `_` and `-`"),
]
"""What the loader and the schema both refuse."""

REFUSED_BY_THE_LOADER = [
    (
        "steps.1.name",
        pipeline(task("a"), task("a")),
        "must be unique within its group",
    ),
    ("steps.0.steps.0.name", pipeline(task(steps=[task("setup")], setup=task())), "is the name of the setup"),
    ("steps.0.needs.0", pipeline(task(needs=["b"])), 'is not the name of a sibling: "b"'),
    ("steps.0.needs.0", pipeline(task("a", needs=["a"])), 'makes a circle: "a" needs "a"'),
    (
        "steps.2.needs.0",
        pipeline(task("a", needs=["b"]), task("b", needs=["c"]), task("c", needs=["a"])),
        'makes a circle: "a" needs "b" needs "c" needs "a"',
    ),
    (
        "inputs.a.default",
        pipeline(inputs={"a": {"default": 1, "type": "string"}}),
        "must be text, which",
    ),
    (
        "inputs.a.default",
        pipeline(inputs={"a": {"default": True, "type": "number"}}),
        "must be a number, which",
    ),
    (
        "inputs.a.choices.0",
        pipeline(inputs={"a": {"choices": [1]}}),
        "must be text, which",
    ),
    (
        "inputs.a.default",
        pipeline(inputs={"a": {"default": "c", "choices": ["a"]}}),
        "one of the choices",
    ),
    (
        "steps.0.matrix.exclude.0.b",
        pipeline(task(matrix={"a": [1], "exclude": [{"b": 1}]})),
        'is not an axis of the matrix: "b"',
    ),
    ("steps.0.timeout", pipeline(task(timeout="9999h")), "at most 365 days"),
    ("on.schedule.0.cron", pipeline(on={"schedule": ["30 2 30 2 *"]}), "that none of its months has"),
    ("on.schedule.0.cron", pipeline(on={"schedule": ["0 0 */31 2 1#5"]}), "never comes"),
    ("on.schedule.1.cron", pipeline(on={"schedule": ["0 0 * * *", "0 24 * * *"]}), "those are 0 to 23"),
    (
        "on.schedule.0.timezone",
        pipeline(on={"schedule": [{"cron": "* * * * *", "timezone": "Europe/Nowhere"}]}),
        "as it is spelt there",
    ),
]
"""What a schema cannot say."""


@pytest.mark.parametrize(("field", "document", "words"), [*REFUSED, *REFUSED_BY_THE_LOADER])
def test_what_breaks_a_rule_is_refused_with_its_place(field: str, document: Document, words: str) -> None:
    assert [(place, words in message) for place, message in told(document) if words in message] == [
        (field, True)
    ]


@pytest.mark.parametrize(("field", "document", "words"), REFUSED)
def test_the_schema_refuses_it_too(field: str, document: Document, words: str) -> None:
    assert field
    assert words
    assert not VALIDATOR.is_valid(document)


@pytest.mark.parametrize(
    ("text", "field", "advice"),
    [
        ("name: a\nsteps: []\nconcurency: {}", "concurency", "did you mean `concurrency`?"),
        ("name: a\nsteps: [{name: b, run: c, Timeout: 1}]", "steps.0.Timeout", "did you mean `timeout`?"),
        ("name: a\nsteps: [{name: b, runn: c}]", "steps.0.runn", "did you mean `run`?"),
        (
            "name: a\nsteps: []\non: {qqq: 1}",
            "on.qqq",
            "known are push, pull_request, poll, upstream and schedule",
        ),
        (
            "name: a\nsteps: [{name: b, run: c, image: {build: {}, x: 1}}]",
            "steps.0.image.x",
            "known is build",
        ),
        ("name: 1.0\nsteps: []", "name", "put it in quotes"),
        (
            "name: a\nsteps: [{name: b, run: c, needs: [d]}, {name: dd, run: c}]",
            "steps.0.needs.0",
            "did you mean `dd`?",
        ),
        (
            "name: a\nsteps: [{name: b, run: 'echo ${{ inputs.level }}'}]",
            "steps.0.run",
            'write "$LEVEL" in the script, and give the node `env: {LEVEL: "${{ inputs.level }}"}`',
        ),
        (
            "name: a\nsteps: [{name: b, run: 'echo ${{'}]",
            "steps.0.run",
            'write "$VALUE" in the script, and give the node `env: {VALUE: "${{ ... }}"}`',
        ),
    ],
)
def test_what_to_write_instead_is_told(text: str, field: str, advice: str) -> None:
    assert [(problem.field, problem.advice) for problem in problems(text)] == [(field, advice)]


@pytest.mark.parametrize(
    ("text", "underlined"),
    [
        ("name: a\nsteps: [{name: b, runn: c}]", "runn"),
        ("name: a\nsteps: [{name: b, run: c, timeout: 10x}]", "10x"),
        ("name: a\nsteps:\n- name: b\n  run: |\n    one\n    two ${{ branch }} three\n", "${{ branch }}"),
        ("name: a\nsteps:\n- name: b\n  run: c\n  needs: [a, 'd']\n- {name: a, run: c}", "'d'"),
        ("name: a\nsteps: []\nenv:\n  1x: 3", "1x"),
        ("name: a\nsteps: []\nlabels: 3", "3"),
        ('{"name": "a", "steps": [{"name": "b", "run": "c", "timeout": "x"}]}', '"x"'),
        ('{"name": "a", "steps": [{"name": "b", "runn": "c"}]}', '"runn"'),
    ],
)
def test_the_wrong_piece_of_the_text_is_told(text: str, underlined: str) -> None:
    [problem] = problems(text)
    assert problem.line is not None
    assert problem.column is not None
    assert problem.length is not None
    line = text.split("\n")[problem.line - 1]
    assert line[problem.column - 1 : problem.column - 1 + problem.length] == underlined


def test_everything_is_told_at_once_in_the_order_of_the_text() -> None:
    text = "nam: a\nsteps:\n- run: x\n  run: y\n- name: b\n  timeout: z\n  exec: 3\n"
    assert [(problem.field, problem.line) for problem in problems(text)] == [
        ("name", 1),
        ("nam", 1),
        ("steps.0.name", 3),
        ("steps.0.run", 4),
        ("steps.1.timeout", 6),
        ("steps.1.exec", 7),
    ]


def test_a_number_whose_text_would_change_is_refused_where_its_type_matters() -> None:
    [problem] = problems("name: a\nsteps: [{name: b, run: c, matrix: {python: ['3.9', 3.10]}}]")
    assert problem.message == "must be in quotes, or written as 3.1: as a number, 3.10 is the same"


@pytest.mark.parametrize("label", [-1, -0.5])
def test_a_number_that_is_no_label_as_it_is_written_is_refused(label: float) -> None:
    [(field, message)] = told(pipeline(labels=[label]))
    assert field == "labels.0"
    assert message.startswith("must be a label, and as it is written it is none: 1 to 100 letters")


@pytest.mark.parametrize(
    ("label", "taken"),
    [
        *((text, text) for text in ("linux", "_", "9", "os=linux/amd64", "gpu:a100+x", "${{ inputs.os }}")),
        (3.5, "3.5"),
        (True, "true"),
    ],
)
def test_a_label_is_taken(label: object, taken: str) -> None:
    document = pipeline(labels=[label])
    assert read_native_document(json.dumps(document)).document.labels == [taken]
    assert VALIDATOR.is_valid(document)


def test_of_very_many_problems_a_hundred_are_told() -> None:
    many = problems(json.dumps(pipeline(*[{"name": str(index)} for index in range(1000)])))
    assert many[0].field == "steps.0"
    assert len(many) == 101
    assert many[-1].message == "has 900 more problems, which are not listed"


def test_a_long_circle_is_told_in_short() -> None:
    circle = [task(f"t{index}", needs=[f"t{(index + 1) % 5000}"]) for index in range(5000)]
    [(field, message)] = told(pipeline(*circle))
    assert field == "steps.4999.needs.0"
    assert message.endswith('"t6" needs "t7" needs ... needs "t0"')


def test_siblings_that_share_what_they_need_make_no_circle() -> None:
    diamond = [task("a"), task("b", needs=["a"]), task("c", needs=["a"]), task("d", needs=["b", "c"])]
    assert read_native_document(json.dumps(pipeline(*diamond))).document.steps[3].needs == ["b", "c"]


@pytest.mark.parametrize(
    "key", ["image", "run", "timeout", "env", "labels", "matrix", "steps", "retry", "if"]
)
def test_no_key_takes_null(key: str) -> None:
    document = pipeline({"name": "a", "exec": ["b"], key: None})
    assert f"steps.0.{key}" in {field for field, _ in told(document)}
    assert not VALIDATOR.is_valid(document)


def test_among_very_many_names_no_nearest_one_is_looked_for() -> None:
    steps = [task(f"t{index}") for index in range(501)]
    [problem] = problems(json.dumps(pipeline(*steps, task("last", needs=["t9999"]))))
    assert problem.advice == ""


def test_keys_that_are_repeated_and_broken_rules_are_told_together() -> None:
    text = "name: a\nsteps:\n- {name: b, run: c, run: d}\n- {name: e}\n"
    assert [problem.field for problem in problems(text)] == ["steps.0.run", "steps.1"]


def test_rules_between_nodes_hold_beside_values_of_wrong_types() -> None:
    steps = [1, {"name": 1, "run": "a"}, task("b", needs=[1, "c"]), task("b", matrix=[], steps=1, setup=1)]
    fields = {field for field, _ in told(pipeline(*steps, files=[], inputs=[]))}
    assert {
        "steps.0",
        "steps.1.name",
        "steps.2.needs.0",
        "steps.2.needs.1",
        "steps.3.name",
        "files",
    } <= fields
