"""Nodes that a task wrote while its run went on."""

import json
from typing import Any

from lineshaft.definition.compiling.around import Around, Keys
from lineshaft.definition.compiling.checked import checked
from lineshaft.definition.compiling.compiler import NODES_LIMIT, Compiler
from lineshaft.definition.compiling.fragment import Fragment
from lineshaft.definition.compiling.level import Level
from lineshaft.definition.compiling.library import uses
from lineshaft.definition.compiling.origin import Site, Source
from lineshaft.definition.compiling.references import check_references
from lineshaft.definition.compiling.usage import check_usage
from lineshaft.definition.native.document import StepsDocument
from lineshaft.definition.native.reader import read_steps_text
from lineshaft.model.definition import Definition
from lineshaft.model.node import Group, Task
from lineshaft.model.retry import Retry
from lineshaft.model.tree import Place, Tree


def read_generated(text: str, definition: Definition, tree: Tree, index: int) -> Group:
    """Read nodes that a task generated.

    They take `env`, `labels`, `environment` and `retry` of that task, and the pipeline's defaults; their
    expressions see what the task's see.

    Args:
        text: YAML or JSON: a list of nodes, or the keys of a group.
        definition: of the run.
        tree: the run's nodes as they are.
        index: of the group that the nodes are to join, which `generates` them.

    Returns:
        A group with the order and the children that that group is to have.

    Raises:
        InvalidDefinitionError: the text breaks rules of the language; with all that is wrong.
        InputTooLargeError: it is over one of the limits of a definition, with the nodes that are there.
    """
    place = tree[index]
    value, findings = read_steps_text(text)
    keys = checked(StepsDocument, value, findings)
    if keys is None:
        raise findings.error()
    site = Site(Source(findings))
    around = _around(definition, place, site)
    _check_place(keys, place, site)
    nothing = {path: Fragment({"steps": []}) for path in _refused_uses(keys, site)}
    if check_usage(keys, site, nothing):
        depth = place.path.count("/") + 2 if place.path else 1
        compiler = Compiler(nothing, nodes_limit=NODES_LIMIT - len(tree) + 1, depth=depth, traced=True)
        body = compiler.whole(place.node.name, keys, around)
        check_references(tree.grown(index, body), compiler.origins)
        if not findings:
            return body
    raise findings.error()


def _check_place(keys: Keys, place: Place, site: Site) -> None:
    """Check what is different for generated nodes, because the group that they join is there already."""
    for hook in ("setup", "teardown"):
        if hook in keys:
            advice = "put the nodes into a group, and give it to that"
            site.at(hook).wrong("has no place around generated nodes", advice=advice)
    maker = _maker(place)
    for number, step in enumerate(keys["steps"]):
        if step["name"] == maker.name:
            message = f"is the name of the task that generates the nodes, {maker.name}"
            site.at("steps", number, "name").wrong(message, advice="give it another name")


def _refused_uses(keys: Keys, site: Site) -> set[str]:
    """Refuse every `use`, and name what would have been used."""
    refused = set()
    for path, at in uses(keys, site):
        at.wrong("has no place in generated nodes", advice="write the nodes themselves")
        refused.add(path)
    return refused


def _around(definition: Definition, place: Place, site: Site) -> Around:
    document: dict[str, Any] = json.loads(definition.text)
    maker = _maker(place)
    level = Level(
        defaults=document.get("defaults"),
        env=maker.surroundings.env,
        labels=maker.surroundings.labels,
        secrets=tuple(document.get("secrets", ())),
        environment=maker.surroundings.environment,
        id_tokens=document.get("id_tokens"),
        source=document.get("source"),
        retry=None if maker.retry is None else _keys(maker.retry),
    )
    bindings = place.node.bindings
    inputs = [each.name for each in definition.inputs]
    if bindings is not None and bindings.inputs is not None:
        inputs = list(bindings.inputs)
    axes = frozenset(bindings.matrix) if bindings else frozenset[str]()
    return Around(level, bindings, site, inputs=frozenset(inputs), axes=axes)


def _maker(place: Place) -> Task:
    group = place.node
    if not isinstance(group, Group) or not isinstance(group.setup, Task) or group.generates is None:
        raise ValueError(f"node {place.index} generates nothing")
    return group.setup


def _keys(retry: Retry) -> dict[str, Any]:
    return {
        "count": retry.count,
        "backoff": retry.backoff.total_seconds(),
        "on": [*sorted(retry.states), *sorted(retry.exit_codes)],
    }
