"""The routes of RestfulCI, for pipelines and runs."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import httpx2
import pytest

from git_server import Origin
from http_pipelines import Document, finish
from server_process import server_process

REPORT = '<testsuite name="all"><testcase name="one"/></testsuite>'


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


def file(command: str, **more: Any) -> str:
    return json.dumps({"steps": [{"name": "task", "run": command, **more}]})


def job(api: httpx2.Client, origin: Origin, name: str, text: str) -> str:
    origin.commit_files({"lineshaft.yml": text})
    body = {"name": name, "remoteOrigin": str(origin.bare), "configFilepath": "lineshaft.yml"}
    answer = api.post("/jobs", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def ended(api: httpx2.Client, run: Document) -> Document:
    """Wait for the end of a job's run, and read it again."""
    finish(api, {"id": run["uuid"]})
    return dict(api.get(f"/jobs/{run['job']['id']}/runs/{run['id']}").json())


def test_a_job_runs_on_a_branch_or_a_commit_and_is_named_by_its_name(
    api: httpx2.Client, origin: Origin
) -> None:
    made = job(api, origin, "by-name", file("echo one"))
    other = origin.commit("x", branch="other")
    main = api.post("/jobs/by-name", json={"branch": "main"}).json()

    branch = api.post("/job/by-name", json={"branchName": "other"}).json()
    commit = api.post("/jobs/by-name/runs", json={"sha": other}).json()
    usual = api.post(f"/jobs/{made}/runs").json()

    assert [run["id"] for run in (main, branch, commit, usual)] == [1, 2, 3, 4]
    assert [run.get("branchName") for run in (main, branch, commit, usual)] == ["main", "other", None, "main"]
    assert branch["commitSha"] == commit["commitSha"] == other
    assert {run["type"] for run in (main, branch, commit, usual)} == {"GIT"}
    assert main["job"] == {"id": made, "name": "by-name"}


def test_a_run_is_told_in_the_words_of_that_system(api: httpx2.Client, origin: Origin) -> None:
    job(api, origin, "words", file("echo one; exit 3"))

    begun = api.post("/jobs/words").json()
    run = ended(api, begun)

    assert begun["status"] == "IN_PROGRESS"
    assert (run["status"], run["exitCode"], run["inputs"], run["results"]) == ("FAIL", 3, [], [])
    assert run["errorMessage"]
    assert run["durationInSecond"] >= 0
    assert api.get(f"/jobs/words/runs/{run['uuid']}").json() == run
    assert [each["id"] for each in api.get("/jobs/words/runs").json()] == [1]
    assert api.get("/jobs/words/runs/1/console").text == "one\n"
    assert api.get("/jobs/words/runs/1/results/console").text == "one\n"
    assert api.get("/jobs/words/runs/1/configuration").json()["steps"][0]["run"] == "echo one; exit 3"


def test_a_run_of_several_tasks_has_their_logs_below_their_paths(api: httpx2.Client, origin: Origin) -> None:
    steps = [{"name": "a", "run": "printf one"}, {"name": "b", "run": "echo two"}]
    job(api, origin, "several", json.dumps({"steps": steps}))

    run = ended(api, api.post("/jobs/several").json())

    assert run["status"] == "SUCCESS"
    assert api.get("/jobs/several/runs/1/console").text == "== a\none\n== b\ntwo\n"


def test_results_are_listed_and_read_as_archives(api: httpx2.Client, origin: Origin) -> None:
    results = [
        {"type": "junit", "path": "report.xml"},
        {"type": "dir", "path": "site/", "name": "site"},
    ]
    command = f"echo '{REPORT}' > report.xml; mkdir site; echo hello > site/index.html"
    job(api, origin, "finding", file(command, results=results))

    run = ended(api, api.post("/jobs/finding").json())
    listed = api.get("/jobs/finding/runs/1/results").json()
    reports = api.get("/jobs/finding/runs/1/results/junit")
    by_type = {each["type"]: each for each in listed}
    report = api.get(f"/jobs/finding/runs/1/results/{by_type['junit']['id']}")
    site = api.get(f"/jobs/finding/runs/1/results/{by_type['dir']['id']}")

    assert run["results"] == listed
    assert by_type.keys() == {"junit", "dir"}
    for answer in (reports, report, site):
        assert answer.headers["content-type"] == "application/zip"
    for answer in (reports, report):
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.testzip() is None
            (name,) = archive.namelist()
            assert archive.read(name).decode() == f"{REPORT}\n"
    with zipfile.ZipFile(io.BytesIO(site.content)) as archive:
        assert [name.rpartition("/")[2] for name in archive.namelist() if name[-1] != "/"] == ["index.html"]


