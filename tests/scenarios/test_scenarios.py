"""Every scenario, on this machine without a server and on a server: both have to end as the file says."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from command_line import CommandLine
from http_pipelines import finish
from lineshaft.cli.exit_code import ExitCode
from scenario import Scenario

SCENARIOS: Final = Scenario.all()
_YAML: Final = {"Content-Type": "application/yaml"}

each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.path.stem)


@each_scenario
def test_a_scenario_ends_as_expected_without_a_server(
    scenario: Scenario, lineshaft: CommandLine, tmp_path: Path
) -> None:
    # The file's folder is a run's source, and this one's repository is none of a scenario's business.
    folder = tmp_path / "source"
    folder.mkdir()
    file = shutil.copy(scenario.path, folder / "lineshaft.yml")
    secrets = tmp_path / "secrets"
    secrets.write_text("".join(f"{name}={value}\n" for name, value in scenario.given.secrets.items()))
    given = (*scenario.given.arguments(), "--secrets-file", secrets)
    result = lineshaft("run", file, "--logs", "--output", "json", *given)

    if scenario.refused:
        assert result.code == ExitCode.INVALID_INPUT
        scenario.judge_refusal(result.out + result.err)
        return
    lines = [json.loads(line) for line in result.out.splitlines()]
    run = lines.pop()["run"]
    scenario.judge(run, {line["path"]: line["log"] for line in lines if "log" in line})


@each_scenario
def test_a_scenario_ends_as_expected_on_a_server(
    scenario: Scenario, api: httpx2.Client, create: Callable[[Path], httpx2.Response]
) -> None:
    for path in scenario.given.pipelines:
        assert create(path).status_code == 201
    created = create(scenario.path)
    for name, value in scenario.given.secrets.items():
        secret = f"/v1/pipelines/{created.json()['id']}/secrets/{name}"
        assert api.put(secret, json={"value": value}).status_code == 200
    if created.is_success:
        started = api.post(f"/v1/pipelines/{created.json()['id']}/runs", json=scenario.given.body())
    else:
        started = created

    if scenario.refused:
        assert started.is_client_error
        scenario.judge_refusal(started.text)
        return
    assert started.status_code == 202, started.text
    run = finish(api, started.json())
    scenario.judge(run, {path: _log(api, run, path) for path in scenario.expected.get("logs", {})})


@pytest.fixture
def create(api: httpx2.Client) -> Iterator[Callable[[Path], httpx2.Response]]:
    """Create pipelines on the server, which has none of their names for the next scenario."""
    made: list[str] = []

    def create(path: Path) -> httpx2.Response:
        answer = api.post("/v1/pipelines", content=path.read_bytes(), headers=_YAML)
        if answer.is_success:
            made.append(answer.json()["id"])
        return answer

    yield create
    for pipeline in made:
        assert api.delete(f"/v1/pipelines/{pipeline}").is_success


def test_no_scenario_is_without_its_expectation() -> None:
    assert len(SCENARIOS) >= 60


def _log(api: httpx2.Client, run: dict[str, Any], path: str) -> str:
    answer = api.get(f"/v1/runs/{run['id']}/nodes/{path}/log")
    assert answer.status_code == 200, answer.text
    return answer.text
