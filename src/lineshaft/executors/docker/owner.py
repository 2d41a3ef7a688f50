"""The labels by which what a worker has made on an engine is known to be its."""

from collections.abc import Mapping
from typing import Final

LABEL: Final = "lineshaft.label"
"""Carries the attempt's label."""

OWNER: Final = "lineshaft.owner"
"""Carries the label's prefix, which is that of the worker."""


def owner_of(label: str) -> str:
    """Take the worker's prefix out of an attempt's label."""
    return f"{label.partition('/')[0]}/"


def labels_of(label: str, marks: Mapping[str, str]) -> dict[str, str]:
    """Say what a container, its network and its volumes carry.

    Args:
        label: the attempt's.
        marks: what they carry besides, for people.
    """
    return {**marks, LABEL: label, OWNER: owner_of(label)}
