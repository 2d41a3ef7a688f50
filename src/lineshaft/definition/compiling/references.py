"""Expressions: read, and held against what they can know at their place."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from lineshaft.definition.compiling.around import GROUP, TASK, Aspect, Keys, Origin
from lineshaft.definition.compiling.level import holds_templates
from lineshaft.definition.compiling.origin import Site
from lineshaft.definition.compiling.standing import Standing, Surveyor
from lineshaft.definition.compiling.upstreams import UPSTREAM
from lineshaft.definition.findings import shown
from lineshaft.definition.native.shape import nearest
from lineshaft.expression import has_expressions, parse, parse_template
from lineshaft.expression.token import Kind, Token, tokens
from lineshaft.model.errors import ExpressionError
from lineshaft.model.node import Node, Task
from lineshaft.model.placement import MOST_LABELS
from lineshaft.model.tree import Place, Tree

_NODE_FUNCTIONS: Final = frozenset({"state", "succeeded", "failed"})
_ATTRIBUTES: Final = frozenset({"inputs", "matrix", "outputs", "run"})
_KNOWN_AT_THE_END: Final = frozenset({"state", "reason", "url"})
"""What `run` holds only when the run has ended."""
_TEMPLATED: Final = (
    "env", "labels", "cwd", "image", "services", "registries", "results", "artifacts", "cache",
    "exec", "build", "deploy", "builder", "pipeline", "with",
)  # fmt: skip
_WITH_CONDITION: Final = frozenset({TASK, GROUP, Aspect.CONDITION})
_WITH_TEMPLATES: Final = frozenset({TASK, GROUP, Aspect.WORK})
_WHERE_PLAIN: Final = (
    "name", "environment", "secrets", "id_tokens", "shell", "generates", "use", "ssh", "pull", "callable_by",
    "metadata",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reference:
    """Something that an expression names.

    Attributes:
        of: `inputs`, `matrix`, `outputs`, `run`, or a function that asks for a node.
        name: the input, axis, node or attribute of the run.
        start: where it begins in the expression.
        end: where it ends.
    """

    of: str
    name: str
    start: int
    end: int


def check_references(tree: Tree, origins: Mapping[int, list[Origin]]) -> None:
    """Check every expression of a tree: whether it can be read, and what it names.

    Args:
        tree: the nodes.
        origins: what they were written as; nodes without any are not checked.
    """
    checker = _Checker(Surveyor(tree))
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
    return id(bindings.inputs) if bindings else 0


@dataclass(frozen=True, slots=True)
class _Text:
    """A text in which expressions stand.

    Attributes:
        text: all of it.
        site: where it stands.
        origin: whose it is.
        place: where that is in the tree.
        at_end: whether it is evaluated when all nodes have ended.
        behind_end: whether it is evaluated when the run has ended, too.
    """

    text: str
    site: Site
    origin: Origin
    place: Place
    at_end: bool = False
    behind_end: bool = False


class _Checker:
    """Checks one tree."""

    def __init__(self, surveyor: Surveyor) -> None:
        self._surveyor = surveyor

    def check(self, place: Place, origin: Origin) -> None:
        """Check the expressions of a node."""
        site, keys, aspect = origin.around.site, origin.keys, origin.aspect
        if site is None:
            return
        if "if" in keys and aspect in _WITH_CONDITION:
            self._condition(_Text(keys["if"], site.at("if"), origin, place))
        if aspect in _WITH_TEMPLATES:
            _refuse(keys, site)
            self._templates(keys, _TEMPLATED, origin, place, site)
            _count_labels(place.node, site.at("labels") if "labels" in keys else site)
        if aspect is Aspect.WHOLE:
            _refuse(keys, site)
            _refuse(keys.get("defaults", {}), site.at("defaults"))
            self._templates(keys, ("env", "labels"), origin, place, site)
            for key in ("defaults", "concurrency"):
                self._templates(keys.get(key, {}), (*_TEMPLATED, "group"), origin, place, site.at(key))
            for name, text in keys.get("outputs", {}).items():
                self._template(_Text(text, site.at("outputs", name), origin, place, at_end=True))
            for index, notification in enumerate(keys.get("notify", ())):
                self._mail(notification["email"], origin, place, site.at("notify", index, "email"))

    def _templates(
        self, keys: Keys, which: tuple[str, ...], origin: Origin, place: Place, site: Site
    ) -> None:
        for key in which:
            if key in keys:
                for text, at in _texts(keys[key], site, key):
                    self._template(_Text(text, at, origin, place))

    def _mail(self, email: Keys, origin: Origin, place: Place, site: Site) -> None:
        for key in ("subject", "body"):
            if key in email:
                text = _Text(email[key], site.at(key), origin, place, at_end=True, behind_end=True)
                self._template(text)

    def _template(self, text: _Text) -> None:
        try:
            template = parse_template(text.text)
        except ExpressionError as error:
            _misread(error, text)
            return
        at = 0
        for expression in template.expressions:
            at = text.text.index(expression.text, at)
            self._names(text, at, expression.text)

    def _condition(self, text: _Text) -> None:
        try:
            parse(text.text)
        except ExpressionError as error:
            _misread(error, text)
        else:
            self._names(text, 0, text.text)

    def _names(self, text: _Text, offset: int, expression: str) -> None:
        if UPSTREAM in parse(expression).names:
            text.site.wrong(
                f"names `{UPSTREAM}`, which is known in the `inputs` of `on.upstream` alone",
                advice="give it to the run as an input there",
            )
        for reference in references(expression):
            found = self._problem(reference, text)
            if found is not None:
                message, advice = found
                within = (text.text, offset + reference.start, offset + reference.end)
                text.site.wrong(message, advice=advice, within=within)

    def _problem(self, reference: Reference, text: _Text) -> tuple[str, str] | None:
        around = text.origin.around
        match reference.of:
            case "inputs":
                return _unknown("input", reference.name, around.inputs)
            case "matrix":
                return _unknown("axis of a matrix around it", reference.name, around.axes)
            case "run":
                return _unknown_yet(reference.name, text)
            case _:
                return self._node_problem(reference.name, text)

    def _node_problem(self, name: str, text: _Text) -> tuple[str, str] | None:
        target = self._surveyor.find(text.place, name)
        if target is None:
            if text.site.source.findings.full:
                return "", ""
            return f"names no node: {shown(name)}", nearest(name, self._surveyor.visible(text.place))
        standing = self._surveyor.standing(text.place, target)
        if text.at_end or standing is Standing.BEFORE:
            return None
        message, advice = _WORDS[standing]
        return f"asks for {shown(name)}, {message}", advice


_WORDS: Final = {
    Standing.AROUND: ("in which it stands itself", "ask for a node that has ended before"),
    Standing.WITHIN: ("which is a part of it", "ask for a node that has ended before"),
    Standing.BESIDE: ("which may run at the same time", "put it into an earlier step, or say `needs`"),
    Standing.BEHIND: ("which comes later", "put it before this node"),
}


def _refuse(keys: Keys, site: Site) -> None:
    """Refuse expressions where values are wanted that are known before anything runs."""
    for key in _WHERE_PLAIN:
        if key in keys:
            for _, at in _texts(keys[key], site, key):
                at.wrong("must hold no expression: it is wanted before one can be evaluated")


def _count_labels(node: Node, site: Site) -> None:
    """Refuse a task that asks for too many labels, those of the levels around it counted."""
    asked = len(node.surroundings.labels) if isinstance(node, Task) else 0
    if asked > MOST_LABELS:
        message = f"asks for {asked:,} labels, those around it counted, and a task may ask for {MOST_LABELS}"
        site.wrong(message, advice="leave some of them out")


def _texts(value: Any, site: Site, key: str) -> Iterator[tuple[str, Site]]:
    """List the texts in the value of a key in which expressions stand."""
    if not holds_templates(value):
        return
    stack = [(value, site.at(key))]
    while stack:
        inner, at = stack.pop()
        match inner:
            case str():
                if has_expressions(inner):
                    yield inner, at
            case Mapping():
                stack += [(each, at.at(name)) for name, each in inner.items()]
            case list():
                stack += [(each, at.at(index)) for index, each in enumerate(inner)]
            case _:
                pass


def _misread(error: ExpressionError, text: _Text) -> None:
    at = min(error.offset or 0, len(text.text))
    word = next(tokens(text.text, at), None)
    end = at + len(word.text) if word and word.offset == at else min(at + 1, len(text.text))
    message = error.message.rstrip(".")
    text.site.wrong(f"holds an expression that is wrong: {message}", within=(text.text, at, end))


def _unknown_yet(name: str, text: _Text) -> tuple[str, str] | None:
    if text.behind_end or name not in _KNOWN_AT_THE_END:
        return None
    return f"asks for run.{name}, which is known when the run has ended", "it has its place in `notify`"


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
