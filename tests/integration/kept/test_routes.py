"""Pipelines that are kept in repositories, over HTTP and on real repositories."""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import httpx2
import pytest

from git_server import Origin
from http_pipelines import Document, configuration, finish
from server_process import server_process


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder below which repositories may be."""
    return tmp_path_factory.mktemp("root")


@pytest.fixture
def origin(root: Path) -> Origin:
    return Origin(Path(mkdtemp(dir=root)))


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[httpx2.Client]:
    data: Path = tmp_path_factory.mktemp("server")
    with (
        server_process(data, LINESHAFT_GIT_ROOTS=str(root)) as server,
        httpx2.Client(base_url=server.address(), auth=("admin", "admin"), timeout=60) as client,
    ):
        yield client


def file(command: str) -> str:
    return json.dumps({"steps": [{"name": "task", "run": command}]})


def kept(origin: Origin, **more: object) -> Document:
    return {"name": "shop", "repository": str(origin.bare), **more}


def make(api: httpx2.Client, origin: Origin, **more: object) -> str:
    answer = api.post("/v1/pipelines", json=kept(origin, **more))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def log(api: httpx2.Client, run: Document) -> str:
    return api.get(f"/v1/runs/{run['id']}/nodes/task/log").text


def test_two_commits_run_differently(api: httpx2.Client, origin: Origin) -> None:
    first = origin.commit_files({"lineshaft.yml": file("echo one")})
    pipeline = make(api, origin)
    second = origin.commit_files({"lineshaft.yml": file("echo two; git rev-parse HEAD")})

    newest = finish(api, api.post(f"/v1/pipelines/{pipeline}/runs").json())
    older = finish(api, api.post(f"/v1/pipelines/{pipeline}/runs", json={"ref": first}).json())

    assert [run["state"] for run in (newest, older)] == ["succeeded", "succeeded"]
    assert log(api, newest) == f"two\n{second}\n"
    assert log(api, older) == "one\n"
    assert (newest["source"]["commit"], older["source"]["commit"]) == (second, first)


def test_a_pipeline_shows_where_it_is_kept(api: httpx2.Client, origin: Origin) -> None:
    origin.commit_files({"ci/shop.yml": file("true")})

    pipeline = make(api, origin, config_path="ci/shop.yml", ref="main")

    shown = api.get(f"/v1/pipelines/{pipeline}").json()
    assert shown["config_file"] == {"repository": str(origin.bare), "ref": "main", "path": "ci/shop.yml"}
    assert (shown["name"], shown["repository"]) == ("shop", str(origin.bare))


def test_a_pipeline_can_be_kept_elsewhere_and_here_alone_again(api: httpx2.Client, origin: Origin) -> None:
    origin.commit_files({"lineshaft.yml": file("true"), "other.yml": file("false")})
    pipeline = make(api, origin)

    moved = api.put(f"/v1/pipelines/{pipeline}", json=kept(origin, config_path="other.yml"))
    path = api.get(f"/v1/pipelines/{pipeline}").json()["config_file"]["path"]
    taken = api.put(f"/v1/pipelines/{pipeline}", json=configuration("true"))

    assert (moved.status_code, taken.status_code, path) == (200, 200, "other.yml")
    assert "config_file" not in api.get(f"/v1/pipelines/{pipeline}").json()


def test_a_refresh_takes_over_the_file_and_a_broken_one_leaves_the_pipeline_as_it_is(
    api: httpx2.Client, origin: Origin
) -> None:
    origin.commit_files({"lineshaft.yml": file("true")})
    pipeline = make(api, origin)
    origin.commit_files({"lineshaft.yml": file("make")})

    refreshed = api.post(f"/v1/pipelines/{pipeline}/refresh")
    shown = api.get(f"/v1/pipelines/{pipeline}").json()
    origin.commit_files({"lineshaft.yml": "steps:\n- name: task\n  rnu: make\n"})
    broken = api.post(f"/v1/pipelines/{pipeline}/refresh")

    assert refreshed.json()["message"] == "Pipeline refreshed successfully."
    assert shown["steps"] == [{"name": "task", "run": "make"}]
    assert broken.status_code == 422
    assert {(error["file"], error["line"]) for error in broken.json()["errors"]} == {("lineshaft.yml", 3)}
    assert api.get(f"/v1/pipelines/{pipeline}").json() == shown


def test_a_file_that_is_not_there_makes_no_pipeline(api: httpx2.Client, origin: Origin) -> None:
    origin.commit_files({"lineshaft.yml": file("true")})

    answer = api.post("/v1/pipelines", json=kept(origin, name="nothing", config_path="nowhere.yml"))

    assert (answer.status_code, answer.json()["type"]) == (422, "urn:lineshaft:problem:invalid-definition")
    assert api.get("/v1/pipelines", params={"name": "nothing"}).json()["items"] == []


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"config_path": "../lineshaft.yml"}, "config_path"),
        ({"config_path": "/etc/passwd"}, "config_path"),
        ({"config_path": "a/./b"}, "config_path"),
        ({"config_path": ".git/config"}, "config_path"),
        ({"ref": "--upload-pack=x"}, "ref"),
        ({"ref": "main..next"}, "ref"),
        ({"ref": "main^"}, "ref"),
        ({"repository": "ext::sh -c x"}, "repository"),
        ({"name": " "}, "name"),
        ({"config_path": "lineshaft.yml", "steps": []}, "steps"),
    ],
)
def test_where_a_pipeline_cannot_be_kept_is_refused(
    api: httpx2.Client, origin: Origin, more: Document, field: str
) -> None:
    answer = api.post("/v1/pipelines", json=kept(origin, **more))

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_repository_that_is_not_allowed_is_refused(api: httpx2.Client, tmp_path: Path) -> None:
    answer = api.post("/v1/pipelines", json={"name": "shop", "repository": str(tmp_path)})

    assert (answer.status_code, answer.json()["type"]) == (422, "urn:lineshaft:problem:source-refused")


def test_a_body_without_steps_but_of_the_rest_format_is_told_what_it_lacks(api: httpx2.Client) -> None:
    answer = api.post("/v1/pipelines", json={"name": "shop", "git_repository": "https://git.example/x"})

    assert answer.status_code == 422
    assert "stages" in [error["field"] for error in answer.json()["errors"]]
