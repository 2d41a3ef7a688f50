"""A matrix: the combinations of its axes, each of which makes a node."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any, Final

from lineshaft.definition.scalar import as_text
from lineshaft.model.value import Value

COMBINATIONS_LIMIT: Final = 256
"""How many nodes one matrix may make."""

PRODUCT_LIMIT: Final = 10_000
"""How many combinations its axes may have before `exclude` drops some."""

Combination = Mapping[str, Value]
"""One value for each axis."""


class TooManyCombinationsError(ValueError):
    """A matrix is over a limit; the message follows its path in a sentence."""


def axes_of(matrix: Mapping[str, Any]) -> dict[str, Sequence[Value]]:
    """Name the axes with their values, in the order in which they were written."""
    return {axis: values for axis, values in matrix.items() if axis not in {"include", "exclude"}}


def combinations(matrix: Mapping[str, Any]) -> list[Combination]:
    """List the combinations of a matrix: the first axis changes slowest, what is included comes last.

    Args:
        matrix: as a checked document has it.

    Raises:
        TooManyCombinationsError: they are over a limit.
    """
    axes = axes_of(matrix)
    crossed = prod(map(len, axes.values())) if axes else 0
    if crossed > PRODUCT_LIMIT:
        raise TooManyCombinationsError(
            f"has {crossed:,} combinations before any is excluded; at most {PRODUCT_LIMIT:,} are allowed"
        )
    excluded = matrix.get("exclude", ())
    found: list[Combination] = [
        combination
        for combination in _crossed(axes)
        if not any(_has_all(combination, pairs) for pairs in excluded)
    ]
    found += matrix.get("include", ())
    if len(found) > COMBINATIONS_LIMIT:
        raise TooManyCombinationsError(
            f"has {len(found):,} combinations; at most {COMBINATIONS_LIMIT} are allowed"
        )
    return found


def combination_name(combination: Combination) -> str:
    """Name the node of a combination: the values joined with `-`."""
    return "-".join(as_text(value) for value in combination.values()).replace("/", "_")


def _crossed(axes: Mapping[str, Sequence[Value]]) -> Iterator[Combination]:
    if axes:
        for values in product(*axes.values()):
            yield dict(zip(axes, values, strict=True))


def _has_all(combination: Combination, pairs: Combination) -> bool:
    return all(axis in combination and _same(combination[axis], value) for axis, value in pairs.items())


def _same(one: Value, other: Value) -> bool:
    # True and 1 are the same to Python, and not to those who write a matrix.
    return one == other and isinstance(one, bool) == isinstance(other, bool)
