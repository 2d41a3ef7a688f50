"""A definition: what a pipeline does, as it was written and as the engine walks it."""

from dataclasses import dataclass
from enum import StrEnum

from lineshaft.model.tree import Tree


class Format(StrEnum):
    """The formats in which a definition can be written."""

    REST = "rest"


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of what a pipeline does, immutable and stored once per content.

    Attributes:
        hash: the SHA-256 of format and text, in hex.
        format: how the text is written.
        text: the canonical JSON text, from which all else here can be read again.
        name: the pipeline's name.
        repository: where its source is; None for a freestyle pipeline.
        tree: its nodes.
    """

    hash: str
    format: Format
    text: str
    name: str
    repository: str | None
    tree: Tree
