"""Documents held against the rules of the language, as plain values for the compiler."""

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from lineshaft.definition.compiling.canonical import canonical_text, keys_of
from lineshaft.definition.compiling.pruning import pruned
from lineshaft.definition.findings import Findings
from lineshaft.definition.native.document import PipelineDocument
from lineshaft.definition.native.reader import check_document
from lineshaft.definition.native.shape import check_shape
from lineshaft.definition.position import Path
from lineshaft.model.errors import InputTooLargeError

EXPANDED_LIMIT: Final = 4 << 20
"""How many characters the texts of a definition have together at most, all aliases counted in full."""

_CUTS: Final = 4


def checked(model: type[BaseModel], value: Any, findings: Findings) -> dict[str, Any] | None:
    """Hold values against the rules of a document.

    Args:
        model: the document.
        value: in dicts, lists and single values.
        findings: takes every breach of a rule.

    Returns:
        What was written, as JSON has it, with times in seconds; where rules are broken, what is left when
        that is passed over; None where nothing is.

    Raises:
        InputTooLargeError: it is over one of the limits of a definition.
    """
    if "&" in findings.positions.text:
        _refuse_what_expands(value)
    document = check_document(model, value, findings)
    wrong: list[Path] = list(findings.paths)
    for _ in range(_CUTS):
        if document is not None and not wrong:
            break
        value = pruned(value, wrong, named=model is PipelineDocument)
        unsaid = Findings(findings.positions)
        document = check_shape(model, value, unsaid)
        # What is missing is missing still: then what it is missing from goes too.
        wrong = [path[:-1] for path in unsaid.paths if len(path) > 1]
    if document is None:
        return None
    keys: dict[str, Any] = json.loads(canonical_text(keys_of(document)))
    return keys


def _refuse_what_expands(value: Any) -> None:
    """Refuse values whose text would be much longer than what was read, before it is written."""
    room = EXPANDED_LIMIT
    stack = [value]
    while stack:
        inner = stack.pop()
        match inner:
            case str():
                room -= len(inner)
            case Mapping():
                room -= sum(map(len, inner))
                stack.extend(inner.values())
            case list():
                stack.extend(inner)
            case _:
                room -= 1
        if room < 0:
            raise InputTooLargeError(
                f"The texts of a definition have at most {EXPANDED_LIMIT:,} characters, all that aliases"
                " repeat counted in full."
            )
