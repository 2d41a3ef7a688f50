"""`lineshaft approve` on a terminal: what it shows, and what becomes of the answer."""

import json
from pathlib import Path

import pytest

from command_line import CommandLine, isolated
from lineshaft.cli.exit_code import ExitCode
from terminal_session import TerminalSession

COMMIT = "a" * 40


def hold(lineshaft: CommandLine, folder: Path, name: str, *more: str) -> None:
    (folder / "lineshaft.yml").write_text(f"name: {name}\nsteps: [{{name: build, run: 'true'}}]")
    assert lineshaft("create-pipeline", "lineshaft.yml").code == ExitCode.OK
    result = lineshaft("trigger-pipeline", name, "--untrusted", "--hold", "--ref", COMMIT, *more)
    assert result.code == ExitCode.OK, result.err


def asked(url: str, folder: Path, run: str, answer: str) -> tuple[str, int]:
    """Approve on a terminal, and return what was shown with the exit code."""
    environment = isolated(folder, url, "admin")
    with TerminalSession("approve", run, environment=environment, alone=True) as terminal:
        terminal.read_until("Let it begin? [y/N]: ")
        terminal.type(answer)
        terminal.read_to_end()
        return terminal.plain, terminal.process.wait()


def is_held(lineshaft: CommandLine, run: str) -> bool:
    return bool(json.loads(lineshaft("show", run, "--output", "json").out)["held"])


def test_it_shows_what_the_run_is_for_before_it_asks(
    lineshaft: CommandLine, server_url: str, tmp_path: Path
) -> None:
    hold(lineshaft, tmp_path, "shown", "--changed", "src/a.py", "--changed", "docs/b.md")

    shown, code = asked(server_url, tmp_path, "shown/1", "y")

    lines = shown.replace("\r", "").splitlines()
    assert "commit:       " + COMMIT in lines
    start = lines.index("tasks:        1")
    assert lines[start : start + 5] == [
        "tasks:        1", "  build", "changed:      2", "  src/a.py", "  docs/b.md"
    ]  # fmt: skip
    assert "shown/1 is approved" in shown
    assert (code, is_held(lineshaft, "shown/1")) == (ExitCode.OK, False)


@pytest.mark.parametrize("answer", ["n", ""])
def test_whoever_does_not_say_yes_approves_nothing(
    lineshaft: CommandLine, server_url: str, tmp_path: Path, answer: str
) -> None:
    name = f"refused{len(answer)}"
    hold(lineshaft, tmp_path, name)

    shown, code = asked(server_url, tmp_path, f"{name}/1", answer)

    assert "changed:      not known" in shown
    assert (code != ExitCode.OK, is_held(lineshaft, f"{name}/1")) == (True, True)


def test_names_of_files_cannot_steer_the_terminal(
    lineshaft: CommandLine, server_url: str, tmp_path: Path
) -> None:
    hold(lineshaft, tmp_path, "steered", "--changed", "src/\x1b[2Jwiped")

    shown, _ = asked(server_url, tmp_path, "steered/1", "n")

    assert "  src/\N{REPLACEMENT CHARACTER}[2Jwiped" in shown
