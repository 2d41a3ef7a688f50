"""What one invocation of the command line knows, for those who report its errors."""

from dataclasses import dataclass

import click

from lineshaft.cli.input_text import InputText


@dataclass(slots=True)
class Invocation:
    """One invocation of the command line.

    Attributes:
        source: the text that the user handed in; an error's line and column are places in it.
    """

    source: InputText | None = None

    def read(self, argument: str, option: str = "--data") -> InputText:
        """Take JSON that the user hands in: the text itself, `@FILE`, or `-` for standard input.

        Args:
            argument: as it was given.
            option: behind which it stands, with its dashes.

        Raises:
            NotFoundError: there is no such file.
            InvalidInputError: it cannot be read, or is no JSON.
        """
        self.source = InputText.from_argument(argument, option)
        self.source.check_syntax()
        return self.source


pass_invocation = click.make_pass_decorator(Invocation, ensure=True)
"""Gives a command the Invocation as its first argument."""
