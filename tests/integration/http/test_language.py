"""Pipelines of the pipeline language over HTTP."""

from pathlib import Path

import httpx2
import pytest

from http_pipelines import Document, events, finish, node

YAML = {"Content-Type": "application/yaml"}


def create(api: httpx2.Client, text: str) -> str:
    """Create a pipeline of a YAML text, and return its id."""
    answer = api.post("/v1/pipelines", content=text, headers=YAML)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def start(api: httpx2.Client, pipeline: str, **asked: object) -> Document:
    """Start a run."""
    answer = api.post(f"/v1/pipelines/{pipeline}/runs", json=asked)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def run(api: httpx2.Client, text: str, **asked: object) -> Document:
    """Create a pipeline, and run it to its end."""
    return finish(api, start(api, create(api, text), **asked))


def states(run: Document) -> dict[str, str]:
    return {each["path"]: each["state"] for each in run["nodes"]}


def log(api: httpx2.Client, run: Document, path: str) -> str:
    return api.get(f"/v1/runs/{run['id']}/nodes/{path}/log").text


def test_a_pipeline_of_yaml_runs(api: httpx2.Client) -> None:
    ended = run(api, "name: hello\nsteps:\n  - name: greet\n    run: echo hello\n")

    assert states(ended) == {"greet": "succeeded"}
    assert (ended["cause"], ended["inputs"], ended["source"], ended["parent"]) == ("manual", {}, None, None)


def test_a_pipeline_of_the_language_is_told_by_its_steps(api: httpx2.Client) -> None:
    document = {"name": "native", "steps": [{"name": "a", "run": "true"}]}

    answer = api.post("/v1/pipelines", json=document)

    shown = api.get(f"/v1/pipelines/{answer.json()['id']}").json()
    assert shown == {**document, "id": answer.json()["id"]}


def test_a_pipeline_is_shown_as_yaml_to_who_asks_for_that(api: httpx2.Client) -> None:
    pipeline = create(api, "name: hello\nsteps:\n  - name: greet\n    run: echo hello\n")

    answer = api.get(f"/v1/pipelines/{pipeline}", headers={"Accept": "application/yaml"})

    assert answer.headers["content-type"].startswith("application/yaml")
    assert answer.text == "name: hello\nsteps:\n  - name: greet\n    run: echo hello\n"
    again = api.put(f"/v1/pipelines/{pipeline}", content=answer.text, headers=YAML)
    assert again.status_code == 200


def test_a_pipeline_is_replaced_by_yaml(api: httpx2.Client) -> None:
    pipeline = create(api, "name: hello\nsteps: [{name: a, run: exit 1}]\n")

    answer = api.put(
        f"/v1/pipelines/{pipeline}", content="name: hello\nsteps: [{name: b, run: 'true'}]\n", headers=YAML
    )

    assert answer.status_code == 200
    assert states(finish(api, start(api, pipeline))) == {"b": "succeeded"}


def test_every_problem_is_told_with_its_place_and_advice(api: httpx2.Client) -> None:
    text = "name: hello\nsteps:\n  - name: a\n    rum: echo\n  - name: a\n    run: echo\n"

    refused = api.post("/v1/pipelines", content=text, headers=YAML)
    validated = api.post("/v1/pipelines/validate", content=text, headers=YAML)

    assert refused.status_code == 422
    errors = refused.json()["errors"]
    assert any((each["line"], each["column"]) == (4, 5) and "run" in each["advice"] for each in errors)
    assert validated.status_code == 200
    assert validated.json() == {"valid": False, "problems": errors}


@pytest.mark.parametrize(
    "document",
    [
        {"name": "n", "steps": [{"name": "a", "run": "true"}]},
        {"name": "r", "stages": [{"name": "a", "type": "Run", "command": "true", "timeout": 1}]},
    ],
)
def test_a_good_configuration_is_valid_and_makes_no_pipeline(api: httpx2.Client, document: Document) -> None:
    document["name"] = f"validated {document['name']}"

    answer = api.post("/v1/pipelines/validate", json=document)

    assert answer.json() == {"valid": True, "problems": []}
    assert api.get("/v1/pipelines", params={"name": document["name"]}).json()["items"] == []


