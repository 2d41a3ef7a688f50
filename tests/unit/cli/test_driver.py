"""`driver new`: what it writes works, and nothing is overwritten."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
import yaml

from command_line import CommandLine
from lineshaft.cli.driver import complete_case
from lineshaft.cli.exit_code import ExitCode
from lineshaft.model.known_driver import is_driver_name


@pytest.mark.parametrize("name", ["compile", "a.b_c-", "0"])
def test_the_tests_of_a_new_driver_pass(lineshaft: CommandLine, tmp_path: Path, name: str) -> None:
    assert lineshaft("driver", "new", name, "--folder", tmp_path / "made").code == ExitCode.OK
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio"]
    tried = subprocess.run(
        command, cwd=tmp_path / "made", capture_output=True, text=True, check=False, timeout=200
    )
    assert tried.returncode == 0, tried.stdout
    assert "3 passed" in tried.stdout


@pytest.mark.parametrize("name", ["compile", "1.5", "true", "a-"])
def test_the_files_of_a_new_driver_name_it(lineshaft: CommandLine, tmp_path: Path, name: str) -> None:
    lineshaft("driver", "new", name, "--folder", tmp_path)
    assert is_driver_name(name)
    assert yaml.safe_load((tmp_path / "lineshaft.yml").read_text())["steps"][0]["driver"] == name
    project = tomllib.loads((tmp_path / "pyproject.toml").read_text())["project"]
    assert project["description"] == f"The Lineshaft driver {name}."
    assert f'@driver(name="{name}"' in (tmp_path / "driver.py").read_text()
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or "@NAME@" not in file.read_text()


def test_a_new_driver_is_told_to_people_and_to_programs(
    lineshaft: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = lineshaft("driver", "new", "compile")
    assert "compile/driver.py" in told.out.splitlines()
    assert told.err == "note: Its tests need no server: cd compile && python -m pytest\n"
    document = json.loads(lineshaft("driver", "new", "other", "--output", "json").out)
    assert document["name"] == "other"
    assert document["folder"] == str(tmp_path / "other")
    assert "tests/test_driver.py" in document["files"]


def test_nothing_is_overwritten(lineshaft: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    refused = lineshaft("driver", "new", "compile", "--folder", tmp_path)
    assert refused.code == ExitCode.CONFLICT
    assert refused.err.endswith("and nothing is overwritten.\nName another folder with --folder.\n")
    assert [each.name for each in tmp_path.iterdir()] == ["notes.txt"]


def test_a_new_repository_may_take_it(lineshaft: CommandLine, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert lineshaft("driver", "new", "compile", "--folder", tmp_path).code == ExitCode.OK


def test_a_folder_that_cannot_be_made_is_named(lineshaft: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = lineshaft("driver", "new", "compile", "--folder", tmp_path / "file" / "below")
    assert refused.code == ExitCode.CONFIGURATION
    assert "cannot be written" in refused.err


@pytest.mark.parametrize("name", ["run", "../up", "a b", ""])
def test_a_name_that_no_driver_can_have_is_refused(lineshaft: CommandLine, tmp_path: Path, name: str) -> None:
    refused = lineshaft("driver", "new", name, "--folder", tmp_path / "made")
    assert refused.code == ExitCode.INVALID_INPUT
    assert "A driver cannot be named" in refused.err
    assert not (tmp_path / "made").exists()


def test_a_driver_that_does_nothing_breaks_its_promises(lineshaft: CommandLine) -> None:
    checked = lineshaft("driver", "check", "--case", "registers", "--", sys.executable, "-c", "")
    assert checked.code == ExitCode.RUN_DID_NOT_SUCCEED
    assert checked.out.splitlines() == [
        "BROKEN  registers                 It registers with its name and what it serves.",
        "        It ended with exit code 0, and it did not register.",
        "0 of 1 promises are kept.",
    ]


def test_programs_get_a_line_for_each_promise(lineshaft: CommandLine) -> None:
    cases = ("--case", "ends", "--case", "registers")
    checked = lineshaft("driver", "check", *cases, "--output", "json", "--", sys.executable, "-c", "")
    lines = [json.loads(line) for line in checked.out.splitlines()]
    assert [(each["name"], each["kept"]) for each in lines] == [("ends", False), ("registers", False)]
    assert lines[0]["promise"] == "On SIGTERM it ends with 0 when it has nothing in hand."
    assert lines[0]["problems"] == ["It ended with exit code 0, and it did not register."]


def test_a_driver_that_cannot_be_started_is_named(lineshaft: CommandLine, tmp_path: Path) -> None:
    refused = lineshaft("driver", "check", "--", tmp_path / "nothing")
    assert refused.code == ExitCode.CONFIGURATION
    assert "cannot be started: No such file or directory." in refused.err


def test_a_promise_that_there_is_not_is_refused_with_those_there_are(lineshaft: CommandLine) -> None:
    refused = lineshaft("driver", "check", "--case", "dances", "--", "true")
    assert refused.code == ExitCode.WRONG_USAGE
    assert "'dances' is none of registers, " in refused.err


def test_the_names_of_promises_are_completed() -> None:
    command = click.Command("check")
    named = click.Option(["--case"])
    assert complete_case(click.Context(command), named, "dr") == ["drops", "drains", "drains_when_told"]
