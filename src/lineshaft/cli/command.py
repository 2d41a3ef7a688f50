"""Commands whose help teaches: sections, and examples to paste."""

from collections.abc import Mapping, Sequence
from typing import Any

import click


class SharedOption(click.Option):
    """An option that many commands have; help lists it under a heading of its own, behind their own options.

    Attributes:
        heading: what the options listed together have in common.
    """

    def __init__(self, *args: Any, heading: str, **attributes: Any) -> None:
        self.heading = heading
        super().__init__(*args, **attributes)


class Command(click.Command):
    """A command with examples.

    Attributes:
        examples: command lines, and comments that begin with `#`.
    """

    def __init__(self, *args: Any, examples: Sequence[str] = (), **attributes: Any) -> None:
        self.examples = tuple(examples)
        super().__init__(*args, **attributes)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options: the command's own, then each group of shared ones."""
        sections: dict[str, list[tuple[str, str]]] = {"Options": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None or isinstance(parameter, click.Argument):
                continue
            heading = parameter.heading if isinstance(parameter, SharedOption) else "Options"
            sections.setdefault(heading, []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, line by line as they are."""
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{example}\n")
        super().format_epilog(ctx, formatter)


class CommandGroup(Command, click.Group):
    """A command that does something by itself, and has commands of its own besides."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options as a command does, and then its commands."""
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


class ListingGroup(CommandGroup):
    """A command whose `list` is meant where no command below it is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what stands behind it."""
        named = bool(args) and (not args[0].startswith("-") or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named else ["list", *args])


class SectionedGroup(click.Group):
    """A group whose help lists its commands under headings.

    Attributes:
        sections: the commands by heading, in the order of the help.
    """

    def __init__(
        self, *args: Any, sections: Mapping[str, Sequence[click.Command]], **attributes: Any
    ) -> None:
        self.sections = sections
        super().__init__(*args, **attributes)
        for commands in sections.values():
            for command in commands:
                self.add_command(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each section's commands with their short help."""
        width = max(len(name) for name in self.list_commands(ctx))
        limit = formatter.width - width - 6
        for heading, commands in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl(
                    [(f"{command.name:<{width}}", command.get_short_help_str(limit)) for command in commands]
                )
