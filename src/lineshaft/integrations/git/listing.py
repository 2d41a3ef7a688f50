"""What a remote says of its refs: the answer of git-ls-remote(1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_SYMBOLIC: Final = "ref: "
_PEELED: Final = "^{}"
_HEADS: Final = "refs/heads/"


@dataclass(frozen=True, slots=True)
class Listing:
    """Refs by their whole names.

    Attributes:
        commits: where they lead, tags followed to what they are of.
        symbolic: the names for which others stand, such as HEAD.
    """

    commits: Mapping[str, str]
    symbolic: Mapping[str, str]

    def branch_of(self, name: str) -> str:
        """Tell the branch that a name means; empty where it means none."""
        whole = self.symbolic.get(name, name if name in self.commits else "")
        return whole.removeprefix(_HEADS) if whole.startswith(_HEADS) else ""


def read_listing(answer: bytes) -> Listing:
    """Read an answer; lines of no such form are passed over."""
    commits: dict[str, str] = {}
    peeled: dict[str, str] = {}
    symbolic: dict[str, str] = {}
    for line in answer.decode("utf-8", "surrogateescape").split("\n"):
        what, tab, name = line.partition("\t")
        if not tab:
            continue
        if what.startswith(_SYMBOLIC):
            symbolic[name] = what.removeprefix(_SYMBOLIC)
        elif name.endswith(_PEELED):
            peeled[name.removesuffix(_PEELED)] = what
        else:
            commits[name] = what
    return Listing(commits | peeled, symbolic)
