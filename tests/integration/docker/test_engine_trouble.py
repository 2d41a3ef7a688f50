"""Engines that are away, that die, and that somebody else uses as well."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from conformance.executors.containers import containers_scene, executor_for
from conformance.executors.witness import Lifeline, Recorder, Scene
from integration.docker_engine import Engine, MortalEngine, mortal_engine
from lineshaft.model.reason import ReasonCode
from lineshaft.ports.executor import Broken, Ending, Exit, NotStarted

__all__ = ["mortal_engine"]


@pytest.fixture
async def scene(docker_engine: Engine, tmp_path: Path) -> AsyncIterator[Scene]:
    lifeline = Lifeline(tmp_path)
    async with containers_scene(docker_engine, tmp_path, lifeline) as scene:
        yield scene
    lifeline.close()


async def containers_of(engine: Engine, label: str) -> list[str]:
    async with engine.client() as client:
        answer = await client.get("/containers/json", params={"all": "true"})
    return [each["Id"] for each in answer.json() if each["Labels"].get("lineshaft.label") == label]


async def test_an_engine_that_is_away_is_our_failure(scene: Scene) -> None:
    scene.executor = executor_for(f"unix://{scene.folder}/nobody.sock", scene.folder)

    result = await scene.run("true")

    assert isinstance(result, NotStarted)
    assert (result.code, result.ours) == (ReasonCode.DOCKER_UNREACHABLE, True)
    assert str(scene.folder / "nobody.sock") in result.text


async def test_a_command_without_an_image_is_told_what_is_missing(scene: Scene) -> None:
    scene.container = None

    result = await scene.run("true")

    assert isinstance(result, NotStarted)
    assert (result.code, result.ours) == (ReasonCode.IMAGE_MISSING, False)


async def test_an_engine_that_dies_breaks_its_commands_and_serves_again_when_it_is_back(
    mortal_engine: MortalEngine, tmp_path: Path
) -> None:
    engine = mortal_engine.start()
    lifeline = Lifeline(tmp_path)
    async with containers_scene(engine, tmp_path, lifeline) as scene:
        running = await scene.begin("exec 9>lifeline; echo ready; exec sleep 600")
        mortal_engine.kill()
        broken = await running
        away = await scene.run("true")
        mortal_engine.start()
        again = await scene.run("true")
        left = await containers_of(engine, scene.command("").label)
    held = lifeline.held()
    lifeline.close()

    assert isinstance(broken, Broken)
    assert broken.code is ReasonCode.DOCKER_UNREACHABLE
    assert isinstance(away, NotStarted)
    assert again == Exit(Ending.ENDED, exit_code=0)
    assert left == []
    assert not held


async def test_a_container_that_somebody_else_has_killed_breaks_its_command(
    scene: Scene, docker_engine: Engine
) -> None:
    running = await scene.begin("echo ready; exec sleep 600")
    [container] = await containers_of(docker_engine, scene.command("").label)
    async with docker_engine.client() as client:
        (await client.post(f"/containers/{container}/kill")).raise_for_status()

    assert isinstance(await running, Broken)


@pytest.mark.parametrize("script", ["true", "exit 3", "(setsid sleep 600 &) &"])
async def test_no_container_outlives_its_command(scene: Scene, docker_engine: Engine, script: str) -> None:
    await scene.run(script)

    assert await containers_of(docker_engine, scene.command("").label) == []


async def test_no_container_outlives_a_caller_that_is_cancelled_at_any_moment(
    scene: Scene, docker_engine: Engine
) -> None:
    label = scene.command("").label
    for turns in range(0, 60, 4):
        running = asyncio.create_task(scene.run("sleep 600"))
        for _ in range(turns):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait({running})

    assert await containers_of(docker_engine, label) == []


async def test_what_a_worker_has_left_is_removed_and_what_others_have_is_not(
    scene: Scene, docker_engine: Engine
) -> None:
    mine, other = f"mine-{os.getpid()}", f"other-{os.getpid()}"
    async with docker_engine.client() as client:
        for owner in (mine, other):
            labels = {"lineshaft.label": f"{owner}/run/node/1"}
            container = {"Image": docker_engine.base_image, "Cmd": ["true"], "Labels": labels}
            (
                await client.post("/containers/create", json=container, params={"name": owner})
            ).raise_for_status()
            for kind in ("networks", "volumes"):
                made = await client.post(f"/{kind}/create", json={"Name": owner, "Labels": labels})
                made.raise_for_status()

        async def there(owner: str) -> list[bool]:
            kinds = ("containers/{}/json", "networks/{}", "volumes/{}")
            return [(await client.get("/" + kind.format(owner))).status_code == 200 for kind in kinds]

        assert await scene.executor.sweep(f"{mine}/") == 1
        assert await there(mine) == [False, False, False]
        assert await there(other) == [True, True, True]
        assert await scene.executor.sweep(f"{other}/") == 1
        assert await there(other) == [False, False, False]


async def test_what_is_left_is_removed_once_an_engine_is_back_that_was_away_at_the_start(
    docker_engine: Engine, scene: Scene
) -> None:
    owner = f"late-{os.getpid()}"
    async with docker_engine.client() as client:
        labels = {"lineshaft.label": f"{owner}/run/node/1"}
        container = {"Image": docker_engine.base_image, "Cmd": ["true"], "Labels": labels}
        (await client.post("/containers/create", json=container)).raise_for_status()
    link = scene.folder / "engine.sock"
    executor = executor_for(f"unix://{link}", scene.folder)
    assert await executor.sweep(f"{owner}/") == 0
    link.symlink_to(docker_engine.address.removeprefix("unix://"))

    result = await executor.execute(scene.command("true"), Recorder(), asyncio.Event())
    await executor.close()

    assert result == Exit(Ending.ENDED, exit_code=0)
    assert await containers_of(docker_engine, f"{owner}/run/node/1") == []