def test_inputs_reach_conditions_and_environments(api: httpx2.Client) -> None:
    text = """
name: inputs
inputs:
  level: {default: fast, choices: [fast, full]}
  count: {type: number, required: true}
steps:
  - name: full
    if: inputs.level == "full"
    run: "true"
  - name: show
    env: {TWICE: "${{ inputs.count * 2 }}"}
    run: echo "$TWICE"
"""
    ended = run(api, text, inputs={"count": 21})

    assert ended["inputs"] == {"level": "fast", "count": 21}
    assert states(ended) == {"full": "skipped", "show": "succeeded"}


def test_wrong_inputs_are_refused_with_all_that_is_wrong(api: httpx2.Client) -> None:
    pipeline = create(api, "name: i\ninputs: {level: {choices: [a, b]}}\nsteps: [{name: a, run: 'true'}]\n")

    answer = api.post(f"/v1/pipelines/{pipeline}/runs", json={"inputs": {"level": "c", "other": 1}})

    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:lineshaft:problem:invalid-input"
    assert len(answer.json()["errors"]) == 2


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": []},
        {"input": {}},
        {"ref": "a b"},
        {"ref": "-x"},
        {"changed": "a"},
        [],
        {"only": [1]},
        {"priority": 101},
        {"priority": -101},
        {"priority": 1.5},
        {"priority": "7"},
        {"priority": True},
        {"priority": 10**30},
        {"overrides": {f"steps.a.env.N{number}": "1" for number in range(201)}},
        {"overrides": [f"steps.a.env.N{number}=1" for number in range(201)]},
    ],
)
def test_a_body_that_makes_no_sense_is_refused(api: httpx2.Client, body: object) -> None:
    pipeline = create(api, "name: i\nsteps: [{name: a, run: 'true'}]\n")

    assert api.post(f"/v1/pipelines/{pipeline}/runs", json=body).status_code == 422


@pytest.mark.parametrize(
    ("ref", "branch", "tag"),
    [("main", "main", ""), ("refs/heads/main", "main", ""), ("refs/tags/v1", "", "v1"), ("ab" * 20, "", "")],
)
def test_a_ref_tells_branch_or_tag(api: httpx2.Client, ref: str, branch: str, tag: str) -> None:
    text = "name: r\nsteps:\n  - {name: main, if: branch == 'main', run: 'true'}\n"

    ended = run(api, text, ref=ref)

    assert (ended["source"]["branch"], ended["source"]["tag"]) == (branch, tag)
    assert states(ended) == {"main": "succeeded" if branch else "skipped"}


def test_changed_paths_choose_nodes(api: httpx2.Client) -> None:
    text = """
name: changed
steps:
  - {name: api, if: changed("api/**"), run: "true"}
  - {name: docs, if: changed("docs/**"), run: "true"}
"""
    assert states(run(api, text, changed=["docs/a.md"])) == {"api": "skipped", "docs": "succeeded"}
    assert states(run(api, text)) == {"api": "succeeded", "docs": "succeeded"}


def test_overrides_hold_for_one_run(api: httpx2.Client) -> None:
    pipeline = create(api, "name: o\nsteps: [{name: a, run: exit 1}, {name: b, run: 'true'}]\n")

    changed = finish(api, start(api, pipeline, overrides={"steps.a.run": "true", "steps.b.timeout": 5}))
    plain = finish(api, start(api, pipeline))

    assert states(changed) == {"a": "succeeded", "b": "succeeded"}
    assert states(plain) == {"a": "failed", "b": "skipped"}
    definition = api.get(f"/v1/runs/{changed['id']}/definition").json()
    assert definition["steps"][0]["run"] == "true"


