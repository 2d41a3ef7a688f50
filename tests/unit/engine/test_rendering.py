"""What expressions see at a node, and tasks with their templates evaluated."""

from typing import Any

import pytest

from lineshaft.engine.rendering import rendered_task
from lineshaft.engine.scope import scope_of
from lineshaft.expression import parse
from lineshaft.model.errors import ExpressionError
from lineshaft.model.image import ImageBuild
from lineshaft.model.node import Node, Task
from lineshaft.model.run import Run, Source
from lineshaft.model.service import Service
from lineshaft.model.surroundings import Surroundings
from lineshaft.model.tree import Tree
from lineshaft.model.value import Bindings
from lineshaft.model.work import Cluster, ExecWork, RunWork, SourceBuildWork, SourceDeployWork, Work
from trees import call, parallel, sequence, task
from watched_run import SUCCEEDED, WatchedRun

SOURCE = Source("https://git.example/shop.git", "0123456789" * 4, branch="main", author="Ada")


def run_of(*children: Node, **fields: Any) -> Run:
    return WatchedRun(Tree(sequence(*children, name="shop")), source=SOURCE, **fields).run


def value(run: Run, path: str, expression: str) -> object:
    place = run.tree.find(path)
    assert place is not None
    return parse(expression).value(scope_of(run, place.index))


def rendered(work: Work, surroundings: Surroundings | None = None, **fields: Any) -> Task:
    surroundings = surroundings or Surroundings()
    one = Task("one", work, surroundings=surroundings, has_expressions=True, **fields)
    return rendered_task(run_of(one, inputs={"level": "full"}), 1)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("branch", "main"),
        ("tag", ""),
        ("commit.short", "01234567"),
        ("commit.author", "Ada"),
        ("event", "manual"),
        ("pipeline.name", "shop"),
        ("run.number", 1),
        ("inputs.level", "full"),
        ('changed("x/**")', True),
    ],
)
def test_the_run_s_own_names(expression: str, expected: object) -> None:
    assert value(run_of(task("one"), inputs={"level": "full"}), "one", expression) == expected


def test_a_name_is_looked_for_among_the_siblings_and_then_outwards() -> None:
    watched = WatchedRun(Tree(sequence(task("lint"), parallel("lint", "unit", name="test"), "ship")))
    watched.start()
    watched.do("lint", SUCCEEDED)
    assert value(watched.run, "test/unit", 'state("lint")') == "queued"
    assert value(watched.run, "ship", 'state("lint")') == "succeeded"
    assert value(watched.run, "test/unit", 'state("ship")') == "waiting"
    assert value(watched.run, "ship", 'state("test/unit")') == "queued"


def test_a_name_that_no_node_has_is_an_error() -> None:
    with pytest.raises(ExpressionError, match='no node "nobody"'):
        value(run_of(task("one")), "one", 'state("nobody")')


def test_a_node_that_has_told_nothing_has_no_outputs() -> None:
    run = run_of(task("one"), task("two"))
    assert value(run, "two", "has(outputs.one.image)") is False


def test_a_node_of_a_matrix_sees_its_combination() -> None:
    bindings = Bindings({"python": "3.12"})
    assert value(run_of(task("one", bindings=bindings)), "one", "matrix.python") == "3.12"


def test_a_fragment_s_inputs_are_evaluated_where_it_is_used() -> None:
    outer = Bindings({"python": "3.12"}, {"level": "${{ inputs.level }}er"})
    inner = Bindings({}, {"image": "py${{ matrix.python }}-${{ inputs.level }}", "count": 2}, outer)
    run = run_of(task("one", bindings=inner), inputs={"level": "full"})
    assert value(run, "one", "inputs.image") == "py3.12-fuller"
    assert value(run, "one", "inputs.count") == 2


def test_fragments_nested_deeper_than_the_stack_are_evaluated() -> None:
    bindings = Bindings({}, {"level": "${{ inputs.level }}"})
    for _ in range(3_000):
        bindings = Bindings({}, {"level": "${{ inputs.level }}"}, bindings)
    assert value(run_of(task("one", bindings=bindings), inputs={"level": "x"}), "one", "inputs.level") == "x"


def test_a_script_is_never_touched() -> None:
    work = RunWork("echo ${{ branch }}")
    assert rendered(work).work == work


def test_arguments_are_evaluated_one_by_one() -> None:
    assert rendered(ExecWork(("echo", "${{ branch }} x", "y"))).work == ExecWork(("echo", "main x", "y"))


def test_what_is_built_and_deployed_may_hold_expressions() -> None:
    build = SourceBuildWork(
        "Dockerfile", ".", "registry.example/shop", ("${{ commit.short }}",), None, {"A": "${{ branch }}"}
    )
    assert rendered(build).work == SourceBuildWork(
        "Dockerfile", ".", "registry.example/shop", ("01234567",), None, {"A": "main"}
    )
    deploy = SourceDeployWork("deploy/${{ branch }}", Cluster("prod", "", "${{ inputs.level }}"))
    assert rendered(deploy).work == SourceDeployWork("deploy/main", Cluster("prod", "", "full"))


def test_where_an_image_is_built_from_is_evaluated() -> None:
    around = Surroundings(image=ImageBuild("${{ branch }}/Dockerfile", "${{ inputs.level }}"))
    assert rendered(RunWork("true"), around).surroundings.image == ImageBuild("main/Dockerfile", "full")


@pytest.mark.parametrize(
    "surroundings",
    [Surroundings(image="a:::${{ branch }}"), Surroundings(services={"db": Service("A/${{ branch }}")})],
)
def test_what_comes_of_an_image_must_be_the_name_of_one(surroundings: Surroundings) -> None:
    with pytest.raises(ExpressionError, match="must be the name of an image"):
        rendered(RunWork("make"), surroundings)


def test_what_a_task_finds_around_it_is_evaluated() -> None:
    around = Surroundings(
        env={"PLAIN": "x", "BRANCH": "${{ branch }}-${{ env.PLAIN }}"},
        cwd="${{ inputs.level }}",
        labels=("z", "${{ branch }}"),
        image="python:${{ env.BRANCH }}",
        services={"db": Service("pg:${{ inputs.level }}", ("-c", "${{ branch }}"))},
    )
    task = rendered(RunWork("true"), around)
    assert task.surroundings == Surroundings(
        env={"PLAIN": "x", "BRANCH": "main-x"},
        cwd="full",
        labels=("main", "z"),
        image="python:main-x",
        services={"db": Service("pg:full", ("-c", "main"))},
    )
    assert not task.has_expressions


def test_a_template_of_the_environment_does_not_see_another() -> None:
    around = Surroundings(env={"A": "${{ branch }}", "B": "${{ env.A }}"})
    with pytest.raises(ExpressionError):
        rendered(RunWork("true"), around)


def test_a_task_without_expressions_is_taken_as_it_is() -> None:
    run = run_of(Task("one", ExecWork(("${{ branch }}",))))
    assert rendered_task(run, 1) is run.tree[1].node


def test_a_group_is_refused() -> None:
    with pytest.raises(TypeError):
        rendered_task(run_of(call("one")), 0)
