"""No argument is read as the name of a file that holds what was meant.

Where a command asks for a definition, its `--data @FILE` is read after that, by the caller's own program and
with the caller's own rights; the server is never sent a command line.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from lineshaft.cli.app import root

SECRET = "what-the-file-holds"


def commands(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)


ALL = list(commands(root))
OPTIONS = [
    pytest.param(command, path, option, id=f"{' '.join(path)} {option.opts[0]}")
    for path, command in ALL
    for option in command.params
    if isinstance(option, click.Option) and not option.is_flag and not option.count
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text(SECRET)
    return path


@pytest.mark.parametrize(("command", "path", "option"), OPTIONS)
def test_an_option_is_taken_as_it_is_written(
    command: click.Command, path: tuple[str, ...], option: click.Option, file: Path
) -> None:
    with root.make_context("lineshaft", [], resilient_parsing=True) as outer:
        parsed, _, _ = command.make_parser(click.Context(command, outer, info_name=path[-1])).parse_args(
            [option.opts[0], f"@{file}"]
        )

    assert option.name is not None
    assert parsed[option.name] in (f"@{file}", [f"@{file}"])


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) for path, _ in ALL])
def test_an_argument_is_taken_as_it_is_written(
    path: tuple[str, ...], command: click.Command, file: Path
) -> None:
    with root.make_context("lineshaft", [], resilient_parsing=True) as outer:
        parsed, left, _ = command.make_parser(click.Context(command, outer, info_name=path[-1])).parse_args(
            [f"@{file}"]
        )

    assert SECRET not in f"{parsed}{left}"
    assert f"@{file}" in f"{parsed}{left}"


def test_an_input_that_looks_like_a_file_reaches_the_task_as_it_is_written(
    file: Path, tmp_path: Path
) -> None:
    (tmp_path / "lineshaft.yml").write_text(
        "name: p\ninputs: {text: {default: ''}}\nsteps: [{name: a, run: 'echo \"$LINESHAFT_INPUT_TEXT\"'}]\n"
    )

    answer = subprocess.run(
        [sys.executable, "-m", "lineshaft", "run", "--logs", "--input", f"text=@{file}"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr
    assert f"@{file}" in answer.stdout
    assert SECRET not in answer.stdout
