import re
import shlex
from pathlib import Path

import click
import pytest

from lineshaft.cli.app import root
from lineshaft.cli.exit_code import ExitCode

TEXT = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")
SECTIONS = {
    name: section
    for section in re.split(r"^#{2,3} ", TEXT, flags=re.MULTILINE)
    for name in re.findall(r"\A`([a-z-]+)`$", section, re.MULTILINE)
}
COMMON = TEXT.partition("## What all commands have in common")[2].partition("\n## ")[0]
EXAMPLES = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


BELOW = {
    f"{name} {below}": command
    for name, parent in root.commands.items()
    if isinstance(parent, click.Group)
    for below, command in parent.commands.items()
}


def flags(command: click.Command) -> set[str]:
    """List the flags of a command, and of the commands below it."""
    below = command.commands.values() if isinstance(command, click.Group) else ()
    options = (parameter for parameter in command.params if isinstance(parameter, click.Option))
    own = {flag for option in options for flag in option.opts if flag.startswith("--")}
    return own.union(*map(flags, below))


def command_of(words: list[str]) -> click.Command:
    """Find the command that stands behind `lineshaft`, with the one below it where one is named."""
    return BELOW.get(" ".join(words[:2])) or root.commands[words[0]]


def test_every_command_is_documented_and_no_other() -> None:
    assert SECTIONS.keys() == root.commands.keys()


def test_every_command_below_another_is_documented_and_no_other() -> None:
    assert set(re.findall(r"^#### `([a-z -]+)`$", TEXT, re.MULTILINE)) == BELOW.keys()


@pytest.mark.parametrize("name", sorted(root.commands))
def test_every_flag_of_a_command_is_documented(name: str) -> None:
    documented = set(re.findall(r"`(--[a-z-]+)`", SECTIONS[name] + COMMON))
    assert flags(root.commands[name]) <= documented


@pytest.mark.parametrize("name", sorted(root.commands))
def test_no_flag_is_documented_that_a_command_does_not_have(name: str) -> None:
    listed = re.findall(r"^\| `(--[a-z-]+)` \|", SECTIONS[name], re.MULTILINE)
    assert set(listed) <= flags(root.commands[name])


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_command_line_that_exists(example: str) -> None:
    words = shlex.split(example, comments=True)
    starts = [at for at, word in enumerate(words) if word in {"lineshaft", "$(lineshaft"}]
    quoted = [shlex.split(word[2:]) for word in words if word.startswith("$(lineshaft ")]
    for line in [*(words[at:] for at in starts), *quoted]:
        command = command_of(line[1:])
        ends = next((at for at, word in enumerate(line) if word in {"|", "&", "&&", ">", "--"}), len(line))
        used = {word for word in line[2:ends] if word.startswith("--")}
        assert used <= flags(command)
    assert starts or quoted


@pytest.mark.parametrize("code", ExitCode)
def test_every_exit_code_is_documented(code: ExitCode) -> None:
    assert f"| {code.value} | `{code.name}` |" in TEXT
