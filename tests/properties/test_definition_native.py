"""Whatever text comes in: a definition that reads back as itself, or an error that says what is wrong."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.definition import read_definition, read_generated, read_native
from lineshaft.model.errors import InvalidDefinitionError, InvalidInputError
from native_definitions import Files, native

NAMES = st.sampled_from(("a", "b", "c", "setup", "run"))
CONDITIONS = st.sampled_from(
    (
        "branch == 'main'",
        "always()",
        "failed('a')",
        "state('b') == 'x'",
        "outputs.a.v == '1'",
        "outputs['b/a'].v == '1'",
        "matrix.v == 1",
        "inputs.n == 'x'",
        "nobody",
        "(",
        "",
    )
)
TEMPLATES = st.sampled_from(
    ("x", "${{ branch }}", "${{ outputs.a.v }}", "${{ matrix.v }}", "${{", "$${{ x", 1.5)
)
ODD: st.SearchStrategy[Any] = st.sampled_from(
    (None, True, 7, -1, 1e300, "", "x", "..", "\u2028", [], {}, [[]], {"a": None}, "use", 2**70)
)
"""Values that fit in few places."""

MATRICES = st.fixed_dictionaries(
    {"v": st.lists(st.sampled_from((1, True, "x", "a/b", 2.5)), min_size=1, max_size=3)},
    optional={"exclude": st.just([{"v": 1}]), "include": st.just([{"w": "y"}])},
)
COMMON: Mapping[str, st.SearchStrategy[Any]] = {
    "if": CONDITIONS,
    "needs": st.lists(NAMES, max_size=2, unique=True),
    "timeout": st.sampled_from((5, "5m", 0.5, "soon")),
    "retry": st.sampled_from((0, 2, {"count": 1, "on": ["lost", 3]})),
    "allow_failure": st.booleans(),
    "env": st.dictionaries(st.sampled_from(("A", "B")), TEMPLATES, max_size=2),
    "labels": st.lists(st.sampled_from(("x", "y")), max_size=2),
    "matrix": MATRICES,
}
TASKS = st.one_of(
    st.fixed_dictionaries({"run": st.just("x")}, optional={"generates": st.just("n.yml")}),
    st.fixed_dictionaries({"exec": st.lists(TEMPLATES, min_size=1, max_size=2)}),
    st.fixed_dictionaries({"pipeline": st.just("p"), "with": st.dictionaries(NAMES, TEMPLATES, max_size=1)}),
    st.fixed_dictionaries(
        {"use": st.sampled_from(("f", "g", "none"))},
        optional={"with": st.fixed_dictionaries({"n": TEMPLATES})},
    ),
)


def nodes(tasks: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda name, keys, work, hooks: {"name": name, **keys, **work, **hooks},
        NAMES,
        st.fixed_dictionaries({}, optional=dict(COMMON)),
        tasks,
        st.fixed_dictionaries({}, optional={"teardown": st.just({"run": "t"})}),
    )


STEPS = st.recursive(
    st.lists(nodes(TASKS), max_size=3),
    lambda steps: st.lists(
        nodes(st.one_of(TASKS, st.fixed_dictionaries({"steps": steps, "parallel": st.booleans()}))),
        max_size=3,
    ),
    max_leaves=6,
)
FRAGMENT = st.fixed_dictionaries(
    {"steps": STEPS}, optional={"inputs": st.fixed_dictionaries({"n": st.sampled_from(({}, {"default": 1}))})}
)
PIPELINES = st.fixed_dictionaries(
    {"name": st.just("p"), "steps": STEPS},
    optional={
        "inputs": st.just({"n": {"default": "x"}}),
        "callable_by": st.sampled_from(("*", ["a", "*"], ["b", 7], [], ["a", "${{ branch }}"])),
        "files": st.fixed_dictionaries({"f": FRAGMENT}),
        "defaults": st.fixed_dictionaries({}, optional={"image": TEMPLATES, "retry": st.just(1)}),
        "outputs": st.fixed_dictionaries({"v": TEMPLATES}),
        "setup": st.just({"run": "s"}),
    },
)


@given(document=PIPELINES, fragment=FRAGMENT)
@settings(max_examples=300, deadline=None)
def test_a_pipeline_reads_back_as_itself_or_is_refused_with_places(
    document: dict[str, Any], fragment: dict[str, Any]
) -> None:
    files = Files({"g": json.dumps(fragment)})
    try:
        definition = read_native(json.dumps(document).encode(), files=files)
    except InvalidDefinitionError as error:
        placed = [each.message and each.line and each.column for each in error.problems]
        assert placed
        assert all(placed)
        return
    again = read_definition(definition.format, definition.text)
    assert again.tree.places == definition.tree.places
    assert again.hash == definition.hash
    assert read_native(definition.text.encode()).hash == definition.hash
    assert len({place.path for place in definition.tree.places}) == len(definition.tree)


def _copy(value: Any) -> Any:
    return json.loads(json.dumps(value))


@st.composite
def broken(draw: st.DrawFn) -> Any:
    """Make a pipeline with values put at random places."""
    document: Any = [_copy(draw(PIPELINES))]
    for _ in range(draw(st.integers(1, 3))):
        at: Any = document
        key: Any = 0
        for _ in range(draw(st.integers(0, 6))):
            inner = at[key]
            keys = (
                list(inner)
                if isinstance(inner, dict)
                else range(len(inner))
                if isinstance(inner, list)
                else ()
            )
            if not keys:
                break
            at, key = inner, draw(st.sampled_from(list(keys)))
        at[key] = _copy(draw(st.one_of(ODD, TEMPLATES, CONDITIONS)))
    return document[0]


@given(
    document=broken(),
    override=st.tuples(st.sampled_from(("steps.0.run", "env.A", "x", "steps.a.if")), st.text(max_size=5)),
)
@settings(max_examples=300, deadline=None)
def test_whatever_is_wrong_with_a_pipeline_is_a_typed_error(document: Any, override: tuple[str, str]) -> None:
    data = json.dumps(document).encode(errors="surrogatepass")
    with suppress(InvalidInputError):
        read_native(data, overrides=[override])


GENERATING = native("- {name: a, run: x}\n- {name: gen, matrix: {v: [1]}, run: x, generates: n}")


@given(steps=st.one_of(STEPS, broken(), ODD))
@settings(max_examples=200, deadline=None)
def test_generated_nodes_join_the_tree_or_are_refused(steps: Any) -> None:
    place = GENERATING.tree.find("gen/1")
    assert place is not None
    try:
        body = read_generated(json.dumps(steps), GENERATING, GENERATING.tree, place.index)
    except InvalidInputError:
        return
    grown = GENERATING.tree.grown(place.index, body)
    assert len({each.path for each in grown.places}) == len(grown)
