"""Errors on standard error: for people a line and its advice, for programs one JSON object."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from lineshaft.cli.exit_code import ExitCode
from lineshaft.cli.input_text import InputText
from lineshaft.cli.problem_text import problem_document, problem_lines
from lineshaft.cli.terminal import has_colour, printable
from lineshaft.model.errors import (
    BadCredentialsError,
    InvalidInputError,
    LineshaftError,
    Problem,
    UnavailableError,
)

_CREDENTIALS_ADVICE = (
    "Sign in with `lineshaft login`; or set LINESHAFT_TOKEN, or LINESHAFT_USERNAME and LINESHAFT_PASSWORD."
)


def report(error: LineshaftError, *, as_json: bool, source: InputText | None = None) -> ExitCode:
    """Tell of an error on standard error.

    Args:
        error: what went wrong.
        as_json: whether a program reads it.
        source: the text in which its problems have their lines and columns.

    Returns:
        The exit code that stands for it.
    """
    exit_code = ExitCode.of_error(error)
    problems = error.problems if isinstance(error, InvalidInputError) else ()
    advice = error.advice or (_CREDENTIALS_ADVICE if isinstance(error, BadCredentialsError) else "")
    if as_json:
        _print_json(error.code, error.message, advice, exit_code, problems)
        return exit_code
    print_error(error.message, advice)
    for problem in problems:
        for line in problem_lines(problem, source):
            click.echo(line, err=True)
    return exit_code


def report_usage(error: click.ClickException, *, as_json: bool) -> ExitCode:
    """Tell of a command line that makes no sense."""
    message = error.format_message()
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(message, err=True)
        return ExitCode.WRONG_USAGE
    message = " ".join(message.split())  # The choices of an argument come with tabs, a line each.
    context = error.ctx if isinstance(error, click.UsageError) else None
    advice = f"Try `{context.command_path} --help`." if context else ""
    if as_json:
        _print_json("usage", message, advice, ExitCode.WRONG_USAGE, ())
    else:
        print_error(message, advice)
    return ExitCode.WRONG_USAGE


def report_fault(error: Exception, *, as_json: bool) -> ExitCode:
    """Tell of an error that nobody foresaw."""
    message = f"This is a fault in Lineshaft: {type(error).__name__}: {error}"
    advice = "Run it again with LINESHAFT_DEBUG=1 and report what that shows."
    if as_json:
        _print_json("internal", message, advice, ExitCode.INTERNAL, ())
    else:
        print_error(message, advice)
    return ExitCode.INTERNAL


def print_error(message: str, advice: str) -> None:
    """Print an error for people: what went wrong, and on a second line what to do next."""
    mark = "error:"
    if has_colour(sys.stderr):
        mark = click.style(mark, fg="red", bold=True)
    click.echo(f"{mark} {_printable_lines(message)}", err=True, color=has_colour(sys.stderr))
    if advice:
        click.echo(_printable_lines(advice), err=True)


def print_note(text: str) -> None:
    """Print something that people should know beside the output."""
    click.echo(f"note: {_printable_lines(text)}", err=True)


def print_lost(error: UnavailableError) -> None:
    """Print that a connection was lost and is being made again."""
    print_note(f"{error.message} Connecting again.")


def _printable_lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))


def _print_json(
    code: str, message: str, advice: str, exit_code: ExitCode, problems: Sequence[Problem]
) -> None:
    document: dict[str, Any] = {
        "code": code,
        "message": message,
        "advice": advice,
        "exit_code": exit_code.value,
        "errors": [problem_document(problem) for problem in problems],
    }
    click.echo(json.dumps(document, ensure_ascii=False), err=True)
