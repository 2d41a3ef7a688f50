from pathlib import Path

import pytest

from lineshaft.worker.workspace import Workspaces


@pytest.fixture
def workspaces(tmp_path: Path) -> Workspaces:
    return Workspaces(tmp_path / "workspaces")


def test_two_attempts_at_a_time_have_a_workspace_each(workspaces: Workspaces) -> None:
    assert workspaces.lend() != workspaces.lend()


async def test_a_workspace_that_comes_back_empty_is_lent_again(workspaces: Workspaces) -> None:
    folder = workspaces.lend()
    await workspaces.take_back(folder)
    assert workspaces.lend() == folder


async def test_what_an_attempt_leaves_is_removed_and_never_seen_by_another(workspaces: Workspaces) -> None:
    folder = workspaces.lend()
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er").chmod(0)
    await workspaces.take_back(folder)
    assert workspaces.lend() != folder
    await workspaces.close()
    assert not folder.exists()


async def test_a_workspace_whose_mode_was_changed_is_not_lent_again(workspaces: Workspaces) -> None:
    folder = workspaces.lend()
    folder.chmod(0o777)
    await workspaces.take_back(folder)
    assert workspaces.lend() != folder
    await workspaces.close()


async def test_a_workspace_that_was_replaced_by_a_link_is_not_lent_again(
    workspaces: Workspaces, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o700)
    folder = workspaces.lend()
    folder.rmdir()
    folder.symlink_to(outside)
    await workspaces.take_back(folder)
    assert workspaces.lend() != folder
    await workspaces.close()
    assert outside.exists()


async def test_a_link_out_of_a_workspace_is_removed_and_not_followed(
    workspaces: Workspaces, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("kept")
    folder = workspaces.lend()
    (folder / "link").symlink_to(outside)
    await workspaces.take_back(folder)
    await workspaces.close()
    assert (outside / "file").read_text() == "kept"


async def test_clearing_removes_what_an_earlier_process_has_left(
    workspaces: Workspaces, tmp_path: Path
) -> None:
    (workspaces.lend() / "file").write_text("left")
    await Workspaces(tmp_path / "workspaces").clear()
    assert list((tmp_path / "workspaces").iterdir()) == []
