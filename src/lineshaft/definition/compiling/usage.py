"""The rules for what makes several nodes of one: matrices, and fragments where they are used."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from lineshaft.definition.compiling.around import Keys
from lineshaft.definition.compiling.canonical import inputs_of
from lineshaft.definition.compiling.fragment import Fragment
from lineshaft.definition.compiling.inputs import misfit
from lineshaft.definition.compiling.library import nodes_with
from lineshaft.definition.compiling.matrix import TooManyCombinationsError, combination_name, combinations
from lineshaft.definition.compiling.origin import Site
from lineshaft.definition.findings import shown
from lineshaft.definition.native.shape import nearest
from lineshaft.definition.native.value import Name
from lineshaft.expression import has_expressions

_NAME: Final = TypeAdapter(Name)


def check_usage(keys: Keys, site: Site, fragments: Mapping[str, Fragment]) -> bool:
    """Check the matrices of a document and its fragments, and what fragments are given.

    Returns:
        Whether nodes can be made of it.
    """
    sound = True
    documents = [(keys, site), *((each.keys, each.site) for each in fragments.values())]
    for document, place in documents:
        for node, at in nodes_with(("matrix", "use"), document, place) if place is not None else ():
            if "matrix" in node:
                sound &= _check_matrix(node["matrix"], at.at("matrix"))
            if "use" in node and fragments[node["use"]].site is not None:
                _check_use(node, at, fragments[node["use"]])
    return sound


def _check_matrix(matrix: Keys, site: Site) -> bool:
    try:
        found = combinations(matrix)
    except TooManyCombinationsError as error:
        site.wrong(str(error), advice="make some of its axes shorter, or leave more out")
        return False
    if not found:
        site.wrong("has no combination left", advice="exclude fewer")
    _check_values(matrix, site)
    names: dict[str, Any] = {}
    for combination in found:
        name = combination_name(combination)
        if names.setdefault(name, combination) is not combination:
            site.wrong(f"has two combinations of one name, {shown(name)}", advice="make their values differ")
        elif not _is_name(name):
            site.wrong(f"names a node {shown(name)}, which is no name", advice="use other values")
    return True


def _check_values(matrix: Keys, site: Site) -> None:
    for axis, values in matrix.items():
        rows = values if axis in {"include", "exclude"} else [dict(enumerate(values))]
        for index, row in enumerate(rows):
            for key, value in row.items():
                if isinstance(value, str) and has_expressions(value):
                    place = site.at(axis, index, key) if rows is values else site.at(axis, key)
                    advice = "write the values out, or have a task write the nodes with `generates`"
                    place.wrong("must hold no expression, because nodes are named by it", advice=advice)


def _is_name(name: str) -> bool:
    try:
        _NAME.validate_python(name)
    except ValidationError:
        return False
    return True


def _check_use(node: Keys, site: Site, fragment: Fragment) -> None:
    for hook in ("setup", "teardown"):
        if hook in node and hook in fragment.keys:
            message = f"stands beside the {hook} of the fragment"
            site.at(hook).wrong(message, advice="put this node into a group, and give that the " + hook)
    asked = {each.name: each for each in inputs_of(fragment.keys)}
    given = node.get("with", {})
    for name, value in given.items():
        place = site.at("with", name)
        if name not in asked:
            known = f"it has {', '.join(asked)}" if asked else "it has none"
            place.wrong_key("is no input of the fragment", advice=nearest(name, list(asked)) or known)
        elif not (isinstance(value, str) and has_expressions(value)):
            problem = misfit(asked[name], value)
            if problem:
                place.wrong(problem)
    missing = [each.name for each in asked.values() if each.required and each.name not in given]
    if missing:
        site.at("use").wrong(
            f"is not given what it asks for: {', '.join(missing)}",
            advice=f"give it `with: {{{missing[0]}: ...}}`",
        )
