"""Lineshaft's own image, built, pushed and asked for its version by its pipeline, then started."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from integration.docker.python_image import (
    Archive,
    add_environment,
    add_python,
    add_to_image,
    import_image,
)
from integration.docker.site import need_program
from integration.docker_engine import Engine
from lineshaft import __version__

ROOT = Path(__file__).parents[3]


@pytest.fixture
def images(docker_engine: Engine, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """An image with Python, and one with what Lineshaft needs besides."""
    need_program()
    requirements, mark = ROOT / "requirements", os.urandom(6).hex()
    python, needed = Archive(tmp_path / "python.tar"), Archive(tmp_path / "files.tar")
    add_python(python, requirements / "run.txt")
    python.close()
    add_environment(needed, "opt/lineshaft", requirements / "run.txt")
    add_environment(needed, "build/tools", requirements / "build.txt")
    needed.close()
    base = import_image(docker_engine, tmp_path / "python.tar", f"lineshaft-test-python-{mark}")
    both = base, add_to_image(docker_engine, tmp_path, base, f"lineshaft-test-needed-{mark}")
    for packed in tmp_path.iterdir():
        packed.unlink()
    yield both
    with docker_engine.blocking_client() as client:
        for name in both:
            client.delete(f"/images/{name}")


@pytest.mark.timeout(600)
def test_the_production_image_is_built_by_its_pipeline_and_answers_that_it_is_well(
    docker_engine: Engine, registry: str, images: tuple[str, str], tmp_path: Path
) -> None:
    repository = f"{registry}/lineshaft"
    inputs = {"repository": repository, "base": images[0], "needed": images[1], "tags": "v1"}
    said = [word for name, value in inputs.items() for word in ("--input", f"{name}={value}")]
    ran = subprocess.run(
        [sys.executable, "-m", "lineshaft", "run", ROOT / "image.yml", "--logs", "--output", "json", *said],
        env=os.environ | {"DOCKER_HOST": docker_engine.address, "DOCKER_CONFIG": str(tmp_path)},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    logs = "\n".join(line["log"] for line in lines if "log" in line)
    assert ran.returncode == 0, logs
    assert f"lineshaft {__version__}" in logs
    with started(docker_engine, f"{repository}:v1") as name:
        answer = asked(docker_engine, name)
        with docker_engine.blocking_client() as client:
            user = client.get(f"/containers/{name}/json").json()["Config"]["User"]
    assert json.loads(answer) == {"status": "ok"}
    assert user == "10001:10001"


@contextmanager
def started(engine: Engine, image: str) -> Iterator[str]:
    """Start a server that may do nothing that it need not, and wait until it says that it listens."""
    settings = {
        "Image": image,
        "Env": ["LINESHAFT_PASSWORD=open sesame"],
        "HostConfig": {
            "NetworkMode": "none",
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges:true"],
            "ReadonlyRootfs": True,
            "Tmpfs": {"/tmp": ""},  # noqa: S108 - the container's own.
        },
    }
    with engine.blocking_client() as client:
        container = client.post("/containers/create", json=settings).raise_for_status().json()["Id"]
        try:
            client.post(f"/containers/{container}/start").raise_for_status()
            wait_until_it_listens(client, container)
            yield container
        finally:
            client.delete(f"/containers/{container}", params={"force": "true", "v": "true"})


def wait_until_it_listens(client: httpx2.Client, container: str) -> None:
    options = {"follow": "true", "stdout": "true", "stderr": "true"}
    said = ""
    with client.stream("GET", f"/containers/{container}/logs", params=options) as logs:
        for piece in logs.iter_bytes():
            said += piece.decode(errors="replace")
            if "http://" in said:
                return
    raise AssertionError(f"the server has ended: {said}")


def asked(engine: Engine, container: str) -> str:
    """Ask it within its container, which has no network."""
    program = 'import urllib.request as u; print(u.urlopen("http://127.0.0.1:5001/health").read().decode())'
    with engine.blocking_client() as client:
        command = {"Cmd": ["python3", "-c", program], "AttachStdout": True, "AttachStderr": True, "Tty": True}
        made = client.post(f"/containers/{container}/exec", json=command).raise_for_status().json()["Id"]
        return client.post(f"/exec/{made}/start", json={"Tty": True}).raise_for_status().text.strip()
