"""What only a server has, and pipelines that run here without one cannot use: drivers of one's own."""

from collections import deque
from collections.abc import Iterable, Sequence

from lineshaft.cli.start import Start
from lineshaft.expression import has_expressions
from lineshaft.model.definition import Definition
from lineshaft.model.errors import InvalidInputError
from lineshaft.model.node import Task
from lineshaft.model.tree import Place
from lineshaft.model.work import DriverWork, PipelineWork, Work


def places_to_run(definition: Definition, start: Start) -> tuple[Place, ...]:
    """List the nodes of a pipeline that a run which begins so may come to.

    Raises:
        NodeNotFoundError: there is no such node to run, or to begin from.
    """
    from lineshaft.engine.starting import selected_nodes

    tree = definition.tree
    if not start.only and start.from_ is None:
        return tree.places
    nodes = selected_nodes(tree, start.only, start.from_)
    return tuple(place for place in tree.places if not nodes[place.index].state.ended)


def refuse_drivers(definitions: Sequence[Definition], called: Iterable[Definition], start: Start) -> None:
    """Refuse pipelines with tasks for drivers, since nobody is here to take them.

    Args:
        definitions: the pipelines to run.
        called: those that they may call.
        start: how the first begin.

    Raises:
        InvalidInputError: they, or what they call, have such a task.
        NodeNotFoundError: there is no such node to run, or to begin from.
    """
    by_name: dict[str, list[Definition]] = {}
    for definition in called:
        by_name.setdefault(definition.name, []).append(definition)
    found = deque(
        (definition, work) for definition in definitions for work in _works(places_to_run(definition, start))
    )
    while found:
        definition, work = found.popleft()
        if isinstance(work, DriverWork):
            raise InvalidInputError(
                f"'{definition.name}' has a task for the driver '{work.driver}', which works for servers.",
                advice="Start one with `lineshaft up`, and run the pipeline there: `lineshaft trigger`.",
            )
        if isinstance(work, PipelineWork):
            # Which one a template names, nobody knows before it runs.
            names = list(by_name) if has_expressions(work.pipeline) else [work.pipeline]
            inner = [each for name in names for each in by_name.pop(name, ())]
            found.extend((each, work) for each in inner for work in _works(each.tree.places))


def _works(places: Iterable[Place]) -> list[Work]:
    return [place.node.work for place in places if isinstance(place.node, Task)]
