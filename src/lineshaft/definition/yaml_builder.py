"""Values put together from the events of a YAML parser, with a stack of its own."""

from typing import Any, Final

import yaml

from lineshaft.definition.findings import Findings, shown
from lineshaft.definition.position import Path, Span
from lineshaft.definition.scalar import NULLS, UnfitNumberError, plain_scalar
from lineshaft.definition.yaml_position import Member, Members
from lineshaft.model.errors import InputTooLargeError, Problem

VALUES_LIMIT: Final = 200_000
"""How many values a text may expand to: scalars, lists and objects, each alias counted in full."""

NESTING_LIMIT: Final = 100
"""How many lists and objects may lie within each other, the outermost included."""

_Event = Any
"""An event of the parser; the library's types allow events without marks, the parser makes none."""

_TAG: Final = "tag:yaml.org,2002:"
_SCALAR_TYPES: Final[dict[str, tuple[type, ...]]] = {
    f"{_TAG}null": (type(None),),
    f"{_TAG}bool": (bool,),
    f"{_TAG}int": (int,),
    f"{_TAG}float": (int, float),
}


class _Built:
    """A value that is complete: what an anchor keeps and an alias repeats."""

    __slots__ = ("height", "members", "scalar", "size", "value")

    def __init__(self, value: Any, members: Members | None, size: int, height: int, scalar: str = "") -> None:
        self.value = value
        self.members = members
        self.size = size
        self.height = height
        self.scalar = scalar


class _Open:
    """A list or object whose end has not come yet.

    `awaiting` says whether the next value is a key; `key` is None while the value behind it is to be dropped.
    """

    __slots__ = (
        "anchor",
        "awaiting",
        "height",
        "key",
        "key_end",
        "key_start",
        "members",
        "merged",
        "merging",
        "size",
        "start",
        "value",
    )

    def __init__(self, value: dict[str, Any] | list[Any], start: int, anchor: str | None) -> None:
        self.value = value
        self.members: Members = {}
        self.start = start
        self.anchor = anchor
        self.size = 1
        self.height = 0
        self.awaiting = isinstance(value, dict)
        self.key: str | None = None
        self.key_start = self.key_end = start
        self.merging = False
        self.merged: _Built | None = None


