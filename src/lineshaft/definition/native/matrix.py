"""The rules within one matrix: what its axes are called, and that it has some."""

import re
from typing import Any, Final

from lineshaft.definition.findings import Findings, shown
from lineshaft.definition.native.shape import nearest
from lineshaft.definition.native.value import NAME_LIMIT, WORD
from lineshaft.definition.position import Path

_NO_AXES: Final = frozenset(("include", "exclude"))


def check_matrix(path: Path, matrix: Any, findings: Findings) -> None:
    """Check the axes of a matrix, and that what it excludes names some of them."""
    if not isinstance(matrix, dict):
        return
    if not matrix:
        findings.add(path, "has no axis", advice="give it one, such as `python: ['3.13', '3.14']`")
    for axis in matrix:
        if len(axis) > NAME_LIMIT or not re.fullmatch(WORD, axis):
            message = "must be letters, digits, `_` and `-`, not beginning with a digit or `-`"
            findings.add((*path, axis), message)
    axes = [axis for axis in matrix if axis not in _NO_AXES]
    axes += [axis for _, pairs in _combinations(matrix, "include") for axis in pairs]
    for index, pairs in _combinations(matrix, "exclude"):
        for axis in pairs:
            if axis not in axes:
                message = f"is not an axis of the matrix: {shown(axis)}"
                findings.add((*path, "exclude", index, axis), message, advice=nearest(axis, axes))


def _combinations(matrix: dict[str, Any], key: str) -> list[tuple[int, dict[str, Any]]]:
    combinations = matrix.get(key)
    listed = enumerate(combinations) if isinstance(combinations, list) else ()
    return [(index, pairs) for index, pairs in listed if isinstance(pairs, dict)]
