"""Which other pipelines may call one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self
from uuid import UUID

ANY_CALLER: Final = "*"
"""How a definition says that every pipeline may call its own."""

_ID: Final = "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
"""What a pipeline's id looks like. Text like this among callers is never a name, whoever has it for one."""


@dataclass(frozen=True, slots=True)
class Callers:
    """Whom a pipeline lets call it; without any of these nobody.

    Attributes:
        everybody: whether every pipeline may.
        names: of pipelines that may.
        ids: of pipelines that may, whatever they are called.
    """

    everybody: bool = False
    names: frozenset[str] = frozenset()
    ids: frozenset[UUID] = frozenset()

    @classmethod
    def said(cls, said: str | Sequence[str] | None) -> Self:
        """Take what a definition says: `ANY_CALLER`, a list of names and ids, or nothing."""
        if said is None or isinstance(said, str):
            return cls(everybody=said == ANY_CALLER)
        ids = frozenset(each for each in said if _is_id(each))
        return cls(names=frozenset(said) - ids, ids=frozenset(map(UUID, ids)))

    def admit(self, pipeline_id: UUID, name: str | None) -> bool:
        """Tell whether a pipeline may call.

        Args:
            pipeline_id: its id.
            name: what it is called; None where that is no proof, as another pipeline has that name too.
        """
        return self.everybody or pipeline_id in self.ids or name in self.names


def can_be_listed(name: str) -> bool:
    """Tell whether a name can stand among callers, where wildcards and what looks like an id are none."""
    return ANY_CALLER not in name and not _is_id(name)


def _is_id(text: str) -> bool:
    return re.fullmatch(_ID, text) is not None


NO_CALLERS: Final = Callers()
"""Nobody may call it."""