def test_a_run_may_be_for_some_nodes_only(api: httpx2.Client) -> None:
    text = "name: o\nsteps: [{name: a, run: 'true'}, {name: b, run: 'true'}, {name: c, run: 'true'}]\n"
    pipeline = create(api, text)

    only = finish(api, start(api, pipeline, only="b"))
    behind = finish(api, start(api, pipeline, **{"from": "b"}))
    unknown = api.post(f"/v1/pipelines/{pipeline}/runs", json={"only": ["x"]})

    assert states(only) == {"a": "skipped", "b": "succeeded", "c": "skipped"}
    assert states(behind) == {"a": "skipped", "b": "succeeded", "c": "succeeded"}
    assert node(only, "a")["reason"]["code"] == "not_selected"
    assert unknown.status_code == 404


def test_a_retry_from_the_failed_nodes_keeps_the_others(api: httpx2.Client, tmp_path: Path) -> None:
    text = f"name: k\nsteps: [{{name: a, run: echo kept}}, {{name: b, run: test -e {tmp_path}/there}}]\n"
    first = run(api, text)
    assert states(first) == {"a": "succeeded", "b": "failed"}
    (tmp_path / "there").touch()

    answer = api.post(f"/v1/runs/{first['id']}/retry", json={"from": "failed"})
    again = finish(api, answer.json())

    assert states(again) == {"a": "succeeded", "b": "succeeded"}
    assert (again["retry_of"], again["cause"]) == (first["id"], "retry")
    assert node(again, "a")["reason"]["code"] == "kept"
    assert log(api, again, "a") == "kept\n"


def test_the_definition_that_a_run_used_is_kept(api: httpx2.Client) -> None:
    text = "name: d\nsteps:\n  - name: a\n    run: 'true'\n"
    pipeline = create(api, text)
    ended = finish(api, start(api, pipeline))
    api.put(
        f"/v1/pipelines/{pipeline}", content=text.replace("name: a", "name: b"), headers=YAML
    ).raise_for_status()

    definition = api.get(f"/v1/runs/{ended['id']}/definition")

    assert definition.json() == {"name": "d", "steps": [{"name": "a", "run": "true"}]}


def test_a_node_is_explained(api: httpx2.Client) -> None:
    ended = run(api, "name: e\nsteps: [{name: a, run: exit 3}, {name: b, run: 'true'}]\n")

    explained = api.get(f"/v1/runs/{ended['id']}/nodes/b/explain").json()
    unknown = api.get(f"/v1/runs/{ended['id']}/nodes/x/explain")

    assert explained["reason"]["code"] == "earlier_node_failed"
    assert explained["comes_from"] == ["a"]
    assert unknown.json()["type"] == "urn:lineshaft:problem:node-not-found"


def test_a_node_may_be_another_pipeline(api: httpx2.Client, request: pytest.FixtureRequest) -> None:
    called = f"called by {request.node.name}"
    create(
        api,
        f"name: {called}\ncallable_by: '*'\ninputs: {{who: {{required: true}}}}\n"
        f"outputs: {{said: '${{{{ inputs.who }}}}!'}}\n"
        "steps: [{name: a, run: 'true'}]\n",
    )
    ended = run(
        api,
        f"name: caller\nsteps:\n  - {{name: call, pipeline: {called}, with: {{who: you}}}}\n"
        "  - {name: after, if: outputs.call.said == 'you!', run: 'true'}\n",
    )

    assert states(ended) == {"call": "succeeded", "after": "succeeded"}
    assert node(ended, "call")["outputs"] == {"said": "you!"}
    explained = api.get(f"/v1/runs/{ended['id']}/nodes/call/explain").json()
    child = api.get(f"/v1/runs/{explained['child_run']}").json()
    assert (child["cause"], child["parent"]["run_id"]) == ("pipeline", ended["id"])
    assert (child["inputs"], child["outputs"]) == ({"who": "you"}, {"said": "you!"})


def test_a_pipeline_that_calls_itself_is_refused(api: httpx2.Client, request: pytest.FixtureRequest) -> None:
    name = request.node.name

    ended = run(api, f"name: {name}\nsteps: [{{name: call, pipeline: {name}}}]\n")

    assert node(ended, "call")["reason"]["code"] == "pipeline_circle"


def test_a_pipeline_that_is_not_there_fails_the_node(api: httpx2.Client) -> None:
    ended = run(api, "name: p\nsteps: [{name: call, pipeline: no such pipeline}]\n")

    assert node(ended, "call")["reason"]["code"] == "pipeline_not_found"


