"""What expressions may name at their place, and where it is told that they name something else."""

import pytest

from native_definitions import native, problem, problems


@pytest.mark.parametrize(
    "expression",
    [
        'outputs.a.v == "1"',
        'outputs["a"].v == "1"',
        'outputs["g/b"].v == "1"',
        'outputs["gen/whatever"].v == "1"',
        'state("a") == "failed"',
        'succeeded("g") || failed("g/b")',
        'outputs["g/c/setup"].v == "1"',
    ],
)
def test_a_node_that_has_ended_before_may_be_named(expression: str) -> None:
    native(f"""
- {{name: a, run: x}}
- {{name: gen, run: x, generates: n.yml}}
- {{name: g, steps: [{{name: b, run: x}}, {{name: c, run: x, setup: {{run: s}}}}]}}
- {{name: last, run: x, if: '{expression}'}}
""")


def test_names_are_searched_outwards() -> None:
    native("""
- {name: a, run: x}
- {name: g, steps: [{name: h, steps: [{name: b, run: x, env: {V: "${{ outputs.a.v }}"}}]}]}
""")


def test_the_setup_of_a_task_may_be_named_in_its_work_and_all_in_its_teardown() -> None:
    native("""
- name: a
  setup: {run: s}
  run: x
  env: {V: "${{ outputs.setup.v }}"}
  teardown: {run: t, env: {V: "${{ outputs.run.v }}", W: "${{ outputs.setup.v }}"}}
""")


def test_in_a_graph_whatever_is_needed_at_any_distance_may_be_named() -> None:
    native("""
- {name: c, run: x, needs: [b], if: 'outputs.a.v == "1"'}
- {name: b, run: x, needs: [a]}
- {name: a, run: x}
""")


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (
            '- {name: a, run: x, if: outputs.b.v == "1"}\n- {name: b, run: x}',
            'asks for "b", which comes later',
        ),
        (
            '- {name: a, run: x, if: outputs.a.v == "1"}',
            'asks for "a", in which it stands itself',
        ),
        (
            '- {name: g, if: state("g/a") == "", steps: [{name: a, run: x}]}',
            'asks for "g/a", which is a part of it',
        ),
        (
            '- {name: g, parallel: true, steps: [{name: a, run: x}, {name: b, run: x, if: failed("a")}]}',
            'asks for "a", which may run at the same time',
        ),
        (
            '- {name: a, run: x, needs: []}\n- {name: b, run: x, if: failed("a")}',
            'asks for "a", which may run at the same time',
        ),
        (
            '- {name: a, run: x, env: {V: "${{ outputs.teardown.v }}"}, teardown: {run: t}}',
            'asks for "teardown", which comes later',
        ),
        (
            '- {name: t, run: x, matrix: {v: [1, 2]}, if: state("1") == ""}',
            'asks for "1", in which it stands itself',
        ),
    ],
)
def test_a_node_that_cannot_have_ended_before_is_refused(steps: str, message: str) -> None:
    assert problem(steps).message == message


def test_the_nearest_name_is_told_for_one_that_no_node_has() -> None:
    found = problem('- {name: build, run: x}\n- {name: b, run: x, if: outputs.biuld.v == "1"}')
    assert found.message == 'names no node: "biuld"'
    assert found.advice == "did you mean `build`?"


def test_outputs_of_the_pipeline_may_name_any_node() -> None:
    native('name: p\noutputs: {v: "${{ outputs.a.v }}"}\nsteps: [{name: a, run: x}]')


@pytest.mark.parametrize(
    "keys",
    [
        'env: {V: "${{ outputs.a.v }}"}',
        'defaults: {image: "${{ outputs.a.v }}"}',
        'concurrency: {policy: queue, group: "${{ outputs.a.v }}"}',
    ],
)
def test_what_is_said_for_the_whole_pipeline_names_no_nodes(keys: str) -> None:
    assert "is a part of it" in problem(f"name: p\n{keys}\nsteps: [{{name: a, run: x}}]").message


def test_an_unknown_input_is_told_with_the_nearest_one() -> None:
    found = problem('name: p\ninputs: {level: {}}\nsteps: [{name: a, run: x, if: inputs.levle == "x"}]')
    assert found.message == 'names no input: "levle"'
    assert found.advice == "did you mean `level`?"


def test_an_axis_is_known_within_its_matrix_only() -> None:
    found = problem("""
- {name: t, run: x, matrix: {v: [1], include: [{w: 2}]}, if: matrix.v == 1 || matrix.w == 2}
- {name: u, run: x, if: matrix.v == 1}
""")
    assert found.field == "steps.1.if"
    assert found.message == 'names no axis of a matrix around it: "v"'


@pytest.mark.parametrize(
    ("line", "column", "length"),
    [
        ("    if: branhc == 'main'", 9, 6),
        ("    if: 'branhc == \"main\"'", 10, 6),
        ('    if: "branhc == \\"main\\""', 10, 6),
        ("    env: {A: 'x ${{ branhc }}'}", 21, 6),
        ("    env: {A: '${{ branch }} ${{ branhc }}'}", 33, 6),
        ("    image: i:${{ branhc }}", 18, 6),
        ("    image: {build: {context: '${{ branhc }}'}}", 35, 6),
    ],
)
def test_an_error_points_into_the_line(line: str, column: int, length: int) -> None:
    found = problem(f"- name: a\n    run: x\n{line}".replace("- name", "  - name"))
    assert (found.line, found.column, found.length) == (5, column, length)
    assert found.message == (
        'holds an expression that is wrong: No name "branhc" is known. Did you mean "branch"?'
    )


def test_an_expression_that_ends_too_early_is_told_at_its_end() -> None:
    found = problem("- name: a\n  run: x\n  if: branch ==")
    assert (found.line, found.message) == (
        5,
        "holds an expression that is wrong: The expression ends too early",
    )


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('- {name: "a ${{ branch }}", run: x}', "steps.0.name"),
        ('- {name: a, run: x, shell: "${{ branch }}"}', "steps.0.shell"),
        ('name: "${{ branch }}"\nsteps: []', "name"),
        ('name: p\ndefaults: {shell: "${{ branch }}"}\nsteps: []', "defaults.shell"),
    ],
)
def test_where_values_are_wanted_beforehand_no_expression_may_stand(text: str, field: str) -> None:
    found = problem(text)
    assert found.field == field
    assert found.message == "must hold no expression: it is wanted before one can be evaluated"


def test_what_a_fragment_says_for_all_its_nodes_is_checked() -> None:
    fragment = 'env: {A: "${{ outputs.nobody.v }}"}\nsteps: []'
    found = problem("- {name: u, use: f}", {"f": fragment})
    assert (found.file, found.field, found.message) == ("f", "env.A", 'names no node: "nobody"')


def test_mistakes_of_all_kinds_are_told_at_once() -> None:
    found = problems("""
name: p
steps:
  - {name: a, run: x, timeout: soon}
  - {name: a, run: x, colour: red}
  - {name: c, run: x, if: outputs.d.v == "1"}
  - {name: d, run: x, if: inputs.x, needs: 3}
  - {run: x, env: {A: "${{ }}"}}
  - {name: f, build: {tag: t}, if: nobody}
  - 7
""")
    assert [each.field for each in found] == [
        "steps.0.timeout",
        "steps.1.name",
        "steps.1.colour",
        "steps.2.if",
        "steps.3.if",
        "steps.3.needs",
        "steps.4.name",
        "steps.4.env.A",
        "steps.5.build.repository",
        "steps.5.if",
        "steps.6",
    ]
