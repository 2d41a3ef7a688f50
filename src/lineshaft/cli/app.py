"""The command `lineshaft`: all its commands, and what becomes of their errors."""

import os
import sys
from collections.abc import Sequence
from typing import Any, Final

import click

from lineshaft import __version__
from lineshaft.cli.approve import approve
from lineshaft.cli.artifacts import artifacts
from lineshaft.cli.audit import audit
from lineshaft.cli.cache import cache
from lineshaft.cli.check import check
from lineshaft.cli.command import SectionedGroup
from lineshaft.cli.completion import completion
from lineshaft.cli.convert import convert
from lineshaft.cli.definition import definition
from lineshaft.cli.deliveries import deliveries
from lineshaft.cli.driver import driver
from lineshaft.cli.exit_code import ExitCode
from lineshaft.cli.explain import explain
from lineshaft.cli.failure import report, report_fault, report_usage
from lineshaft.cli.forge_connection import connection
from lineshaft.cli.invocation import Invocation
from lineshaft.cli.login import login, logout, whoami
from lineshaft.cli.logs import logs
from lineshaft.cli.output import wants_json
from lineshaft.cli.ping import ping
from lineshaft.cli.pipeline import (
    create_pipeline,
    delete_pipeline,
    get_pipeline,
    list_pipelines,
    refresh_pipeline,
    trigger_pipeline,
    update_pipeline,
)
from lineshaft.cli.plan import plan
from lineshaft.cli.polls import polls
from lineshaft.cli.report import report as report_runs
from lineshaft.cli.results import results
from lineshaft.cli.run import cancel, retry, runs, show
from lineshaft.cli.run_here import run
from lineshaft.cli.schedules import schedules
from lineshaft.cli.schema import schema
from lineshaft.cli.secret import secret
from lineshaft.cli.shell import shell
from lineshaft.cli.tests import tests
from lineshaft.cli.token import token
from lineshaft.cli.up import server, up
from lineshaft.cli.user import user
from lineshaft.cli.watch import watch
from lineshaft.cli.worker import worker
from lineshaft.cli.worker_key import worker_key
from lineshaft.model.errors import LineshaftError

_PROGRAM: Final = "lineshaft"


class Root(SectionedGroup):
    """The command `lineshaft` itself."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named, until all that it printed has been written."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # What is still in the buffer has no reader; the interpreter must not try to write it at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(ExitCode.OUTPUT_CLOSED)
        return result


@click.group(
    cls=Root,
    sections={
        "Start": (up, run, server),
        "Write pipelines": (check, plan, schema, convert),
        "Pipelines": (
            list_pipelines,
            create_pipeline,
            get_pipeline,
            update_pipeline,
            refresh_pipeline,
            trigger_pipeline,
            schedules,
            polls,
            delete_pipeline,
        ),
        "Runs": (runs, show, watch, logs, explain, shell, definition, approve, cancel, retry, report_runs),
        "Files and tests": (results, artifacts, tests, cache),
        "Workers": (worker, worker_key),
        "Drivers": (driver,),
        "Access": (login, logout, whoami, user, token, audit),
        "Secrets and forges": (secret, connection, deliveries),
        "More": (ping, completion),
    },
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`lineshaft COMMAND --help` shows examples; docs/cli.md lists the exit codes.",
)
@click.version_option(__version__, prog_name=_PROGRAM, message="%(prog)s %(version)s")
def root(**_: Any) -> None:
    """Lineshaft runs pipelines: here (`run`), or on a server (`up`) that these commands talk to."""


def run_command_line(arguments: Sequence[str], command: click.Command = root) -> int:
    """Run a command line, tell of errors on standard error, and return the exit code.

    Args:
        arguments: what stands behind the program's name.
        command: what to run; a test may bring its own.
    """
    invocation = Invocation()
    as_json = wants_json(arguments)
    try:
        code = command.main(list(arguments), prog_name=_PROGRAM, standalone_mode=False, obj=invocation)
    except click.ClickException as error:
        return report_usage(error, as_json=as_json)
    except click.Abort:
        return ExitCode.INTERRUPTED
    except LineshaftError as error:
        return report(error, as_json=as_json, source=invocation.source)
    except Exception as error:
        if os.environ.get("LINESHAFT_DEBUG"):
            raise
        return report_fault(error, as_json=as_json)
    return code if isinstance(code, int) else ExitCode.OK
