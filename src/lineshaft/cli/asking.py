"""Asking the person at the terminal: for passwords, which are not shown, and whether they are sure."""

import sys
from typing import Final

import click

_LONGEST_LINE: Final = 8_192

password_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from one line of standard input."
)
"""Gives a command the option by which programs hand in a password, where other users cannot see it."""


def new_password(*, from_stdin: bool) -> str:
    """Ask for a new password twice, or read it from standard input.

    Raises:
        click.UsageError: nobody can be asked, or nothing is there to be read.
    """
    if from_stdin:
        return _line()
    _refuse_where_nobody_is("New password")
    return str(click.prompt("New password", hide_input=True, confirmation_prompt="The same again", err=True))


def present_password(text: str, *, from_stdin: bool = False) -> str:
    """Ask for a password that is known, or read it from standard input.

    Args:
        text: what to ask for.
        from_stdin: whether to read it.

    Raises:
        click.UsageError: nobody can be asked, or nothing is there to be read.
    """
    if from_stdin:
        return _line()
    _refuse_where_nobody_is(text)
    return str(click.prompt(text, hide_input=True, err=True))


def username(default: str) -> str:
    """Ask for a user's name."""
    _refuse_where_nobody_is("User name")
    return str(click.prompt("User name", default=default, err=True))


def confirm(question: str, *, yes: bool) -> None:
    """Go on only where the person is sure, or has said so already.

    Args:
        question: what to ask.
        yes: whether `--yes` was given.

    Raises:
        click.UsageError: nobody can be asked.
        click.Abort: they are not.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("Nobody can be asked here whether that is meant: give --yes.")
    click.confirm(question, abort=True, err=True)


def _line() -> str:
    line = sys.stdin.readline(_LONGEST_LINE).removesuffix("\n").removesuffix("\r")
    if not line:
        raise click.UsageError("Standard input holds no password in its first line.")
    return line


def _refuse_where_nobody_is(text: str) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError(f"Nobody can be asked here ({text}): give --password-stdin.")
