"""Where the nodes of a tree come from: the text, and the place in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Flag, auto
from typing import Any

from lineshaft.definition.findings import Findings
from lineshaft.definition.position import Path
from lineshaft.model.node import Node


class Aspect(Flag):
    """Which keys of what was written a node of the tree stands for; several nodes may come from one."""

    NONE = 0
    CONDITION = auto()
    WORK = auto()
    GIVEN = auto()
    OUTPUTS = auto()


@dataclass(frozen=True, slots=True)
class Source:
    """A text that nodes come from.

    Attributes:
        findings: takes what is wrong with it.
        file: the path of a fragment's file; empty for the definition itself.
    """

    findings: Findings
    file: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """A place in a text.

    Attributes:
        source: the text.
        path: the place in it.
    """

    source: Source
    path: Path = ()

    def at(self, *steps: str | int) -> "Site":
        """Go further in."""
        return Site(self.source, (*self.path, *steps))

    def wrong(self, message: str, *, advice: str = "") -> None:
        """Note what is wrong at this place, where its value stands."""
        findings = self.source.findings
        span = None if findings.full else findings.positions.value(self.path)
        findings.add(self.path, message, advice=advice, span=span)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a node was written as.

    Attributes:
        node: the node; kept, so that no other can take its identity.
        site: where its keys stand.
        keys: as they were written.
        aspect: which of them are the node's own.
    """

    node: Node
    site: Site
    keys: Mapping[str, Any]
    aspect: Aspect
