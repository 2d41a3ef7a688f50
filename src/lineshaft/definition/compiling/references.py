"""Expressions: read, and held against what they can know at their place."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from lineshaft.definition.compiling.around import Aspect, Keys, Origin
from lineshaft.definition.compiling.origin import Site
from lineshaft.definition.compiling.standing import Standing, Surveyor
from lineshaft.definition.findings import shown
from lineshaft.definition.native.shape import nearest
from lineshaft.expression import has_expressions, parse, parse_template
from lineshaft.expression.token import Kind, Token, tokens
from lineshaft.model.errors import ExpressionError
from lineshaft.model.tree import Place, Tree

_NODE_FUNCTIONS: Final = frozenset({"state", "succeeded", "failed"})
_ATTRIBUTES: Final = frozenset({"inputs", "matrix", "outputs"})
_TEMPLATED: Final = (
    "env", "cwd", "image", "services", "results", "artifacts", "cache", "exec", "build", "deploy", "builder",
    "with",
)  # fmt: skip
_WHERE_PLAIN: Final = ("name", "labels", "secrets", "shell", "generates", "pipeline", "use")


@dataclass(frozen=True, slots=True)
class Reference:
    """Something that an expression names.

    Attributes:
        of: `inputs`, `matrix`, `outputs`, or a function that asks for a node.
        name: the input, axis or node.
        start: where it begins in the expression.
        end: where it ends.
    """

    of: str
    name: str
    start: int
    end: int


def check_references(tree: Tree, origins: Mapping[int, list[Origin]], *, whole: bool = True) -> None:
    """Check every expression of a tree: whether it can be read, and what it names.

    Args:
        tree: the nodes.
        origins: what they were written as.
        whole: whether all nodes are in the tree; else names that are not found are let pass.
    """
    checker = _Checker(Surveyor(tree), whole=whole)
    seen: set[tuple[int, Aspect, int]] = set()
    for place in tree.places:
        for origin in origins.get(id(place.node), ()):
            # What stands there many times for a matrix sees the same each time.
            known = (id(origin.keys), origin.aspect, _use_of(origin))
            if origin.aspect and known not in seen:
                seen.add(known)
                checker.check(place, origin)


def _use_of(origin: Origin) -> int:
    bindings = origin.around.bindings
    return id(bindings.outer) if bindings else 0


class _Checker:
    """Checks one tree."""

    def __init__(self, surveyor: Surveyor, *, whole: bool) -> None:
        self._surveyor = surveyor
        self._whole = whole

    def check(self, place: Place, origin: Origin) -> None:
        """Check the expressions of a node."""
        site = origin.around.site
        if site is None:
            return
        keys, aspect = origin.keys, origin.aspect
        if Aspect.CONDITION in aspect and "if" in keys:
            self._expression(keys["if"], 0, keys["if"], place, origin, site.at("if"))
        if aspect & (Aspect.WORK | Aspect.GIVEN):
            self._templates(keys, _TEMPLATED, place, origin, site)
        if Aspect.WORK in aspect or Aspect.GIVEN in aspect:
            _refuse(keys, site)
        if Aspect.WHOLE in aspect:
            self._templates(keys, ("env",), place, origin, site)
            self._templates(keys.get("defaults", {}), _TEMPLATED, place, origin, site.at("defaults"))
            self._templates(keys.get("concurrency", {}), ("group",), place, origin, site.at("concurrency"))
            self._outputs(keys.get("outputs", {}), place, origin, site.at("outputs"))

    def _templates(
        self, keys: Keys, which: tuple[str, ...], place: Place, origin: Origin, site: Site
    ) -> None:
        for key in which:
            if key in keys:
                for text, at in _texts(keys[key], site.at(key)):
                    self._template(text, place, origin, at)

    def _outputs(self, outputs: Mapping[str, str], place: Place, origin: Origin, site: Site) -> None:
        for name, text in outputs.items():
            self._template(text, place, origin, site.at(name), at_end=True)

    def _template(self, text: str, place: Place, origin: Origin, site: Site, *, at_end: bool = False) -> None:
        try:
            template = parse_template(text)
        except ExpressionError as error:
            _misread(error, text, 0, text, site)
            return
        at = 0
        for expression in template.expressions:
            at = text.index(expression.text, at)
            self._names(expression.text, at, text, place, origin, site, at_end=at_end)

    def _expression(
        self, text: str, offset: int, whole: str, place: Place, origin: Origin, site: Site
    ) -> None:
        try:
            parse(text)
        except ExpressionError as error:
            _misread(error, text, offset, whole, site)
            return
        self._names(text, offset, whole, place, origin, site)

    def _names(
        self,
        text: str,
        offset: int,
        whole: str,
        place: Place,
        origin: Origin,
        site: Site,
        *,
        at_end: bool = False,
    ) -> None:
        for reference in references(text):
            found = self._problem(reference, place, origin, at_end=at_end)
            if found is not None:
                message, advice = found
                within = (whole, offset + reference.start, offset + reference.end)
                site.wrong(message, advice=advice, within=within)

    def _problem(
        self, reference: Reference, place: Place, origin: Origin, *, at_end: bool
    ) -> tuple[str, str] | None:
        match reference.of:
            case "inputs":
                return _unknown("input", reference.name, origin.around.inputs)
            case "matrix":
                return _unknown("axis of a matrix around it", reference.name, origin.around.axes)
            case _:
                return self._node_problem(reference.name, place, at_end=at_end)

    def _node_problem(self, name: str, place: Place, *, at_end: bool) -> tuple[str, str] | None:
        target = self._surveyor.find(place, name)
        if target is None:
            if not self._whole:
                return None
            return f"names no node: {shown(name)}", nearest(name, self._surveyor.visible(place))
        standing = Standing.BEFORE if at_end else self._surveyor.standing(place, target)
        match standing:
            case Standing.BEFORE:
                return None
            case Standing.AROUND:
                return f"asks for {shown(name)}, in which it stands itself", ""
            case Standing.WITHIN:
                return f"asks for {shown(name)}, which is a part of it", ""
            case Standing.BESIDE:
                advice = "put it into an earlier step, or say `needs`"
                return f"asks for {shown(name)}, which may run at the same time", advice
            case Standing.BEHIND:
                return f"asks for {shown(name)}, which comes later", "put it before this node"


def _refuse(keys: Keys, site: Site) -> None:
    """Refuse expressions where values are wanted that are known before anything runs."""
    for key in _WHERE_PLAIN:
        for text, at in _texts(keys.get(key), site.at(key)):
            if has_expressions(text):
                at.wrong("must hold no expression: it is wanted before one can be evaluated")


def _texts(value: Any, site: Site) -> Iterator[tuple[str, Site]]:
    """List the texts in a value in which expressions stand."""
    stack = [(value, site)]
    while stack:
        inner, at = stack.pop()
        match inner:
            case str():
                if has_expressions(inner):
                    yield inner, at
            case Mapping():
                stack += [(each, at.at(key)) for key, each in inner.items()]
            case list():
                stack += [(each, at.at(index)) for index, each in enumerate(inner)]
            case _:
                pass


def _misread(error: ExpressionError, text: str, offset: int, whole: str, site: Site) -> None:
    at = offset + min(error.offset or 0, len(text))
    word = next((token for token in tokens(whole, at) if token.offset == at), None)
    end = at + len(word.text) if word else min(at + 1, len(whole))
    message = error.message.rstrip(".")
    site.wrong(f"holds an expression that is wrong: {message}", within=(whole, at, end))


def _unknown(kind: str, name: str, known: frozenset[str]) -> tuple[str, str] | None:
    if name in known:
        return None
    there = f"there are {', '.join(sorted(known))}" if known else "there is none"
    return f"names no {kind}: {shown(name)}", nearest(name, sorted(known)) or there


@lru_cache(maxsize=1024)
def references(text: str) -> tuple[Reference, ...]:
    """List the inputs, axes and nodes that an expression names, where they are written out."""
    row = list(tokens(text))
    return tuple(found for index in range(len(row)) if (found := _reference(row, index)) is not None)


def _reference(row: list[Token], index: int) -> Reference | None:
    token = row[index]
    if token.kind is not Kind.NAME or index + 2 >= len(row) or (index and row[index - 1].text == "."):
        return None
    sign, named = row[index + 1].text, row[index + 2]
    if token.text in _ATTRIBUTES and sign == "." and named.kind is Kind.NAME:
        return Reference(token.text, named.text, named.offset, named.offset + len(named.text))
    opens = (token.text in _ATTRIBUTES and sign == "[") or (token.text in _NODE_FUNCTIONS and sign == "(")
    if opens and named.kind is Kind.STRING and named.text[0] in "\"'" and "\\" not in named.text:
        name = named.text[1:-1]
        return Reference(token.text, name, named.offset + 1, named.offset + 1 + len(name))
    return None
