import os
from pathlib import Path

import pytest

from lineshaft.sdk.task_file import UnusableFileError, read_regular
from lineshaft.worker.confined import OutsideError, confined


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "inner").mkdir(parents=True)
    return folder


def test_nothing_is_the_folder_itself(root: Path) -> None:
    assert confined(root, "") == root


def test_a_folder_inside_is_found(root: Path) -> None:
    assert confined(root, "./inner/../inner") == root / "inner"


def test_a_link_that_stays_inside_is_followed(root: Path) -> None:
    (root / "link").symlink_to("inner")
    assert confined(root, "link") == root / "inner"


def test_a_folder_that_is_reached_by_a_link_itself_is_no_obstacle(root: Path, tmp_path: Path) -> None:
    (tmp_path / "way").symlink_to(tmp_path)
    assert confined(tmp_path / "way" / "root", "inner") == root / "inner"


def test_a_link_in_the_place_of_the_folder_is_not_followed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    with pytest.raises(OutsideError, match="leads out"):
        confined(tmp_path / "link", "inner")


@pytest.mark.parametrize("path", ["..", "inner/../..", "/", "/etc"])
def test_a_path_that_leads_out_is_refused(root: Path, path: str) -> None:
    with pytest.raises(OutsideError, match="leads out"):
        confined(root, path)


def test_a_link_that_leads_out_is_refused(root: Path, tmp_path: Path) -> None:
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(OutsideError, match="leads out"):
        confined(root, "link")


@pytest.mark.parametrize("path", ["missing", "a\0b", "x" * 5000, "circle"])
def test_a_path_that_leads_nowhere_is_refused(root: Path, path: str) -> None:
    (root / "circle").symlink_to("circle")
    with pytest.raises(OutsideError):
        confined(root, path)


def test_a_plain_file_is_read(root: Path) -> None:
    (root / "file").write_bytes(b"data")
    assert read_regular(root / "file", 4) == b"data"


def test_a_larger_file_is_refused(root: Path) -> None:
    (root / "file").write_bytes(b"data!")
    with pytest.raises(UnusableFileError, match="larger"):
        read_regular(root / "file", 4)


def test_a_missing_file_says_so(root: Path) -> None:
    with pytest.raises(UnusableFileError) as caught:
        read_regular(root / "file", 4)
    assert caught.value.missing


def test_a_link_is_not_followed(root: Path) -> None:
    (root / "file").write_bytes(b"data")
    (root / "link").symlink_to("file")
    with pytest.raises(UnusableFileError) as caught:
        read_regular(root / "link", 4)
    assert not caught.value.missing


def test_a_pipe_that_nobody_writes_to_is_refused_at_once(root: Path) -> None:
    os.mkfifo(root / "pipe")
    with pytest.raises(UnusableFileError, match="no plain file"):
        read_regular(root / "pipe", 4)


def test_a_folder_is_refused(root: Path) -> None:
    with pytest.raises(UnusableFileError):
        read_regular(root / "inner", 4)


def test_a_device_without_an_end_is_refused() -> None:
    with pytest.raises(UnusableFileError, match="no plain file"):
        read_regular(Path("/dev/zero"), 4)
