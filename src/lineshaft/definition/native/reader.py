"""Reading the pipeline language: from a text to a document that keeps all rules, or an error."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from lineshaft.definition.encoded import decoded
from lineshaft.definition.findings import Findings
from lineshaft.definition.json_text import JsonText, read_json
from lineshaft.definition.native.document import FragmentDocument, PipelineDocument, StepsDocument
from lineshaft.definition.native.rules import check_rules
from lineshaft.definition.native.shape import check_shape
from lineshaft.definition.position import Path, Positions, Span
from lineshaft.definition.yaml_builder import NESTING_LIMIT, VALUES_LIMIT
from lineshaft.definition.yaml_text import YamlText, read_yaml
from lineshaft.model.errors import InputTooLargeError, InvalidDefinitionError

_AnyDocument = TypeVar("_AnyDocument", bound=BaseModel)


class Syntax(StrEnum):
    """How a text is written."""

    YAML = "yaml"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class NativeText(Generic[_AnyDocument]):
    """A text of the pipeline language that keeps the rules of its document.

    Attributes:
        document: what it says.
        value: the same as it was written, in dicts, lists and single values; nothing in it may be changed.
        findings: none so far; takes what is found later, in expressions, say, and knows where values stand.
    """

    document: _AnyDocument
    value: Any
    findings: Findings

    @property
    def positions(self) -> Positions:
        """Where the text's values stand."""
        return self.findings.positions


def read_native_document(data: str | bytes, syntax: Syntax | None = None) -> NativeText[PipelineDocument]:
    """Read a pipeline.

    Args:
        data: the text, in UTF-8 where it is bytes.
        syntax: how it is written; None takes a text that begins like a JSON object for one, if it is JSON.

    Raises:
        InvalidDefinitionError: it is no such text, or breaks rules of the language; with all that is wrong.
        InputTooLargeError: it is over one of the limits of a definition.
    """
    return _read(data, syntax, PipelineDocument)


def read_fragment_document(data: str | bytes, syntax: Syntax | None = None) -> NativeText[FragmentDocument]:
    """Read a fragment, which `use` names; as `read_native_document` otherwise."""
    return _read(data, syntax, FragmentDocument)


def read_steps_document(data: str | bytes, syntax: Syntax | None = None) -> NativeText[StepsDocument]:
    """Read nodes that a task generated: a list, or a group's keys; as `read_native_document` otherwise.

    A list becomes the `steps` of a group, in the paths of what is wrong with it as well.
    """
    return _check(*read_steps_text(data, syntax), StepsDocument)


def read_steps_text(data: str | bytes, syntax: Syntax | None = None) -> tuple[Any, Findings]:
    """Read the values of a text of generated nodes; as `read_text` otherwise."""
    text = read_text(data, syntax)
    if not isinstance(text.value, list):
        return text.value, text.findings
    if text.findings:
        raise text.findings.error()
    return {"steps": text.value}, Findings(_ListOfSteps(text.findings.positions))


def check_native_value(value: Any, findings: Findings) -> PipelineDocument:
    """Hold values that another format's reader made against the rules of a pipeline.

    Args:
        value: a pipeline in dicts, lists and single values.
        findings: may hold some already; takes the rest.

    Raises:
        InvalidDefinitionError: rules are broken; with all that is wrong.
        InputTooLargeError: it is over one of the limits of a definition.
    """
    return _check(value, findings, PipelineDocument).document


def _read(data: str | bytes, syntax: Syntax | None, model: type[_AnyDocument]) -> NativeText[_AnyDocument]:
    text = read_text(data, syntax)
    return _check(text.value, text.findings, model)


def read_text(data: str | bytes, syntax: Syntax | None = None) -> JsonText | YamlText:
    """Read the values of a text, which are held against no rules yet.

    Args:
        data: the text, in UTF-8 where it is bytes.
        syntax: how it is written; None takes a text that begins like JSON for it, if it is JSON.

    Raises:
        InvalidDefinitionError: it is no such text.
        InputTooLargeError: it is over one of the limits of a definition.
    """
    text = decoded(data)
    if syntax is Syntax.YAML or (syntax is None and not text.lstrip().startswith(("{", "["))):
        return read_yaml(text)
    try:
        read = read_json(text, nesting_limit=NESTING_LIMIT)
    except InvalidDefinitionError:
        if syntax is None:
            return read_yaml(text)
        raise
    _refuse_too_many_values(read.value)
    return read


def _refuse_too_many_values(value: Any) -> None:
    count = 0
    level = [value]
    while level:
        count += len(level)
        if count > VALUES_LIMIT:
            raise InputTooLargeError(f"A definition holds at most {VALUES_LIMIT:,} values.")
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]


class _ListOfSteps(Positions):
    """Finds the items of a list as the steps of a group."""

    def __init__(self, within: Positions) -> None:
        super().__init__(within.text)
        self._within = within

    def spans(self, path: Path) -> tuple[Span, Span]:
        return self._within.spans(path[1:])


def _check(value: Any, findings: Findings, model: type[_AnyDocument]) -> NativeText[_AnyDocument]:
    document = check_document(model, value, findings)
    if document is None or findings:
        raise findings.error()
    return NativeText(document, value, findings)


def check_document(model: type[_AnyDocument], value: Any, findings: Findings) -> _AnyDocument | None:
    """Hold values against all rules of a document.

    Args:
        model: the document.
        value: in dicts, lists and single values.
        findings: takes every breach of a rule.

    Returns:
        The document; None when a rule for a single key is broken.

    Raises:
        InputTooLargeError: it holds more nodes than a definition may.
    """
    # First, because the words for breaches between keys are the better ones where both see one.
    check_rules(value, findings)
    return check_shape(model, value, findings)
