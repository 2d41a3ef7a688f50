"""`plan`: what a run would do, without one."""

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

import click

from lineshaft.cli.command import Command
from lineshaft.cli.dialect import with_dialect, with_files
from lineshaft.cli.invocation import Invocation, pass_invocation
from lineshaft.cli.output import Output, print_json
from lineshaft.cli.pipeline_files import folder_of, pipeline_files
from lineshaft.cli.start import Start, with_event, with_start
from lineshaft.cli.terminal import console

if TYPE_CHECKING:
    from lineshaft.definition.dialect import Dialect
    from lineshaft.model.cause import Cause
    from lineshaft.model.definition import Definition
    from lineshaft.model.run import Source


class _Shape(StrEnum):
    """How a plan is shown."""

    TREE = "tree"
    GRAPH = "graph"
    JSON = "json"


@click.command(
    cls=Command,
    short_help="Tell what would run, and what would be skipped and why.",
    examples=(
        "# The pipeline of this repository, on what is checked out",
        "lineshaft plan",
        "# As if it were a push to main that changed one file",
        "lineshaft plan --ref main --event push --changed api/views.py",
        "lineshaft plan ci/nightly.yml --input level=full",
        "# A flowchart for a README or a review",
        "lineshaft plan --graph > pipeline.mmd",
    ),
)
@with_files
@click.option("--graph", is_flag=True, help="Draw a Mermaid flowchart in place of the tree.")
@click.option(
    "--format",
    "--output",
    "output",
    type=click.Choice([choice.value for choice in Output]),
    default=Output.TEXT.value,
    show_default=True,
    help="Who reads it: people (text) or programs (json).",
)
@with_start
@with_event
@with_dialect
@pass_invocation
def plan(
    invocation: Invocation,
    *,
    files: tuple[str, ...],
    graph: bool,
    output: str,
    start: Start,
    cause: "Cause",
    dialect: "Dialect | None",
) -> None:
    """Tell what a run would do, without one: the nodes in their order, which are skipped, and why.

    Branch, commit and changed paths are those of the git repository that the file is in, with what is not
    committed, unless --ref or --changed say others. What depends on how nodes end is decided later.
    """
    from lineshaft.cli.definition_file import open_definition, read_definitions

    if graph and output == Output.JSON:
        raise click.UsageError("Choose one of --graph and --format json.")
    shape = _Shape.GRAPH if graph else _Shape.JSON if output == Output.JSON else _Shape.TREE
    for name in pipeline_files(files):
        invocation.source = text = open_definition(name)
        definitions = read_definitions(text, dialect, start.overrides).definitions
        invocation.source = None  # What is wrong from now on stands in no file.
        source = _source(name, start)
        for definition in definitions:
            _show(definition, source, start, cause, shape)


def _source(name: str, start: Start) -> "Source":
    from lineshaft.cli.checkout import Checkout
    from lineshaft.model.run import Source

    folder = folder_of(name)
    checkout = Checkout.at(folder, start.ref) if start.ref else Checkout.around(folder)
    return checkout.source(start.changed) if checkout else Source("", changeset=start.changed)


def _show(definition: "Definition", source: "Source", start: Start, cause: "Cause", shape: _Shape) -> None:
    from lineshaft.cli.mermaid import mermaid_text
    from lineshaft.cli.plan_tree import decision_of, plan_document, plan_tree, planned_nodes
    from lineshaft.definition import resolve_inputs
    from lineshaft.engine.starting import selected_nodes
    from lineshaft.model.state import State
    from lineshaft.services.planning import PlannedDecision
    from lineshaft.services.planning import plan as planned

    tree = definition.tree
    found = planned(definition, resolve_inputs(definition, start.inputs), source, cause)
    left_out: set[str] = set()
    if start.only or start.from_ is not None:
        chosen = selected_nodes(tree, start.only, start.from_)
        left_out |= {each.path for each in tree.below_root() if chosen[each.index].state is State.SKIPPED}
    match shape:
        case _Shape.TREE:
            out = console(sys.stdout)
            out.print(plan_tree(found, left_out, ascii_only=out.options.ascii_only))
        case _Shape.JSON:
            print_json(plan_document(found, left_out))
        case _Shape.GRAPH:
            skipped = (
                tree.find(node.path)
                for node in planned_nodes(found)
                if decision_of(node, left_out) is PlannedDecision.SKIPPED
            )
            click.echo(mermaid_text(tree, {place.index for place in skipped if place is not None}), nl=False)
        case _:
            assert_never(shape)