def test_a_run_without_reports_has_none(api: httpx2.Client, origin: Origin) -> None:
    job(api, origin, "silent", file("true"))
    ended(api, api.post("/jobs/silent").json())

    answers = [
        api.get("/jobs/silent/runs/1/results/junit"),
        api.get("/jobs/silent/runs/1/results/019a9f3d-1c66-7e30-9b2d-5f208e814d33"),
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert api.get("/jobs/silent/runs/1/results").json() == []


def test_a_freestyle_job_gets_parameters_which_a_run_may_set(api: httpx2.Client) -> None:
    body = {"name": "greet", "dockerImage": "busybox", "command": ["echo", "${{ no }}"]}
    made = api.post("/jobs", json=body).json()

    required = api.post("/jobs/greet/parameters", json={"name": "WHOM"}).json()
    chosen = {"name": "GREETING", "defaultValue": "hello", "choices": ["hello", "bye"], "isRequired": False}
    both = api.post("/jobs/greet/parameters", json=chosen).json()
    refused = api.post("/jobs/greet/runs", json={"WHOM": "you", "GREETING": "hey"})
    lacking = api.post("/jobs/greet/runs")
    begun = api.post("/jobs/greet/runs", json={"WHOM": "you", "GREETING": "bye"}).json()

    assert (made["type"], made["dockerImage"], made["parameters"]) == ("FREESTYLE", "busybox", [])
    assert required["parameters"] == [{"name": "WHOM", "isRequired": True}]
    assert both["parameters"][1] == chosen
    assert (refused.status_code, lacking.status_code) == (422, 422)
    inputs = {each["name"]: each["value"] for each in begun["inputs"]}
    assert inputs == {"WHOM": "you", "GREETING": "bye"}
    definition = api.get("/jobs/greet/runs/1/configuration").json()
    assert definition["defaults"]["env"] == {
        "WHOM": "${{ inputs.WHOM }}",
        "GREETING": "${{ inputs.GREETING }}",
    }
    api.post(f"/v1/runs/{begun['uuid']}/cancel")


def test_a_job_that_is_kept_in_a_repository_gets_its_parameters_there(
    api: httpx2.Client, origin: Origin
) -> None:
    job(api, origin, "kept", file("true"))

    answer = api.post("/jobs/kept/parameters", json={"name": "LEVEL"})

    assert answer.status_code == 409
    assert "lineshaft.yml" in answer.json()["detail"]


def test_jobs_are_listed_a_page_at_a_time_and_deleted(api: httpx2.Client) -> None:
    for name in ("~1", "~2", "~3"):
        api.post("/jobs", json={"name": name, "dockerImage": "busybox", "command": ["true"]})
    names: list[str] = []
    page = 1
    while jobs := api.get("/jobs", params={"page": page, "size": 2}).json():
        names += [each["name"] for each in jobs]
        page += 1

    gone = api.delete("/jobs/~2")

    assert names == sorted(names)
    assert names[-3:] == ["~1", "~2", "~3"]
    assert (gone.status_code, gone.json()["name"]) == (200, "~2")
    assert api.get("/jobs/~2").status_code == 404


def test_two_jobs_of_one_name_are_told_apart_by_their_ids(api: httpx2.Client) -> None:
    body = {"name": "twice", "dockerImage": "busybox", "command": ["true"]}
    ids = {api.post("/jobs", json=body).json()["id"] for _ in range(2)}

    answer = api.get("/jobs/twice")

    assert answer.status_code == 409
    assert all(each in answer.json()["advice"] for each in ids)
    assert all(api.get(f"/jobs/{each}").status_code == 200 for each in ids)


@pytest.mark.parametrize(
    "body",
    [
        {"branch": "main", "sha": "0" * 40},
        {"sha": "abc"},
        {"branch": "--force"},
        {"level": "full"},
        {"LEVEL": ["full"]},
        [],
    ],
)
def test_a_run_that_makes_no_sense_is_refused(api: httpx2.Client, origin: Origin, body: object) -> None:
    made = job(api, origin, "strict", file("true"))

    assert api.post(f"/jobs/{made}", json=body).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {"name": "none"},
        {"name": "half", "dockerImage": "busybox"},
        {"name": "both", "remoteOrigin": "https://git.example/x", "command": ["true"]},
        {"name": "astray", "remoteOrigin": "https://git.example/x", "configFilepath": "../x"},
    ],
)
def test_a_job_that_is_of_no_kind_is_refused(api: httpx2.Client, body: Document) -> None:
    assert api.post("/jobs", json=body).status_code == 422


@pytest.mark.parametrize("run", ["0", "2", "9" * 30, "x", "019a9f3d-1c66-7e30-9b2d-5f208e814d33"])
def test_a_run_that_is_not_the_job_s_is_not_found(api: httpx2.Client, origin: Origin, run: str) -> None:
    made = job(api, origin, "lonely", file("true"))
    api.post(f"/jobs/{made}")

    assert api.get(f"/jobs/{made}/runs/{run}").status_code == 404


def test_who_calls_is_told(api: httpx2.Client) -> None:
    assert api.get("/users/me").json() == {"username": "admin"}
