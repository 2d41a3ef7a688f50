import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

import lineshaft as package
from command_line import CommandLine
from fake_api import FakeApi
from lineshaft.cli.app import root, run_command_line
from lineshaft.cli.command import Command
from lineshaft.cli.exit_code import ExitCode

HEAVY = {
    "asyncio", "difflib", "fastapi", "httpx2", "lineshaft.model.node", "pydantic", "pydantic_settings",
    "rich", "sqlalchemy", "ssl", "tomllib", "uvicorn", "yaml",
}  # fmt: skip


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, env=os.environ
    )


@pytest.mark.parametrize("arguments", [["--help"], ["watch", "--help"], ["up", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys; from lineshaft.cli.app import run_command_line; "
        f"code = run_command_line({arguments!r}); "
        "print(*sorted(sys.modules), file=sys.stderr); sys.exit(code)"
    )
    result = python("-c", script)
    assert result.returncode == ExitCode.OK
    assert HEAVY.isdisjoint(result.stderr.split())


@pytest.mark.parametrize("module", ["lineshaft", "lineshaft.cli"])
def test_the_package_and_the_cli_can_be_run_as_modules(module: str) -> None:
    result = python("-m", module, "--version")
    assert (result.returncode, result.stdout) == (0, f"lineshaft {package.__version__}\n")


def test_help_lists_every_command_under_a_heading(lineshaft: CommandLine) -> None:
    result = lineshaft("--help")
    for heading in ("Start:", "Pipelines:", "Runs:", "More:"):
        assert f"\n{heading}\n" in result.out
    for name in root.commands:
        assert f"\n  {name} " in result.out


COMMANDS: dict[str, click.Command] = dict(root.commands)
for _name, _parent in root.commands.items():
    if isinstance(_parent, click.Group):
        COMMANDS |= {f"{_name} {below}": command for below, command in _parent.commands.items()}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_of_each_command_explains_its_parts_and_shows_examples(
    lineshaft: CommandLine, name: str
) -> None:
    command = COMMANDS[name]
    assert isinstance(command, Command)
    assert all(getattr(parameter, "help", None) for parameter in command.params), "each parameter has help"
    result = lineshaft(*name.split(), "--help")
    assert result.code == ExitCode.OK
    examples = result.out.partition("\nExamples:\n")[2]
    assert f"lineshaft {name}" in examples


def test_nothing_at_all_is_answered_with_help(lineshaft: CommandLine) -> None:
    result = lineshaft()
    assert result.code == ExitCode.WRONG_USAGE
    assert result.err.startswith("Usage: lineshaft")


def test_an_unknown_command_is_corrected(lineshaft: CommandLine) -> None:
    result = lineshaft("watsh")
    assert result.code == ExitCode.WRONG_USAGE
    assert result.err == "error: No such command 'watsh'. Did you mean 'watch'?\nTry `lineshaft --help`.\n"


def test_wrong_usage_is_told_to_programs_as_json(lineshaft: CommandLine) -> None:
    result = lineshaft("show", "--output", "json")
    assert json.loads(result.err) == {
        "code": "usage",
        "message": "Missing argument 'RUN'.",
        "advice": "Try `lineshaft show --help`.",
        "exit_code": 2,
        "errors": [],
    }


def test_an_error_is_told_to_programs_as_json_and_leaves_standard_output_empty(
    lineshaft: CommandLine,
) -> None:
    result = lineshaft("get-pipeline", "nope", "--output", "json")
    assert (result.out, result.code) == ("", ExitCode.NOT_FOUND)
    assert json.loads(result.err)["code"] == "not-found"


def test_wrong_credentials_are_no_access(lineshaft: CommandLine) -> None:
    assert lineshaft("list", "--password", "wrong").code == ExitCode.NO_ACCESS


def test_a_server_that_is_not_there_is_unavailable(lineshaft: CommandLine) -> None:
    result = lineshaft("list", "--base-url", "http://127.0.0.1:1")
    assert result.code == ExitCode.UNAVAILABLE
    assert result.err.startswith("error: No Lineshaft server answers at http://127.0.0.1:1: ")


def test_a_configuration_that_makes_no_sense_is_told(lineshaft: CommandLine) -> None:
    result = lineshaft("list", "--config", "/nonexistent.toml")
    assert result.code == ExitCode.CONFIGURATION
    assert result.err == "error: There is no configuration file /nonexistent.toml.\n"


def test_the_configuration_file_tells_server_and_credentials(
    lineshaft: CommandLine, api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LINESHAFT_URL")
    monkeypatch.delenv("LINESHAFT_PASSWORD")
    config = tmp_path / "config.toml"
    config.write_text(f'[client]\nurl = "{api.url}"\npassword = "sesame"\n')
    assert lineshaft("list", "--config", config).code == ExitCode.OK


def test_an_answer_of_something_else_is_an_internal_error(lineshaft: CommandLine, api: FakeApi) -> None:
    api.refusals = [(500, b"<html>")]
    assert lineshaft("list").code == ExitCode.INTERNAL


@click.command()
def faulty() -> None:
    raise ZeroDivisionError("division by zero")


@click.command()
def interrupted() -> None:
    raise KeyboardInterrupt


def test_a_fault_is_told_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line([], faulty) == ExitCode.INTERNAL
    assert capsys.readouterr().err.splitlines() == [
        "error: This is a fault in Lineshaft: ZeroDivisionError: division by zero",
        "Run it again with LINESHAFT_DEBUG=1 and report what that shows.",
    ]


def test_a_fault_shows_its_traceback_where_that_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINESHAFT_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run_command_line([], faulty)


def test_an_interrupt_has_an_exit_code_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line([], interrupted) == ExitCode.INTERRUPTED
    assert capsys.readouterr().err.strip() == ""


def test_a_server_that_is_up_is_pinged(lineshaft: CommandLine, api: FakeApi) -> None:
    assert lineshaft("ping").out.startswith(f"{api.url} is ready and takes your credentials; it answered in ")
    document = json.loads(lineshaft("ping", "--output", "json").out)
    assert document["url"] == api.url
    assert document["milliseconds"] > 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shells_completion_is_printed(lineshaft: CommandLine, shell: str) -> None:
    result = lineshaft("completion", shell)
    assert result.code == ExitCode.OK
    assert f"_LINESHAFT_COMPLETE={shell}_complete" in result.out


def test_commands_are_completed() -> None:
    environment = {
        **os.environ,
        "_LINESHAFT_COMPLETE": "bash_complete",
        "COMP_WORDS": "lineshaft tri",
        "COMP_CWORD": "1",
    }
    result = subprocess.run(
        [sys.executable, "-m", "lineshaft"], capture_output=True, text=True, check=True, env=environment
    )
    assert result.stdout == "plain,trigger-pipeline\n"
