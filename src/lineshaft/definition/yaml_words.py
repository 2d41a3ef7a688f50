"""What is wrong with a text that is not YAML, in words for those who wrote it."""

import re
from typing import Final

import yaml

from lineshaft.definition.findings import Findings, shown
from lineshaft.definition.position import Span
from lineshaft.model.errors import InvalidDefinitionError

_TAB: Final = ("is indented with a tab", "indent with spaces")
_COLON: Final = (
    "has a `:` where no key can stand",
    "check the indentation, and put a value that holds `: ` in quotes",
)
_INDENTATION: Final = (
    "is indented like no line before it, or mixes `- ` items with keys",
    "give all items of a list, and all keys of a node, the same indentation",
)
_OPEN_QUOTE: Final = ("has a quote that is never closed", "close it, or put the whole value in other quotes")
_OPEN_LIST: Final = ("has a `[` that is not closed before this", "close it with `]`")
_OPEN_OBJECT: Final = ("has a `{` that is not closed before this", "close it with `}`")
_NAMELESS: Final = (
    "has a `*` or `&` with no name behind it",
    "put a value that begins with `*` or `&` in quotes",
)
_SECOND: Final = ("holds more than one document", "keep one document in a file")
_TAG: Final = ("has a tag that is not known", "put a value that begins with `!` in quotes")
_ESCAPE: Final = (
    "has an escape that YAML does not know",
    "write a backslash in double quotes as `\\\\`, or use single quotes",
)

_KNOWN: Final = (
    (r"tab character", _TAB),
    (r"mapping values are not allowed", _COLON),
    (r"did not find expected (key|'-' indicator)|expected <block end>", _INDENTATION),
    (r"while scanning a quoted scalar.*end of stream", _OPEN_QUOTE),
    (r"expected ',' or '\]'", _OPEN_LIST),
    (r"expected ',' or '\}'", _OPEN_OBJECT),
    (r"while scanning an (alias|anchor)", _NAMELESS),
    (r"expected '?<document start>", _SECOND),
    (r"undefined tag handle|while scanning a tag", _TAG),
    (r"escape c", _ESCAPE),
)


def syntax_problem(error: yaml.MarkedYAMLError, findings: Findings) -> InvalidDefinitionError:
    """Make the error for a text at which the parser gave up.

    Args:
        error: what the parser says.
        findings: what was found before; it becomes part of the error.
    """
    text = findings.positions.text
    mark = error.problem_mark or error.context_mark
    at = min(mark.index, len(text)) if mark else 0
    said = f"{error.context or ''}: {error.problem or ''}"
    message, advice = _words(said, text[at : at + 1], str(error.problem))
    if (message, advice) == _OPEN_QUOTE and error.context_mark:
        at = error.context_mark.index
    findings.add((), message, advice=advice, span=Span(at, at + 1))
    return findings.error()


def _words(said: str, character: str, problem: str) -> tuple[str, str]:
    if "cannot start any token" in said:
        if character == "\t":
            return _TAB
        return f"has a value that begins with {shown(character)}", "put the value in quotes"
    for pattern, words in _KNOWN:
        if re.search(pattern, said):
            return words
    return f"is not YAML: {problem}", ""
