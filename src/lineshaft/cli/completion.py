"""`completion`: what makes a shell complete this command line."""

from typing import Final

import click

from lineshaft.cli.command import Command

_PROGRAM: Final = "lineshaft"
_VARIABLE: Final = "_LINESHAFT_COMPLETE"


@click.command(
    cls=Command,
    short_help="Print what makes a shell complete commands.",
    examples=(
        "# bash, in ~/.bashrc",
        'eval "$(lineshaft completion bash)"',
        "# zsh, in ~/.zshrc",
        'eval "$(lineshaft completion zsh)"',
        "# fish",
        "lineshaft completion fish > ~/.config/fish/completions/lineshaft.fish",
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), help="Which shell.")
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that makes a shell complete commands and options."""
    from click.shell_completion import get_completion_class

    script = get_completion_class(shell)
    if script is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    click.echo(script(context.find_root().command, {}, _PROGRAM, _VARIABLE).source())
