"""What becomes of the keys of single nodes and groups."""

from datetime import timedelta

import pytest

from lineshaft.definition import read_definition
from lineshaft.model.concurrency import Concurrency, Policy
from lineshaft.model.condition import Condition
from lineshaft.model.errors import InputTooLargeError
from lineshaft.model.image import ImageBuild
from lineshaft.model.input import Input, InputType
from lineshaft.model.node import Order, Role
from lineshaft.model.retry import Retry
from lineshaft.model.state import State
from lineshaft.model.surroundings import Resources
from lineshaft.model.work import (
    BuilderWork,
    Cluster,
    ExecWork,
    PipelineWork,
    RunWork,
    SourceBuildWork,
    SourceDeployWork,
    Work,
)
from native_definitions import group, native, paths, problem, task


@pytest.mark.parametrize(
    ("keys", "work"),
    [
        ("run: make", RunWork("make", "sh -e")),
        ("run: make, shell: bash", RunWork("make", "bash")),
        ("exec: [make, 3]", ExecWork(("make", "3"))),
        ("builder: [./b, --x]", BuilderWork(("./b", "--x"))),
        (
            "build: {repository: host/x, tag: 1.10}",
            SourceBuildWork("Dockerfile", ".", "host/x", ("1.10",)),
        ),
        (
            "build: {repository: host/x, tag: t, context: web/, target: slim, args: {A: 1}}",
            SourceBuildWork("web/Dockerfile", "web/", "host/x", ("t",), "slim", {"A": "1"}),
        ),
        (
            "deploy: {manifests: k8s, cluster: prod}",
            SourceDeployWork("k8s", Cluster("prod", "", "default")),
        ),
        ("pipeline: other, with: {a: 1, b: yes}", PipelineWork("other", {"a": 1, "b": "yes"})),
    ],
)
def test_each_kind_of_work_is_read(keys: str, work: Work) -> None:
    assert task(native(f"- {{name: a, {keys}}}"), "a").work == work


@pytest.mark.parametrize(
    ("keys", "order"),
    [
        ("", Order.SEQUENCE),
        ("parallel: true, ", Order.PARALLEL),
    ],
)
def test_a_group_says_how_its_steps_run(keys: str, order: Order) -> None:
    assert group(native(f"- {{name: g, {keys}steps: [{{name: a, run: x}}]}}"), "g").order is order


def test_a_group_is_a_graph_as_soon_as_a_step_has_needs_even_none() -> None:
    assert native("- {name: a, run: x, needs: []}\n- {name: b, run: x}").tree.root.order is Order.GRAPH


def test_needs_link_siblings() -> None:
    tree = native("- {name: a, run: x}\n- {name: b, run: x, needs: [a]}").tree
    assert tree.places[2].needs == (1,)


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ('branch == "always"', False),
        ("always()", True),
        ('state("a") == "failed"', True),
        ("inputs.x", False),
        ("true", False),
    ],
)
def test_a_condition_knows_whether_it_asks_for_states(text: str, *, asks: bool) -> None:
    steps = f"[{{name: a, run: x}}, {{name: b, run: x, if: '{text}'}}]"
    definition = native(f"name: p\ninputs: {{x: {{default: true}}}}\nsteps: {steps}")
    assert task(definition, "b").condition == Condition(text, asks)


def test_a_retry_covers_failures_and_time_outs_unless_it_says_after_what() -> None:
    definition = native(
        "- {name: a, run: x, retry: 2}\n- {name: b, run: x, retry: {count: 1, on: [lost, 7]}}"
    )
    assert task(definition, "a").retry == Retry(2)
    assert task(definition, "b").retry == Retry(1, frozenset({State.LOST}), frozenset({7}))


def test_a_retry_of_none_is_no_retry() -> None:
    definition = native("name: p\ndefaults: {retry: 3}\nsteps: [{name: a, run: x, retry: 0}]")
    assert task(definition, "a").retry is None


