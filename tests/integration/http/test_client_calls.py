"""The client's calls for the pipeline language, against a server."""

from collections.abc import Iterator

import pytest

from lineshaft.model.errors import InvalidDefinitionError, InvalidInputError, NodeNotFoundError
from lineshaft.model.state import State
from lineshaft.sdk.client import JSON, YAML, Client
from lineshaft.sdk.config import ClientConfig
from lineshaft.sdk.report import ReportQuery
from lineshaft.sdk.run import RunView

TEXT = """
name: client
inputs: {level: {default: fast, choices: [fast, full]}}
steps:
  - {name: a, run: "true"}
  - {name: b, if: inputs.level == "full", run: exit 1}
"""


@pytest.fixture(scope="module")
def client(url: str, credentials: tuple[str, str]) -> Iterator[Client]:
    with Client(ClientConfig(url, *credentials)) as client:
        yield client


def finished(client: Client, run: RunView) -> RunView:
    for _ in client.events(run.id):
        pass
    return client.run(run.id)


def states(run: RunView) -> list[State]:
    return [node.state for node in run.nodes]


def test_a_pipeline_of_text_is_created_and_run_with_what_is_asked_for(client: Client) -> None:
    made = client.create_pipeline_from_text(TEXT)

    run = finished(client, client.start_run(made.id, inputs={"level": "full"}, ref="main"))

    assert states(run) == [State.SUCCEEDED, State.FAILED]
    assert (run.inputs, run.cause) == ({"level": "full"}, "manual")
    assert run.source is not None
    assert run.source.branch == "main"
    assert [step["name"] for step in client.pipeline(made.id).steps] == ["a", "b"]


@pytest.mark.parametrize("overrides", [{"steps.b.run": "true"}, [("steps.b.run", "'true'")]])
def test_overrides_may_be_values_or_texts(
    client: Client, overrides: dict[str, str] | list[tuple[str, str]]
) -> None:
    made = client.create_pipeline_from_text(TEXT)

    run = finished(client, client.start_run(made.id, inputs={"level": "full"}, overrides=overrides))

    assert states(run) == [State.SUCCEEDED, State.SUCCEEDED]
    assert '"run":"true"' in client.definition(run.id, JSON)
    assert "name: client" in client.definition(run.id, YAML)


def test_a_run_has_the_priority_that_is_asked_for(client: Client) -> None:
    made = client.create_pipeline_from_text(TEXT)

    assert finished(client, client.start_run(made.id, priority=-7)).priority == -7
    assert finished(client, client.start_run(made.id)).priority == 0
    with pytest.raises(InvalidInputError) as caught:
        client.start_run(made.id, priority=101)
    assert [problem.field for problem in caught.value.problems] == ["priority"]


def test_only_some_nodes_run_where_that_is_asked_for(client: Client) -> None:
    made = client.create_pipeline_from_text(TEXT)

    only = finished(client, client.start_run(made.id, only=["b"], inputs={"level": "full"}))
    behind = finished(client, client.start_run(made.id, from_="b", changed=["x"]))

    assert states(only) == [State.SKIPPED, State.FAILED]
    assert states(behind) == [State.SKIPPED, State.SKIPPED]
    with pytest.raises(NodeNotFoundError):
        client.start_run(made.id, only=["nothing"])


def test_a_retry_from_the_failed_nodes_names_the_run_that_it_goes_on_from(client: Client) -> None:
    made = client.create_pipeline_from_text(TEXT)
    first = finished(client, client.start_run(made.id, inputs={"level": "full"}))

    again = finished(client, client.retry_run(first.id, from_failed=True))

    assert again.retry_of == first.id
    assert again.nodes[0].reason is not None
    assert (again.nodes[0].reason.code, again.nodes[0].attempt, again.nodes[1].attempt) == ("kept", 0, 1)


def test_a_replacement_of_text_is_taken(client: Client) -> None:
    made = client.create_pipeline_from_text(TEXT)

    client.update_pipeline_from_text(made.id, TEXT.replace("name: client", "name: other"))

    assert client.pipeline(made.id).name == "other"


def test_what_is_wrong_is_told_with_advice(client: Client) -> None:
    bad = TEXT.replace("run: exit 1", "rum: exit 1")

    validation = client.validate(bad)
    with pytest.raises(InvalidDefinitionError) as refused:
        client.create_pipeline_from_text(bad)

    assert not validation.valid
    assert validation.problems == refused.value.problems
    assert any(problem.advice for problem in validation.problems)
    assert client.validate(TEXT).valid


def test_wrong_inputs_are_refused(client: Client) -> None:
    made = client.create_pipeline_from_text(TEXT)

    with pytest.raises(InvalidInputError) as refused:
        client.start_run(made.id, inputs={"level": "half"})

    assert len(refused.value.problems) == 1


def test_a_node_is_explained(client: Client) -> None:
    made = client.create_pipeline_from_text(TEXT)
    run = finished(client, client.start_run(made.id))

    explanation = client.explain(run.id, "b")

    assert (explanation.state, explanation.condition_held) == (State.SKIPPED, False)
    assert explanation.condition == 'inputs.level == "full"'
    assert explanation.child_run is None


def test_a_report_is_read(client: Client) -> None:
    made = client.create_pipeline_from_text(TEXT)
    finished(client, client.start_run(made.id))

    whole, *stages = client.report(ReportQuery(pipeline=str(made.id)))

    assert (whole.pipeline_id, whole.path, whole.count) == (made.id, "", 1)
    assert [stage.path for stage in stages] == ["a", "b"]
    assert whole.durations.min_seconds is not None
