"""Why a node of a run is in its state, as the API tells it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

from lineshaft.model.state import State
from lineshaft.sdk.run import ReasonView


@dataclass(frozen=True, slots=True)
class PlacementView:
    """What a queued task waits for.

    Attributes:
        code: stable, for programs; a server newer than this code may use ones that it does not know.
        text: a sentence for people.
        ahead: about how many tasks go before it; None where they are very many.
    """

    code: str
    text: str
    ahead: int | None

    @classmethod
    def from_document(cls, document: Mapping[str, Any] | None) -> Self | None:
        """Read it from the API's JSON."""
        return None if document is None else cls(document["code"], document["text"], document["ahead"])


@dataclass(frozen=True, slots=True)
class ExplanationView:
    """All that can be said about why a node is in its state.

    Attributes:
        path: the node's.
        state: where it stands.
        reason: why; None where that needs no words.
        decided_by: the path of the node for which that was decided: its own, or that of one around it.
        condition: the `if` of that node; None where it has none.
        condition_held: what the condition came to; None when it was not asked.
        waits_for: the paths of the nodes that have to end first, at most 50.
        comes_from: the paths of the nodes because of which it ended so, at most 50.
        attempts: how many attempts there were.
        losses: how many of them were lost, with their workers or by them.
        child_run: the run of the pipeline that it calls, if it does and there is one.
        document: the JSON that this was read from.
        placement: what a queued task waits for.
    """

    path: str
    state: State
    reason: ReasonView | None
    decided_by: str
    condition: str | None
    condition_held: bool | None
    waits_for: tuple[str, ...]
    comes_from: tuple[str, ...]
    attempts: int
    losses: int
    child_run: UUID | None
    document: Mapping[str, Any] = field(repr=False, compare=False)
    placement: PlacementView | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        child_run = document.get("child_run")
        return cls(
            path=document["path"],
            state=State(document["state"]),
            reason=ReasonView.from_document(document["reason"]),
            decided_by=document["decided_by"],
            condition=document["condition"],
            condition_held=document["condition_held"],
            waits_for=tuple(document["waits_for"]),
            comes_from=tuple(document["comes_from"]),
            attempts=document["attempts"],
            losses=document["losses"],
            child_run=None if child_run is None else UUID(child_run),
            document=document,
            placement=PlacementView.from_document(document.get("placement")),
        )
