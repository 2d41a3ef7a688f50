"""Every request that system 0's document shows, as it is pasted, with the answer that it shows."""

import base64
import json
from collections.abc import Iterator

import httpx2
import pytest

from http_pipelines import Document
from rest_documents import CREATED, SHOWN, UPDATED

DEFAULT = ("admin", "admin")
JSON = {"Content-Type": "application/json"}
AUTHORIZATION = "Basic YWRtaW46YWRtaW4="

REPLACED = """{
  "name": "CI Pipeline",
  "git_repository": "https://github.com/example/repo",
  "stages": [
    {
      "name": "Run tests",
      "type": "Run",
      "command": "pytest",
      "timeout": 500
    }
  ],
  "parallel": true
}"""

NOT_FOUND = {"detail": "Pipeline not found. Make sure to create the pipeline first."}


@pytest.fixture(scope="module")
def client(url: str, credentials: tuple[str, str]) -> Iterator[httpx2.Client]:
    """A client that sends the document's headers; another server's credentials take the place of admin's."""
    encoded = base64.b64encode(":".join(credentials).encode()).decode()
    authorization = AUTHORIZATION if credentials == DEFAULT else f"Basic {encoded}"
    headers = {"accept": "application/json", "Authorization": authorization}
    with httpx2.Client(base_url=url, headers=headers, timeout=30) as client:
        yield client


@pytest.fixture
def pipeline(client: httpx2.Client) -> str:
    answer = client.post("/v1/pipelines", headers=JSON, content=CREATED)
    return str(answer.json()["id"])


def _with_id(document: str, pipeline: str) -> str:
    """Put the id where the document shows it, at the end."""
    return f'{document.removesuffix("}")}, "id": "{pipeline}"}}'


def _in_order(document: str) -> list[tuple[str, object]]:
    """Read JSON with the order of its members."""
    return json.loads(document, object_pairs_hook=list)  # type: ignore[no-any-return]  # the hook's own type.


def test_create_a_pipeline(client: httpx2.Client) -> None:
    answer = client.post("/v1/pipelines", headers=JSON, content=CREATED)

    assert answer.status_code == 201
    document = answer.json()
    assert list(document) == ["id", "message"]
    assert document["message"] == "Pipeline created successfully."
    assert answer.headers["location"] == f"/v1/pipelines/{document['id']}"


def test_get_a_pipeline(client: httpx2.Client, pipeline: str) -> None:
    answer = client.get(f"/v1/pipelines/{pipeline}")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert _in_order(answer.text) == _in_order(_with_id(SHOWN, pipeline))


def test_update_a_pipeline(client: httpx2.Client, pipeline: str) -> None:
    answer = client.put(f"/v1/pipelines/{pipeline}", headers=JSON, content=UPDATED)

    assert answer.status_code == 200
    assert answer.text == f'{{"id":"{pipeline}","message":"Pipeline updated successfully."}}'
    shown = client.get(f"/v1/pipelines/{pipeline}").text
    assert _in_order(shown) == _in_order(_with_id(REPLACED, pipeline))


@pytest.mark.parametrize(
    "sent",
    [
        # What curl -d '' sends, no body at all, and a body that nobody asked for.
        {"content": b"", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {},
        {"content": b"<x>\xff", "headers": {"Content-Type": "text/xml"}},
    ],
)
def test_trigger_a_pipeline(client: httpx2.Client, pipeline: str, sent: Document) -> None:
    answer = client.post(f"/v1/pipelines/{pipeline}/trigger", **sent)

    assert answer.status_code == 200
    assert answer.text == f'{{"id":"{pipeline}","message":"Pipeline triggered successfully."}}'
    run = client.get(answer.headers["location"]).json()
    assert answer.headers["location"] == f"/v1/runs/{run['id']}"
    assert run["pipeline_id"] == pipeline


def test_delete_a_pipeline(client: httpx2.Client, pipeline: str) -> None:
    answer = client.request("DELETE", f"/v1/pipelines/{pipeline}", content=b"")

    assert answer.status_code == 200
    assert answer.text == f'{{"id":"{pipeline}","message":"Pipeline deleted successfully."}}'
    assert client.get(f"/v1/pipelines/{pipeline}").json() == NOT_FOUND


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/trigger"), ("POST", "/runs")]
)
def test_a_pipeline_that_is_not_there(client: httpx2.Client, method: str, path: str) -> None:
    missing = "078ba92d-63fc-4106-b9da-ac2fc6f2cec5"

    answer = client.request(method, f"/v1/pipelines/{missing}{path}", headers=JSON, content=UPDATED)

    assert answer.status_code == 404
    assert answer.json() == NOT_FOUND


def test_the_welcome_needs_no_credentials(stranger: httpx2.Client) -> None:
    assert list(stranger.get("/").json()) == ["message"]
    assert stranger.head("/").status_code == 200