class Builder:
    """Takes the events of one text, one after the other.

    What is wrong but can be passed over goes to the findings; what cannot is raised at once.
    """

    def __init__(self, findings: Findings) -> None:
        """Begin with nothing."""
        self._findings = findings
        self._root = _Open([], 0, None)
        self._stack = [self._root]
        self._anchors: dict[str, _Built] = {}
        self._values = 0
        self._documents = 0
        self._take: Final = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._begin_object,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceStartEvent: self._begin_list,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }

    def take(self, event: yaml.Event) -> None:
        """Take the next event.

        Raises:
            InvalidDefinitionError: a second document begins.
            InputTooLargeError: the values become too many, or too deep.
        """
        take: Any = self._take.get(type(event))
        if take is not None:
            take(event)

    def document(self) -> tuple[Any, Member]:
        """Return what the document says, and where.

        Raises:
            InvalidDefinitionError: there was none.
        """
        if not self._documents:
            self._findings.add((), "is empty; a definition is an object", span=Span(0, 0))
            raise self._findings.error()
        return self._root.value[0], self._root.members[0]  # type: ignore[index]

    def _document(self, event: _Event) -> None:
        self._documents += 1
        if self._documents > 1:
            self._wrong("holds more than one document", event, advice="keep one document in a file", path=())
            raise self._findings.error()

    def _scalar(self, event: _Event) -> None:
        self._count(1, event)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Built(self._value(event), None, 1, 0, event.value)
        frame = self._stack[-1]
        if frame.awaiting:
            self._key(frame, event)
        else:
            self._put(frame, _Built(self._value(event), None, 1, 0), event)

    def _value(self, event: _Event) -> Any:
        text: str = event.value
        try:
            if event.implicit[0] and event.tag is None:
                return plain_scalar(text)
            if event.tag not in {None, "!", f"{_TAG}str"}:
                return self._tagged(event)
        except UnfitNumberError as error:
            self._wrong(str(error), event)
            return 1
        if "\0" in text:
            self._wrong("must hold no NUL character", event)
        return text

    def _tagged(self, event: _Event) -> Any:
        types = _SCALAR_TYPES.get(event.tag)
        if types is None:
            self._unknown_tag(event)
            return event.value
        value = plain_scalar(event.value)
        if not isinstance(value, types) or isinstance(value, bool) is not (types == (bool,)):
            self._wrong(f"is not what its tag says, {shown(event.tag.removeprefix(_TAG))}", event)
        return value

    def _key(self, frame: _Open, event: _Event) -> None:
        plain = event.implicit[0]
        frame.merging = plain and event.value == "<<"
        self._begin_member(frame, event.value, event)
        if plain and event.value in NULLS:
            self._wrong(
                "has a key that is not text", event, advice="put it in quotes", path=self._path()[:-1]
            )
            frame.key = None

    def _begin_member(self, frame: _Open, key: str, event: _Event) -> None:
        frame.awaiting = False
        frame.key = key
        frame.key_start, frame.key_end = event.start_mark.index, event.end_mark.index
        if key in frame.members:
            line, _ = self._findings.positions.line_and_column(frame.members[key].key_start)
            self._wrong(f"is given more than once, first in line {line:,}", event, advice="give it once")

    def _put(self, frame: _Open, built: _Built, event: _Event, start: int | None = None) -> None:
        """Give the innermost open list or object a value that is complete."""
        begins = event.start_mark.index if start is None else start
        frame.size += built.size
        frame.height = max(frame.height, built.height)
        if frame.awaiting:
            frame.awaiting = False
            frame.key = None
            span = Span(begins, event.end_mark.index)
            self._findings.add(self._path(), "has a key that is not text", span=span)
            return
        if isinstance(frame.value, list):
            member = Member(begins, event.end_mark.index, begins, event.end_mark.index, built.members)
            frame.members[len(frame.value)] = member
            frame.value.append(built.value)
            return
        frame.awaiting = True
        if frame.merging:
            self._merge(frame, built, event, Span(begins, event.end_mark.index))
        elif frame.key is not None:
            frame.value[frame.key] = built.value
            frame.members[frame.key] = Member(
                frame.key_start, frame.key_end, begins, event.end_mark.index, built.members
            )
        frame.merging = False

    def _merge(self, frame: _Open, built: _Built, event: _Event, span: Span) -> None:
        sources = built.value if isinstance(built.value, list) else [built.value]
        if frame.merged is not None or not all(isinstance(source, dict) for source in sources):
            message = "must be one object, or a list of objects, to take keys from"
            self._findings.add(self._path(), message, span=span)
        else:
            frame.merged = built
            self._count(built.size, event)

    def _begin_object(self, event: _Event) -> None:
        self._begin({}, event, "map")

    def _begin_list(self, event: _Event) -> None:
        self._begin([], event, "seq")

    def _begin(self, value: dict[str, Any] | list[Any], event: _Event, kind: str) -> None:
        self._count(1, event)
        if event.tag not in {None, "!", f"{_TAG}{kind}"}:
            self._unknown_tag(event)
        self._refuse_deeper(len(self._stack), event)
        if event.anchor is not None:
            # From here on the name means this value, which cannot be repeated before it is complete.
            self._anchors.pop(event.anchor, None)
        # A block begins where its first item does; libyaml marks an anchor or tag before it apart.
        self._stack.append(_Open(value, event.start_mark.index, event.anchor))

    def _end(self, event: _Event) -> None:
        closed = self._stack.pop()
        if closed.merged is not None:
            _take_over(closed, closed.merged)
        built = _Built(closed.value, closed.members, closed.size, closed.height + 1)
        if closed.anchor is not None:
            self._anchors[closed.anchor] = built
        self._put(self._stack[-1], built, event, closed.start)

    def _alias(self, event: _Event) -> None:
        frame = self._stack[-1]
        built = self._anchors.get(event.anchor)
        if built is None:
            within = any(opened.anchor == event.anchor for opened in self._stack)
            why = "stands within what it repeats" if within else "repeats what is not there before it"
            self._wrong(f"{why}: `*{event.anchor}`", event)
            built = _Built(None, None, 1, 0)
        self._count(built.size, event)
        self._refuse_deeper(len(self._stack) - 1 + built.height, event)
        if frame.awaiting and built.members is None:
            self._begin_member(frame, built.scalar, event)
        else:
            self._put(frame, built, event)

    def _count(self, values: int, event: _Event) -> None:
        self._values += values
        if self._values > VALUES_LIMIT:
            raise self._too_large(f"A YAML text expands to at most {VALUES_LIMIT:,} values.", event)

    def _refuse_deeper(self, depth: int, event: _Event) -> None:
        if depth > NESTING_LIMIT:
            limit = f"A definition nests objects and lists at most {NESTING_LIMIT} deep"
            raise self._too_large(f"{limit}; this one goes deeper.", event)

    def _too_large(self, message: str, event: _Event) -> InputTooLargeError:
        line, column = self._findings.positions.line_and_column(event.start_mark.index)
        here = f"goes over a limit here: {message[:1].lower()}{message[1:].rstrip('.')}"
        return InputTooLargeError(message, problems=[Problem("", here, line, column)])

    def _unknown_tag(self, event: _Event) -> None:
        advice = "leave it out, or put a value that begins with `!` in quotes"
        self._wrong(f"has a tag that is not known: {shown(event.tag)}", event, advice=advice)

    def _wrong(self, message: str, event: _Event, *, advice: str = "", path: Path | None = None) -> None:
        span = Span(event.start_mark.index, event.end_mark.index)
        self._findings.add(self._path() if path is None else path, message, advice=advice, span=span)

    def _path(self) -> Path:
        """Tell the path of the value that comes next."""
        path: list[str | int] = []
        for frame in self._stack[1:]:
            if isinstance(frame.value, list):
                path.append(len(frame.value))
            elif frame.key is not None:
                path.append(frame.key)
        return tuple(path)


def _take_over(frame: _Open, merged: _Built) -> None:
    """Give an object the keys that it merges; its own, and those of earlier sources, come first."""
    sources = [(merged.value, merged.members)]
    if isinstance(merged.value, list):
        members = merged.members or {}
        sources = [(source, members[index].members) for index, source in enumerate(merged.value)]
    for value, places in sources:
        for key, inner in value.items():
            if key not in frame.value:
                frame.value[key] = inner
                frame.members[key] = places[key]  # type: ignore[index]
