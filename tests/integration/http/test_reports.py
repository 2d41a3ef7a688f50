"""Reports over HTTP."""

from typing import Any

import httpx2
import pytest

from http_pipelines import Document, finish, start_of

YAML = {"Content-Type": "application/yaml"}
TEXT = """
name: {name}
steps:
  - name: test
    parallel: true
    steps: [{{name: unit, run: "true"}}, {{name: api, run: "exit {code}"}}]
  - name: ship
    run: "true"
"""


@pytest.fixture(scope="module")
def pipeline(api: httpx2.Client) -> Document:
    """A pipeline of which one run has failed and two have succeeded, one by another definition."""
    name = "reported"
    answer = api.post("/v1/pipelines", content=TEXT.format(name=name, code=1), headers=YAML)
    identity = answer.json()["id"]
    finish(api, start_of(api, identity))
    api.put(
        f"/v1/pipelines/{identity}", content=TEXT.format(name=name, code=0), headers=YAML
    ).raise_for_status()
    for _ in range(2):
        finish(api, start_of(api, identity))
    return {"id": identity, "name": name}


def report(api: httpx2.Client, **query: Any) -> dict[str, Document]:
    """Ask for a report; its entries by path."""
    answer = api.get("/v1/reports", params=query)
    assert answer.status_code == 200, answer.text
    return {entry["path"]: entry for entry in answer.json()["items"]}


def test_a_pipelines_report_tells_of_its_runs_and_stages(api: httpx2.Client, pipeline: Document) -> None:
    entries = report(api, pipeline=pipeline["id"])

    assert list(entries) == ["", "test", "ship"]
    assert (entries[""]["pipeline_id"], entries[""]["pipeline"]) == (pipeline["id"], pipeline["name"])
    assert (entries[""]["count"], entries[""]["states"]) == (3, {"failed": 1, "succeeded": 2})
    assert entries[""]["success_rate"] == pytest.approx(2 / 3)
    assert entries["ship"]["states"] == {"skipped": 1, "succeeded": 2}
    assert entries["ship"]["success_rate"] == 1
    seconds = entries[""]["seconds"]
    assert 0 <= seconds["min"] <= seconds["median"] <= seconds["max"]
    assert entries[""]["first_at"] < entries[""]["last_at"]


def test_a_stages_report_tells_of_what_is_in_it(api: httpx2.Client, pipeline: Document) -> None:
    entries = report(api, pipeline=pipeline["name"], stage="test")

    assert list(entries) == ["test", "test/unit", "test/api"]
    assert entries["test/api"]["states"] == {"failed": 1, "succeeded": 2}


def test_a_jobs_report_is_about_it_alone(api: httpx2.Client, pipeline: Document) -> None:
    entries = report(api, pipeline=pipeline["id"], job="test/api")

    assert list(entries) == ["test/api"]
    assert entries["test/api"]["count"] == 3


def test_a_report_may_be_about_one_run(api: httpx2.Client, pipeline: Document) -> None:
    entries = report(api, pipeline=pipeline["id"], run=1)

    assert list(entries) == ["", "test", "ship"]
    assert (entries[""]["run"], entries[""]["states"]) == (1, {"failed": 1})


def test_only_the_last_runs_count_where_that_is_asked_for(api: httpx2.Client, pipeline: Document) -> None:
    assert report(api, pipeline=pipeline["id"], runs=2)[""]["states"] == {"succeeded": 2}


def test_a_node_that_no_run_has_is_not_found(api: httpx2.Client, pipeline: Document) -> None:
    answer = api.get("/v1/reports", params={"pipeline": pipeline["id"], "job": "nothing"})

    assert answer.json()["type"] == "urn:lineshaft:problem:node-not-found"


def test_a_report_on_all_pipelines_goes_page_by_page(api: httpx2.Client, pipeline: Document) -> None:
    found: list[Document] = []
    after: dict[str, str] = {}
    while True:
        page = api.get("/v1/reports", params={"limit": 2, **after}).json()
        found += page["items"]
        if page["next"] is None:
            break
        after = {"after": page["next"]}

    mine = [entry for entry in found if entry["pipeline_id"] == pipeline["id"]]
    assert [entry["path"] for entry in mine] == [""]


def test_a_repository_that_no_pipeline_has_has_an_empty_report(
    api: httpx2.Client, pipeline: Document
) -> None:
    assert report(api, repository="https://example.org/none.git", pipeline=pipeline["id"]) == {}
