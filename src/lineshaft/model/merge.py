"""Merges: what would be there if a pull request were merged."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Merge:
    """How the commit comes to be that a pull request's run works on.

    Nobody pushes that commit anywhere. Whoever needs it fetches both sides and merges them, which gives the
    same commit id everywhere, since it depends on nothing but the two.

    Attributes:
        base: the commit that is merged into.
        head: the commit that is merged.
        head_ref: the whole name under which the repository gives the head away; empty where it has none.
        head_repository: the address of the repository that the head comes from; empty where it is the same
            one, or gone.
    """

    base: str
    head: str
    head_ref: str = ""
    head_repository: str = ""