def test_tasks_take_the_retry_of_the_nearest_group_that_says_one() -> None:
    definition = native("""
name: p
defaults: {retry: 1}
steps:
  - {name: a, run: x}
  - name: g
    retry: {count: 2, backoff: 10s}
    steps:
      - {name: b, run: x}
      - {name: c, run: x, retry: 3}
""")
    assert task(definition, "a").retry == Retry(1)
    assert task(definition, "g/b").retry == Retry(2, backoff=timedelta(seconds=10))
    assert task(definition, "g/c").retry == Retry(3)


def test_a_deploy_takes_no_retry_from_around_it_unless_it_may_begin_twice() -> None:
    definition = native("""
name: p
defaults: {retry: 1}
steps:
  - {name: a, deploy: {manifests: m, cluster: c}}
  - {name: b, deploy: {manifests: m, cluster: c}, idempotent: true}
""")
    assert task(definition, "a").retry is None
    assert task(definition, "b").retry == Retry(1)


def test_times_are_read_for_tasks_and_groups() -> None:
    definition = native("""
name: p
timeout: 2h
defaults: {timeout: 90}
steps:
  - {name: a, run: x}
  - {name: b, run: x, timeout: 1h30m}
  - {name: g, timeout: 5m, steps: []}
  - {name: h, steps: []}
""")
    assert definition.tree.root.timeout == timedelta(hours=2)
    assert task(definition, "a").timeout == timedelta(seconds=90)
    assert task(definition, "b").timeout == timedelta(minutes=90)
    assert group(definition, "g").timeout == timedelta(minutes=5)
    assert group(definition, "h").timeout is None


def test_defaults_are_taken_by_tasks_that_say_nothing_else() -> None:
    definition = native("""
name: p
defaults:
  {image: py, shell: bash, cwd: src, labels: [linux], resources: {cpus: 2, memory: 2GiB}, env: {A: 1, B: 1}}
env: {B: 2}
steps:
  - {name: a, run: x}
  - {name: b, run: x, image: go, shell: sh, cwd: web, labels: [mac], resources: {cpus: 1}, env: {A: 3}}
  - {name: c, build: {repository: r, tag: t}}
""")
    first, second = task(definition, "a"), task(definition, "b")
    assert first.work == RunWork("x", "bash")
    assert first.surroundings.image == "py"
    assert first.surroundings.cwd == "src"
    assert first.surroundings.labels == ("linux",)
    assert first.surroundings.resources == Resources(2, 2 << 30)
    assert first.surroundings.env == {"A": "1", "B": "2"}
    assert second.work == RunWork("x", "sh")
    assert second.surroundings.image == "go"
    assert second.surroundings.cwd == "web"
    assert second.surroundings.labels == ("mac",)
    assert second.surroundings.resources == Resources(1)
    assert second.surroundings.env == {"A": "3", "B": "2"}
    assert task(definition, "c").surroundings.image is None


def test_an_image_is_named_or_built_from_the_source() -> None:
    definition = native("""
name: p
defaults: {image: {build: {context: ci/}}}
steps:
  - {name: a, run: x}
  - {name: b, run: x, image: go}
  - {name: c, run: x, image: {build: {}}}
  - {name: d, run: x, image: {build: {context: "${{ branch }}", dockerfile: Other}}}
""")
    found = {name: task(definition, name).surroundings.image for name in ("a", "b", "c", "d")}
    assert found == {
        "a": ImageBuild("ci/Dockerfile", "ci/"),
        "b": "go",
        "c": ImageBuild("Dockerfile", "."),
        "d": ImageBuild("Other", "${{ branch }}"),
    }
    assert task(definition, "d").has_expressions
    assert read_definition(definition.format, definition.text).tree.places == definition.tree.places


