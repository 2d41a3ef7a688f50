"""`check`: every mistake in pipelines, at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, assert_never

import click

from lineshaft.cli.annotation import annotation
from lineshaft.cli.command import Command
from lineshaft.cli.dialect import with_dialect, with_files
from lineshaft.cli.exit_code import ExitCode
from lineshaft.cli.failure import print_note
from lineshaft.cli.input_text import InputText
from lineshaft.cli.output import print_json
from lineshaft.cli.pipeline_files import pipeline_files
from lineshaft.cli.problem_text import problem_document, problem_lines
from lineshaft.cli.terminal import printable
from lineshaft.model.errors import InvalidInputError, Problem
from lineshaft.ports.clock import SystemClock

if TYPE_CHECKING:
    from lineshaft.definition.dialect import Dialect
    from lineshaft.definition.pipeline_file import PipelineFile
    from lineshaft.model.schedule import Schedule

_TIMES: Final = 3
"""How many of the next times of a schedule are told."""


class CheckFormat(StrEnum):
    """Who reads what `check` found."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in a file.

    Attributes:
        text: the file.
        read: what it says; None where something is wrong with it.
        problems: all that is wrong with it.
    """

    text: InputText
    read: "PipelineFile | None"
    problems: tuple[Problem, ...] = ()

    def document(self) -> dict[str, Any]:
        """Say it as JSON."""
        names = [definition.name for definition in self.read.definitions] if self.read else []
        schedules = [
            {
                "pipeline": definition.name,
                "cron": schedule.cron,
                "timezone": schedule.timezone,
                "next": _next_times(schedule),
            }
            for definition in (self.read.definitions if self.read else ())
            for schedule in definition.schedules
        ]
        return {
            "file": self.text.origin,
            "dialect": self.read.dialect.value if self.read else None,
            "pipelines": names,
            "schedules": schedules,
            "problems": [problem_document(problem) for problem in self.problems],
        }


@click.command(
    cls=Command,
    short_help="Tell every mistake in pipelines, at once.",
    examples=(
        "# The pipeline of this repository",
        "lineshaft check",
        "lineshaft check lineshaft.yml ci/*.yml .cicd-pipelines/",
        "# In GitHub Actions: show the mistakes in the files of a change",
        "lineshaft check --format github",
    ),
)
@with_files
@click.option(
    "--format",
    "--output",
    "shape",
    type=click.Choice([choice.value for choice in CheckFormat]),
    default=CheckFormat.TEXT.value,
    show_default=True,
    help="Who reads it: people (text), programs (json), or GitHub Actions (github).",
)
@with_dialect
def check(files: tuple[str, ...], shape: str, dialect: "Dialect | None") -> ExitCode:
    """Tell every mistake in pipelines: where it is, and what to write instead.

    Without FILE it checks lineshaft.yml, lineshaft.yaml or lineshaft.json of this folder, or all files of
    .cicd-pipelines/. Nothing is run, and no server is asked. The exit code is 0 when all is well, and 3 when
    something is not. Of each schedule it tells the next three times.
    """
    checked = [_check(name, dialect) for name in pipeline_files(files)]
    match CheckFormat(shape):
        case CheckFormat.TEXT:
            _print_text(checked)
        case CheckFormat.JSON:
            print_json({"files": [each.document() for each in checked]})
        case CheckFormat.GITHUB:
            for each in checked:
                for problem in each.problems:
                    click.echo(annotation(problem, problem.file or each.text.origin))
        case other:
            assert_never(other)
    return ExitCode.INVALID_INPUT if any(each.problems for each in checked) else ExitCode.OK


def _check(name: str, dialect: "Dialect | None") -> Checked:
    from lineshaft.cli.definition_file import open_definition, read_definitions

    text = open_definition(name)
    try:
        return Checked(text, read_definitions(text, dialect))
    except InvalidInputError as error:
        return Checked(text, None, error.problems or (Problem("", error.message, advice=error.advice),))


def _print_text(checked: Sequence[Checked]) -> None:
    for each in checked:
        for problem in each.problems:
            click.echo("\n".join(problem_lines(problem, each.text)))
        if each.read is not None:
            for definition in each.read.definitions:
                tasks = sum(not place.below for place in definition.tree.below_root())
                click.echo(
                    printable(f"{each.text.origin}: {definition.name} is fine, {_count(tasks, 'task')}.")
                )
                for schedule in definition.schedules:
                    times = ", ".join(_next_times(schedule))
                    click.echo(printable(f"  {schedule.cron} ({schedule.timezone}): {times}"))
                if definition.notifications:
                    mails = _count(len(definition.notifications), "notification")
                    click.echo(f"  {mails}: sent by a server that has LINESHAFT_SMTP_URL, and nowhere else")
    problems = sum(len(each.problems) for each in checked)
    if problems:
        bad = sum(bool(each.problems) for each in checked)
        print_note(f"{_count(problems, 'mistake')} in {_count(bad, 'file')} of {len(checked)}.")


def _next_times(schedule: "Schedule") -> list[str]:
    """Tell the next times of a schedule, by the clock of its zone."""
    from lineshaft.definition.timetable import find_zone, upcoming

    times = upcoming(schedule.cron, schedule.timezone, SystemClock().now(), _TIMES)
    zone = find_zone(schedule.timezone)
    return [at.astimezone(zone).isoformat(timespec="minutes") for at in times]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
