import os
import socket
from contextlib import chdir
from pathlib import Path

import pytest

from lineshaft.worker.removal import has_mounts, remove_tree
from mount_namespace import run_mounted

REMOVAL = """
import sys
from pathlib import Path
from lineshaft.worker.removal import has_mounts, remove_tree
print(has_mounts(Path(sys.argv[1])), remove_tree(Path(sys.argv[1])))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder with a space"
    made.mkdir()
    return made


def deepen(folder: Path, depth: int, name: str) -> None:
    """Make folders in each other, by steps, since no path may be so long."""
    at = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=at)
        inner = os.open(name, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=at))
    os.close(at)


def test_a_folder_goes_with_all_that_is_in_it(folder: Path) -> None:
    (folder / "inner" / "most").mkdir(parents=True)
    (folder / "inner" / "file").write_text("text")
    assert remove_tree(folder)
    assert not folder.exists()


def test_what_is_not_there_is_gone(folder: Path) -> None:
    assert remove_tree(folder / "missing")
    assert remove_tree(folder / "missing" / "too")


def test_a_tree_that_is_deeper_than_any_path_goes(folder: Path) -> None:
    deepen(folder, 100, "d" * 200)
    assert remove_tree(folder)


def test_a_link_goes_and_what_it_points_to_stays(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("kept")
    (folder / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "link").symlink_to(tmp_path / "outside")
    assert remove_tree(folder)
    assert remove_tree(tmp_path / "link")
    assert (tmp_path / "outside" / "file").read_text() == "kept"


def test_pipes_and_sockets_are_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with chdir(folder), socket.socket(socket.AF_UNIX) as opened:
        opened.bind("socket")
    assert remove_tree(folder)


@pytest.mark.parametrize("name", ["a\nb", "\udcff\udcfe", "-rf", "*", "x" * 255])
def test_any_name_goes(folder: Path, name: str) -> None:
    (folder / name).mkdir()
    (folder / name / name).write_text("text")
    assert remove_tree(folder)


@pytest.mark.parametrize("mode", [0, 0o100, 0o400, 0o555])
def test_a_folder_that_has_no_rights_goes(folder: Path, mode: int) -> None:
    (folder / "inner" / "most").mkdir(parents=True)
    for each in (folder / "inner" / "most", folder / "inner", folder):
        each.chmod(mode)
    assert remove_tree(folder)


def test_deep_folders_without_rights_go(folder: Path) -> None:
    deepen(folder, 60, "d")
    places = [Path(at) for at, _, _ in os.walk(folder)]
    for each in reversed(places):
        each.chmod(0o500)
    assert remove_tree(folder)


def test_what_is_mounted_in_a_folder_is_not_emptied(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("kept")
    (folder / "mount").mkdir()
    told = run_mounted(("--bind", str(tmp_path / "outside")), folder / "mount", "-c", REMOVAL, str(folder))
    assert told == "True False\n"
    assert (tmp_path / "outside" / "file").read_text() == "kept"


def test_a_folder_without_mounts_has_none(folder: Path) -> None:
    assert not has_mounts(folder)


def test_a_folder_on_which_something_is_mounted_has_one() -> None:
    assert has_mounts(Path("/proc"))
