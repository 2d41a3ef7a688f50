"""The text that is kept of a definition, and what is read from it again."""

import json

import pytest

from lineshaft.model.errors import InputTooLargeError, InvalidDefinitionError
from lineshaft.model.schedule import Schedule
from native_definitions import native, reread

EVERYTHING = """
name: shop
repository: https://host/shop.git
on: {push: {}, schedule: [{cron: "0 3 * * *", timezone: Asia/Tokyo, inputs: {n: 2}}]}
inputs: {level: {default: fast, choices: [fast, full]}, n: {type: number}}
defaults: {image: py, timeout: 90, retry: {count: 1, backoff: 0.5, on: [lost, 3]}, resources: {memory: 2GiB}}
secrets: [TOKEN]
id_tokens: {CLOUD: sts.example}
environment: prod
concurrency: {policy: queue, group: "${{ branch }}"}
priority: -7
env: {VERSION: 3.10, FLAG: true}
labels: [linux]
timeout: 2h
outputs: {v: "${{ outputs.a.v }}"}
files: {f: {inputs: {n: {}}, steps: [{name: x, run: x, if: inputs.n == "1"}]}}
setup: {run: s}
steps:
  - {name: a, run: x, outputs: [v], artifacts: [out, {name: n, paths: [p]}], cache: [c]}
  - {name: b, needs: [a], exec: [x, 1], matrix: {v: [1, true, x], exclude: [{v: x}]}, teardown: {run: t}}
  - {name: c, needs: [], use: f, with: {n: "1"}}
  - {name: d, run: x, generates: n.yml, if: always(), environment: test, id_tokens: {OTHER: b}}
"""


def test_a_definition_is_read_from_its_kept_text_as_it_was() -> None:
    definition = native(EVERYTHING)
    again = reread(definition)
    assert again.tree.places == definition.tree.places
    assert (again.hash, again.name, again.repository, again.inputs, again.concurrency, again.priority) == (
        definition.hash,
        definition.name,
        definition.repository,
        definition.inputs,
        definition.concurrency,
        definition.priority,
    )
    assert definition.priority == -7
    assert again.schedules == definition.schedules == (Schedule("0 3 * * *", "Asia/Tokyo", {"n": 2}),)


def test_a_definition_need_not_say_a_priority() -> None:
    assert native("name: p\nsteps: []").priority is None


def test_the_kept_text_is_a_definition_of_the_same_hash() -> None:
    definition = native(EVERYTHING)
    assert native(definition.text).hash == definition.hash


def test_how_a_definition_is_written_does_not_matter_to_its_hash() -> None:
    assert (
        native("name: p\nsteps:\n  - name: a\n    run: x # why\n    timeout: 1m").hash
        == native('{"steps": [{"run": "x", "timeout": 60, "name": "a"}], "name": "p"}').hash
    )


def test_numbers_in_env_are_kept_as_they_were_written() -> None:
    assert json.loads(native("name: p\nenv: {V: 3.10}\nsteps: []").text)["env"] == {"V": "3.10"}


def test_json_and_yaml_mean_the_same() -> None:
    value = {"name": "p", "steps": [{"name": "a", "run": "x"}]}
    assert native(json.dumps(value)).hash == native("name: p\nsteps: [{name: a, run: x}]").hash


def test_text_that_aliases_repeat_beyond_the_limit_is_refused_before_it_is_written() -> None:
    aliases = ", ".join(f"{{name: n{number}, run: *big}}" for number in range(20))
    with pytest.raises(InputTooLargeError, match="4,194,304 characters"):
        native(f"name: p\nsteps: [{{name: a, run: &big {'x' * 300_000}}}, {aliases}]")


def test_a_text_that_is_no_definition_is_told_as_such() -> None:
    with pytest.raises(InvalidDefinitionError, match="must be an object"):
        native("[]")
