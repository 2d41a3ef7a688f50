"""examples/containers, as somebody runs it who has just copied it."""

import json
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from command_line import CommandLine, isolated
from integration.docker_engine import Engine

_EXAMPLE: Final = Path(__file__).parents[3] / "examples" / "containers"


@pytest.fixture
def base(docker_engine: Engine, tools: str) -> Iterator[str]:
    """An image under a name of this test's own, which no other run of the tests gives to another image."""
    name = f"lineshaft-test-example-{secrets.token_hex(8)}"
    with docker_engine.blocking_client() as client:
        client.post(f"/images/{tools}/tag", params={"repo": name, "tag": "v1"}).raise_for_status()
        yield f"{name}:v1"
        client.delete(f"/images/{name}:v1", params={"noprune": "true"}).raise_for_status()


def test_the_example_runs_and_its_second_run_finds_what_the_first_has_kept(
    tmp_path: Path,
    docker_engine: Engine,
    base: str,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    for name, value in isolated(tmp_path, "", "").items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(shutil.copytree(_EXAMPLE, tmp_path / "containers"))
    lineshaft = CommandLine(capfdbinary)
    first, second = (_run(lineshaft, docker_engine, base) for _ in range(2))
    assert {*first, *second} == {"make", "test", "image"}
    assert "no words yet: making them\n" in first["make"]
    assert "no words yet" not in second["make"]
    assert "The image was built before, of the same files" in second["make"]
    assert "Placed artifact 'artifact' of 'make'" in first["test"]
    assert "Result 'junit': 1 test case in 1 report: 1 passed." in first["test"]


def _run(lineshaft: CommandLine, engine: Engine, base: str) -> dict[str, str]:
    """Run the example, which succeeds, and return what its tasks have printed."""
    options = ("--executor", "docker", "--docker-host", engine.address, "--input", f"base={base}")
    result = lineshaft("run", *options, "--logs", "--output", "json")
    assert result.code == 0, result.out + result.err
    lines: list[dict[str, Any]] = [json.loads(line) for line in result.out.splitlines()]
    return {line["path"]: line["log"] for line in lines if "log" in line}