def test_cancelling_a_run_cancels_the_runs_that_it_called(
    api: httpx2.Client, request: pytest.FixtureRequest
) -> None:
    called = f"called by {request.node.name}"
    create(api, f"name: {called}\ncallable_by: '*'\nsteps: [{{name: a, run: sleep 600}}]\n")
    parent = start(api, create(api, f"name: p\nsteps: [{{name: call, pipeline: {called}}}]\n"))
    explained = api.get(f"/v1/runs/{parent['id']}/nodes/call/explain").json()

    api.post(f"/v1/runs/{parent['id']}/cancel").raise_for_status()

    child = finish(api, {"id": explained["child_run"]})
    assert (child["state"], child["reason"]["code"]) == ("cancelled", "parent_run_stopped")
    assert finish(api, parent)["state"] == "cancelled"


def test_runs_of_different_groups_do_not_wait_for_each_other(api: httpx2.Client) -> None:
    text = """
name: groups
concurrency: {policy: queue, group: "${{ branch }}"}
steps: [{name: a, run: sleep 600}]
"""
    pipeline = create(api, text)

    first, other, second = (start(api, pipeline, ref=ref) for ref in ("main", "dev", "main"))

    found = {
        number: api.get(f"/v1/runs/{each['id']}").json() for number, each in enumerate((first, other, second))
    }
    assert found[0]["state"] != "waiting"
    assert found[1]["state"] != "waiting"
    assert (found[2]["state"], found[2]["reason"]["code"]) == ("waiting", "waiting_for_earlier_run")
    for each in (second, first, other):
        api.post(f"/v1/runs/{each['id']}/cancel").raise_for_status()
    assert {finish(api, each)["state"] for each in (first, other, second)} == {"cancelled"}


def test_runs_that_are_allowed_beside_each_other_do_not_wait(api: httpx2.Client) -> None:
    pipeline = create(api, "name: allowed\nsteps: [{name: a, run: sleep 600}]\n")

    runs = [start(api, pipeline) for _ in range(3)]

    assert "waiting" not in {each["state"] for each in runs}
    for each in runs:
        api.post(f"/v1/runs/{each['id']}/cancel").raise_for_status()
        finish(api, each)


def test_a_template_of_a_group_that_cannot_be_evaluated_refuses_the_run(api: httpx2.Client) -> None:
    text = 'name: g\nconcurrency: {policy: queue, group: "${{ inputs.x }}"}\ninputs: {x: {required: false}}\n'
    pipeline = create(api, f"{text}steps: [{{name: a, run: 'true'}}]\n")

    answer = api.post(f"/v1/pipelines/{pipeline}/runs")

    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:lineshaft:problem:invalid-expression"


def test_an_expression_that_cannot_be_evaluated_fails_its_node(api: httpx2.Client) -> None:
    text = """
name: x
inputs: {x: {required: false}}
steps:
  - name: bad
    env: {A: "${{ inputs.x }}"}
    run: "true"
"""
    ended = run(api, text)

    assert node(ended, "bad")["reason"]["code"] == "expression_failed"


def test_a_task_waits_before_it_is_tried_again(api: httpx2.Client) -> None:
    ended = run(api, "name: t\nsteps: [{name: a, run: exit 1, retry: {count: 1, backoff: 1s}}]\n")

    assert (node(ended, "a")["state"], node(ended, "a")["attempt"]) == ("failed", 2)


def test_a_group_is_stopped_at_its_time_limit(api: httpx2.Client) -> None:
    ended = run(api, "name: l\nsteps: [{name: g, timeout: 1s, steps: [{name: a, run: sleep 600}]}]\n")

    assert states(ended) == {"g": "timed_out", "g/a": "cancelled"}


def test_events_tell_of_every_node(api: httpx2.Client) -> None:
    ended = run(api, "name: l\nsteps: [{name: a, run: 'true'}]\n")

    assert len(list(events(api, f"/v1/runs/{ended['id']}/events"))) > 2