def test_inner_levels_win_in_env_and_add_to_labels_and_secrets() -> None:
    definition = native("""
name: p
env: {A: root, B: root, C: root}
labels: [one]
secrets: [S]
steps:
  - name: g
    env: {B: group, C: group}
    labels: [two]
    steps: [{name: a, run: x, env: {C: task}, labels: [three], secrets: [T, S]}]
""")
    around = task(definition, "g/a").surroundings
    assert around.env == {"A": "root", "B": "group", "C": "task"}
    assert around.labels == ("one", "three", "two")
    assert around.secrets == ("S", "T")


def test_the_innermost_environment_is_a_tasks_and_identity_tokens_add_up() -> None:
    definition = native("""
name: p
environment: test
id_tokens: {A: all, B: all}
steps:
  - {name: a, run: x}
  - name: g
    environment: stage
    steps:
      - {name: b, run: x}
      - {name: c, run: x, environment: prod, id_tokens: {B: own}}
  - {name: u, use: f}
files: {f: {environment: shared, steps: [{name: d, run: x}]}}
""")
    found = {path: task(definition, path).surroundings for path in ("a", "g/b", "g/c", "u/d")}
    assert {path: around.environment for path, around in found.items()} == {
        "a": "test",
        "g/b": "stage",
        "g/c": "prod",
        "u/d": "shared",
    }
    assert found["a"].id_tokens == {"A": "all", "B": "all"}
    assert found["g/c"].id_tokens == {"A": "all", "B": "own"}


def test_the_setup_of_a_task_works_for_the_environment_of_the_task() -> None:
    text = "name: p\nsteps: [{name: a, run: x, environment: prod, setup: {run: s}}]"
    assert task(native(text), "a/setup").surroundings.environment == "prod"


def many_labels(letter: str) -> str:
    return ", ".join(f"{letter}{number}" for number in range(60))


@pytest.mark.parametrize(
    ("keys", "field"),
    [(f"labels: [{many_labels('b')}]", "steps.0.steps.0.labels"), ("env: {A: 1}", "steps.0.steps.0")],
)
def test_the_labels_of_all_levels_together_are_counted(keys: str, field: str) -> None:
    text = f"name: p\nlabels: [{many_labels('a')}]\nsteps:\n  - name: g\n    labels: [{many_labels('c')}]\n"
    found = problem(f"{text}    steps:\n      - {{name: t, run: x, {keys}}}\n")
    assert found.field == field
    assert found.message.endswith("labels, those around it counted, and a task may ask for 100")
    assert (found.line, found.advice) == (7, "leave some of them out")


def test_tasks_that_add_nothing_share_what_is_around_them() -> None:
    definition = native("name: p\nenv: {A: 1}\nsteps: [{name: a, run: x}, {name: b, run: y}]")
    assert task(definition, "a").surroundings is task(definition, "b").surroundings


@pytest.mark.parametrize(
    ("keys", "templated"),
    [
        ("run: x", False),
        ("run: x, env: {A: plain}", False),
        ("run: x, env: {A: '${{ branch }}'}", True),
        ("run: x, image: 'i:${{ branch }}'", True),
        ("run: x, image: {build: {dockerfile: '${{ branch }}'}}", True),
        ("run: x, image: {build: {}}", False),
        ("run: x, labels: ['${{ branch }}']", True),
        ("run: x, artifacts: ['${{ branch }}']", True),
        ("run: x, services: {db: {image: d, env: {A: '${{ branch }}'}}}", True),
        ("exec: ['${{ branch }}']", True),
        ("build: {repository: r, tag: '${{ commit.short }}'}", True),
        ("pipeline: x, with: {a: '${{ branch }}'}", True),
    ],
)
def test_a_task_knows_whether_expressions_stand_in_it(keys: str, *, templated: bool) -> None:
    assert task(native(f"- {{name: a, {keys}}}"), "a").has_expressions is templated


