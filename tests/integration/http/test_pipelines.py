"""Pipelines beyond what system 0's document shows."""

import secrets

import httpx2
import pytest

from http_pipelines import configuration, create, finish, node, start_of, wait_for

PIPELINES = "/v1/pipelines"


def _unique(prefix: str) -> str:
    return f"{prefix} {secrets.token_hex(8)}"


def test_pipelines_of_a_name_are_listed_page_by_page(api: httpx2.Client) -> None:
    name = _unique("paged \u00fc")
    made = [create(api, "true", name=name) for _ in range(5)]

    pages, query = [], {"name": name, "limit": "2"}
    while True:
        page = api.get(PIPELINES, params=query).json()
        pages.append([item["id"] for item in page["items"]])
        if page["next"] is None:
            break
        query["after"] = page["next"]

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [each for page in pages for each in page] == sorted(made)


def test_a_listed_pipeline_is_shown_as_it_is_shown_alone(api: httpx2.Client) -> None:
    name = _unique("shown")
    pipeline = create(api, "true", name=name)

    listed = api.get(PIPELINES, params={"name": name}).text

    assert listed == '{"items":[' + api.get(f"{PIPELINES}/{pipeline}").text + '],"next":null}'


def test_pipelines_are_listed_by_name(api: httpx2.Client) -> None:
    create(api, "true", name=_unique("b"))
    create(api, "true", name=_unique("a"))

    items = api.get(PIPELINES, params={"limit": 200}).json()["items"]

    assert [item["name"] for item in items] == sorted(item["name"] for item in items)


def test_a_name_that_no_pipeline_has_lists_nothing(api: httpx2.Client) -> None:
    assert api.get(PIPELINES, params={"name": _unique("none")}).json() == {"items": [], "next": None}


def test_a_replaced_configuration_is_that_of_later_runs_only(api: httpx2.Client) -> None:
    pipeline = create(api, "true")
    before = finish(api, start_of(api, pipeline))

    api.put(f"{PIPELINES}/{pipeline}", json=configuration("true", "true")).raise_for_status()
    after = finish(api, start_of(api, pipeline))

    assert [each["path"] for each in before["nodes"]] == ["a"]
    assert [each["path"] for each in after["nodes"]] == ["a", "b"]
    assert (before["number"], after["number"]) == (1, 2)


def test_a_configuration_that_is_refused_changes_nothing(api: httpx2.Client) -> None:
    pipeline = create(api, "true")
    before = api.get(f"{PIPELINES}/{pipeline}").text

    answer = api.put(f"{PIPELINES}/{pipeline}", json={"name": ""})

    assert answer.status_code == 422
    assert api.get(f"{PIPELINES}/{pipeline}").text == before


def test_deleting_a_pipeline_cancels_what_runs_of_it_and_leaves_its_runs_to_be_read(
    api: httpx2.Client,
) -> None:
    pipeline = create(api, "sleep 600")
    run = start_of(api, pipeline)
    wait_for(api, run, a="running")

    assert api.delete(f"{PIPELINES}/{pipeline}").status_code == 200

    ended = finish(api, run)
    assert (ended["state"], ended["reason"]["code"]) == ("cancelled", "pipeline_deleted")
    assert node(ended, "a")["state"] == "cancelled"
    assert api.delete(f"{PIPELINES}/{pipeline}").status_code == 404


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "text/plain", "x-www/form", None]
)
def test_a_configuration_is_read_as_json_whatever_the_request_calls_it(
    api: httpx2.Client, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    body = b'{"name": "typed", "stages": [{"name": "a", "type": "Run", "command": "true"}]}'

    assert api.post(PIPELINES, content=body, headers=headers).status_code == 201
