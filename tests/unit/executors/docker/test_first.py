"""The program of the first process, as a file."""

import hashlib
import shutil
from importlib import resources
from pathlib import Path

import pytest

from lineshaft.executors.docker.first import FirstProgram

FOLDER = resources.files("lineshaft.executors.docker.first")


@pytest.mark.parametrize(("machine", "kind"), [("x86_64", 62), ("aarch64", 183)])
def test_each_program_was_built_from_the_source_that_lies_beside_it(machine: str, kind: int) -> None:
    source = FOLDER.joinpath("first.c").read_bytes()
    program = FOLDER.joinpath(f"first-{machine}").read_bytes()

    # A static program for that kind of processor; build.sh puts the digest of the source into it.
    assert program.startswith(b"\x7fELF\x02\x01")
    assert int.from_bytes(program[18:20], "little") == kind
    assert f"source {hashlib.sha256(source).hexdigest()}".encode() in program


@pytest.mark.parametrize("machine", ["x86_64", "amd64", "aarch64", "arm64"])
def test_the_program_is_written_for_all_to_run(tmp_path: Path, machine: str) -> None:
    path = FirstProgram(tmp_path / "folder").path(machine)

    assert path is not None
    assert path.stat().st_mode & 0o777 == 0o755
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_there_is_none_for_other_processors(tmp_path: Path) -> None:
    assert FirstProgram(tmp_path).path("s390x") is None


def test_one_that_was_changed_or_removed_meanwhile_is_written_anew(tmp_path: Path) -> None:
    path = FirstProgram(tmp_path).path("x86_64")
    assert path is not None
    good = path.read_bytes()
    path.write_bytes(b"something else")

    again = FirstProgram(tmp_path)
    assert again.path("x86_64") == path
    assert path.read_bytes() == good
    shutil.rmtree(tmp_path)
    assert again.path("x86_64") == path
    assert path.read_bytes() == good