def test_a_task_with_hooks_becomes_a_group_that_carries_its_outputs() -> None:
    definition = native("""
- name: ship
  if: branch == "main"
  allow_failure: true
  timeout: 1m
  retry: 1
  env: {A: 1}
  setup: {run: s}
  exec: [e]
  teardown: {run: t}
""")
    around = group(definition, "ship")
    assert paths(definition) == ["ship", "ship/setup", "ship/exec", "ship/teardown"]
    assert around.carries_outputs
    assert around.condition == Condition('branch == "main"')
    assert around.allow_failure
    assert around.timeout is None
    body, setup = task(definition, "ship/exec"), task(definition, "ship/setup")
    assert body.timeout == timedelta(minutes=1)
    assert body.retry == Retry(1)
    assert body.condition is None
    assert setup.retry is None
    assert setup.surroundings.env == {"A": "1"}


def test_a_teardown_has_a_time_limit_of_its_own() -> None:
    definition = native("""
name: p
defaults: {timeout: 10h}
teardown: {run: x}
steps:
  - {name: a, run: x, teardown: {run: x, timeout: 1m}}
  - {name: g, steps: [], teardown: {steps: [{name: b, run: x}]}}
""")
    assert task(definition, "teardown").timeout == timedelta(minutes=5)
    assert task(definition, "a/teardown").timeout == timedelta(minutes=1)
    assert group(definition, "g/teardown").timeout == timedelta(minutes=5)
    assert task(definition, "g/teardown/b").timeout == timedelta(hours=10)


def test_hooks_of_the_pipeline_stand_below_the_root() -> None:
    tree = native("name: p\nsetup: {run: x}\nsteps: [{name: a, run: x}]").tree
    assert tree.places[0].setup == 1
    assert tree.places[1].role is Role.SETUP


def test_a_task_that_generates_is_the_setup_of_what_it_makes() -> None:
    definition = native("- {name: gen, run: x, generates: n.yml, needs: []}")
    around = group(definition, "gen")
    assert paths(definition) == ["gen", "gen/run"]
    assert definition.tree.places[2].role is Role.SETUP
    assert around.generates == "n.yml"
    assert around.carries_outputs
    assert around.children == ()


def test_a_task_that_generates_may_have_hooks_as_well() -> None:
    definition = native("- {name: gen, run: x, generates: n.yml, teardown: {run: t}}")
    assert paths(definition) == ["gen", "gen/run", "gen/run/run", "gen/teardown"]
    assert group(definition, "gen").generates is None
    assert group(definition, "gen/run").generates == "n.yml"


def test_a_definition_has_the_pipelines_own_keys() -> None:
    definition = native("""
name: shop
repository: https://host/shop.git
inputs:
  level: {default: fast, choices: [fast, full], description: how much}
  count: {default: 3}
  who: {}
  maybe: {type: boolean, required: false}
concurrency: {policy: queue, group: "${{ branch }}"}
outputs: {v: "${{ outputs.a.v }}"}
steps: [{name: a, run: x, outputs: [v]}]
""")
    assert definition.name == "shop"
    assert definition.repository == "https://host/shop.git"
    assert definition.inputs == (
        Input("level", default="fast", choices=("fast", "full"), description="how much"),
        Input("count", InputType.NUMBER, default=3),
        Input("who", required=True),
        Input("maybe", InputType.BOOLEAN),
    )
    assert definition.concurrency == Concurrency(Policy.QUEUE, "${{ branch }}")
    assert definition.tree.root.outputs == {"v": "${{ outputs.a.v }}"}
    assert task(definition, "a").surroundings.outputs == ("v",)


def test_runs_of_a_pipeline_that_says_nothing_do_not_care_for_each_other() -> None:
    assert native("- {name: a, run: x}").concurrency == Concurrency(Policy.ALLOW)


def test_more_nodes_than_the_limit_are_refused() -> None:
    matrix = f"matrix: {{a: [{', '.join(map(str, range(200)))}]}}"
    with pytest.raises(InputTooLargeError, match="20,000"):
        native(f"- {{name: g, {matrix}, steps: [{{name: h, {matrix}, run: x}}]}}")
