"""What an expression's names and functions mean, and which values it gives."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from expression_scope import SomeNodes, scope
from lineshaft.expression import NoNodes, Scope, Value, parse
from lineshaft.model.errors import ExpressionError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('branch == "main" && tag == ""', True),
        ("commit.short", "01234567"),
        ("commit.author + commit.message", "AnnShip it"),
        ("event", "push"),
        ('inputs.level in ["fast", "full"]', True),
        ("inputs.count * 2", 6),
        ('inputs["strict"] ? "s" : "l"', "s"),
        ("matrix.python", "3.12"),
        ("env.A", "1"),
        ('pipeline.name + "/" + run.id + "/" + string(run.number)', "shop/r1/7"),
        ("outputs.build.version", "1.2"),
        ('outputs["test/unit"].count', "7"),
        ("has(outputs.lint.count)", False),
        ('succeeded("build") && failed("test/unit")', True),
        ("failed()", True),
        ("always()", True),
        ('state("lint")', "waiting"),
        ("null", None),
        ('{"b": [1, 2.5, null], "a": true}', {"a": True, "b": [1, 2.5, None]}),
        ('timestamp("2024-05-06T07:08:09Z")', "2024-05-06T07:08:09Z"),
        ('duration("1m30s")', "90s"),
        ('timestamp("2024-05-06T07:08:09Z").getHours()', 7),
        ("inputs.names.map(name, name.size())", [1, 1]),
        ("inputs.names.filter(name, name != branch)", ["a", "b"]),
        ('inputs.names.exists(name, name == "b") && !inputs.names.all(name, name == "b")', True),
        ("1 // behind it a comment", 1),
        ("type(1) == int", True),
    ],
)
def test_a_name_means_what_the_language_says(text: str, value: Value) -> None:
    assert parse(text).value(scope()) == value


def test_only_the_outputs_that_are_named_are_asked_for() -> None:
    nodes = SomeNodes()
    parse("outputs.build.version").value(scope(nodes=nodes))
    assert nodes.asked == ["build"]


def test_an_expression_tells_what_it_refers_to() -> None:
    expression = parse(
        'branch == outputs.build.version && inputs.names.all(x, changed(x)) && state("x") != ""'
    )
    assert expression.names == {"branch", "outputs", "inputs"}
    assert expression.functions == {"all", "changed", "state"}
    assert expression.nodes == {"build"}


@pytest.mark.parametrize(
    "text", ["succeeded()", 'failed("build")', "always() && true", 'state("build") == ""']
)
def test_an_expression_that_asks_for_a_state_needs_no_status(text: str) -> None:
    assert not parse(text).needs_status


@pytest.mark.parametrize("text", ["true", 'changed("a")', '"always()" == branch', "env.failed == branch"])
def test_an_expression_that_asks_for_no_state_needs_the_status(text: str) -> None:
    assert parse(text).needs_status


def test_a_condition_without_a_state_is_false_after_a_failure() -> None:
    assert not parse("true").holds(scope())
    assert parse("always()").holds(scope())
    assert parse("true").holds(Scope(nodes=NoNodes()))


def test_a_condition_that_is_text_is_an_error() -> None:
    with pytest.raises(ExpressionError, match="must be true or false, and this one is text"):
        parse("branch").holds(Scope())


def test_matches_with_one_text_searches_the_changed_paths() -> None:
    assert parse("matches('^api/.*[.]py$')").value(scope()) is True
    assert parse("matches('^web/')").value(scope()) is False


def test_matches_of_a_text_searches_that_text() -> None:
    assert parse("branch.matches('^ma')").value(scope()) is True
    assert parse("branch.matches('^x')").value(scope()) is False


def test_a_word_in_a_text_is_no_function() -> None:
    assert parse("'matches(' + \"x.map(y)\"").value(Scope()) == "matches(x.map(y)"


def test_changes_that_are_not_known_fit_everything() -> None:
    assert parse('changed("x") && matches("x")').value(scope(changed=None)) is True
    assert parse('changed("x") && matches("x")').value(scope(changed=())) is True


def test_an_error_of_the_nodes_is_given_on() -> None:
    with pytest.raises(ExpressionError, match="No node is called nobody"):
        parse('state("nobody") == "x" || true').value(scope())


def test_before_any_node_runs_there_is_none_to_ask_for() -> None:
    with pytest.raises(ExpressionError, match='no node "build" here'):
        parse("outputs.build.version").value(Scope())


def test_maps_are_gone_through_in_order() -> None:
    values = Scope(env={name: name for name in "hgfedcba"})
    assert {tuple(parse("env.map(key, key)").value(values) or ()) for _ in range(20)} == {tuple("abcdefgh")}  # type: ignore[arg-type]


def test_the_same_scope_gives_the_same_value() -> None:
    expression = parse('{"z": env, "a": commit, "names": inputs.names}')
    assert len({repr(expression.value(scope())) for _ in range(20)}) == 1


def test_threads_may_share_an_expression_and_a_scope() -> None:
    expression = parse('branch == "main" && changed("api/**") && env.map(key, key) == ["A", "B"]')
    shared = scope()
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda _: expression.value(shared), range(200)))


def test_the_librarys_own_command_line_is_not_loaded() -> None:
    program = (
        "import sys; from lineshaft.expression import Scope, parse; "
        "assert parse('1 + 1').value(Scope()) == 2; "
        "print(sorted({'typer', 'rich', 'prompt_toolkit', 'cel.cli'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_a_program_may_import_the_whole_library_as_well() -> None:
    program = (
        "from lineshaft.expression import Scope, parse; parse('1').value(Scope()); "
        "import cel; print(cel.evaluate('1 + 1'), parse('2 + 1').value(Scope()))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "2 3\n"
