"""The example that has most of the language in it, run with a real engine, a real registry and a cluster."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from command_line import isolated
from integration.docker_engine import Engine
from integration.kubernetes_api import FakeCluster

_EXAMPLE: Final = Path(__file__).parents[3] / "examples" / "shop"
_KNOWN: Final = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@shop.example",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@shop.example",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The example as a repository of its own, on its main branch."""
    folder = tmp_path / "shop"
    shutil.copytree(_EXAMPLE, folder)
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "Open the shop"]):
        subprocess.run(["git", *command], cwd=folder, env={**os.environ, **_KNOWN}, check=True)
    return folder


async def lineshaft(shop: Path, *arguments: str, **variables: str) -> tuple[int | None, list[dict[str, Any]]]:
    """Run the shop's pipeline as a user would, and read what it says."""
    environment = {
        **os.environ,
        **isolated(shop.parent, "", ""),
        **variables,
        # The linter and the tests are those of this repository's own environment.
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "REGISTRY_TOKEN": "correct-horse-battery-staple",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lineshaft", "run", "--output", "json"),
        *("--secret", "REGISTRY_TOKEN", *arguments),
        cwd=shop,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    return process.returncode, [json.loads(line) for line in printed.decode().splitlines()]


def states(lines: list[dict[str, Any]]) -> dict[str, str]:
    return {node["path"]: node["state"] for node in lines[-1]["run"]["nodes"]}


async def test_the_shop_is_tested_built_and_shipped(
    shop: Path, docker_engine: Engine, registry: str, cluster: FakeCluster
) -> None:
    kubeconfig = shop.parent / "kubeconfig"
    context = {"name": "prod", "context": {"cluster": "prod"}}
    served = {"name": "prod", "cluster": {"server": cluster.address}}
    kubeconfig.write_text(json.dumps({"contexts": [context], "clusters": [served]}))

    code, lines = await lineshaft(
        shop,
        "--ignore-images",
        f"--override=steps.image.build.repository={registry}/shop",
        DOCKER_HOST=docker_engine.address,
        KUBECONFIG=str(kubeconfig),
    )

    assert code == 0, lines
    assert set(states(lines).values()) == {"succeeded"}
    assert {"test/unit/3.11", "test/unit/3.12", "test/api", "ship/setup", "ship/deploy"} < set(states(lines))
    tags = httpx2.get(f"http://{registry}/v2/shop/tags/list", timeout=60).json()["tags"]
    assert tags == [lines[-1]["run"]["source"]["commit"][:8]]
    assert any("namespaces/shop/configmaps/shop" in path for path in cluster.objects)


async def test_an_image_is_refused_where_there_are_no_containers(shop: Path) -> None:
    code, lines = await lineshaft(shop, "--only=lint")

    assert code == 1
    node = next(node for node in lines[-1]["run"]["nodes"] if node["path"] == "lint")
    assert (node["state"], node["reason"]["code"]) == ("failed", "image_not_supported")
    assert "--ignore-images" in node["reason"]["text"]


async def test_what_has_not_changed_is_not_tested(shop: Path) -> None:
    _, lines = await lineshaft(shop, "--ignore-images", "--only=test", "--changed=src/shop.py")

    assert states(lines)["test/api"] == "skipped"
    assert states(lines)["test/unit/3.12"] == "succeeded"
