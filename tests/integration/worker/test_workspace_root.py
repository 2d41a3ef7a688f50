"""Where a worker keeps its workspaces."""

from pathlib import Path

import pytest

from lineshaft.model.errors import ConfigurationError
from lineshaft.worker.assembly import open_agent
from lineshaft.worker.plan import WorkerPlan
from scripted_server import ScriptedServer


async def test_workers_that_share_a_root_have_folders_of_their_own_below_it(tmp_path: Path) -> None:
    root = tmp_path / "fast-disk"
    one, two = (
        WorkerPlan(name=name, data=tmp_path / "data", slots=1, workspace_root=root) for name in ("a/b", "a:b")
    )
    async with open_agent(one, ScriptedServer()), open_agent(two, ScriptedServer()):
        assert len(list(root.iterdir())) == 2
        assert all((folder / "workspaces").is_dir() for folder in root.iterdir())


async def test_without_a_root_they_are_in_the_data_folder(tmp_path: Path) -> None:
    async with open_agent(WorkerPlan(name="w", data=tmp_path, slots=1), ScriptedServer()):
        (folder,) = (tmp_path / "workers").iterdir()
        assert (folder / "workspaces").is_dir()


async def test_a_root_that_cannot_be_made_is_refused_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    plan = WorkerPlan(name="w", data=tmp_path, slots=1, workspace_root=tmp_path / "file")
    with pytest.raises(ConfigurationError, match="cannot be made: Not a directory"):
        async with open_agent(plan, ScriptedServer()):
            raise AssertionError
