"""Secrets as they are kept."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from lineshaft.model.secret import SealedValue, Secret, SecretAddress


class Secrets(Protocol):
    """Sealed secrets; what they hold is known to nobody here."""

    def get(self, address: SecretAddress) -> Secret | None:
        """Find one by its whole address."""
        ...

    def add(self, secret: Secret) -> bool:
        """Add one; False when there is one at its address."""
        ...

    def replace(self, secret: Secret) -> bool:
        """Give a secret its next value.

        Args:
            secret: as it is to be, with the version behind the one that is there.

        Returns:
            False when there is none of its id, or not with the version before.
        """
        ...

    def reseal(self, secret: Secret, value: SealedValue) -> bool:
        """Seal the same value of a secret in another way.

        Args:
            secret: as it was read.
            value: how it is sealed now.

        Returns:
            False when that version is not there any more, or is sealed in another way by now.
        """
        ...

    def remove(self, address: SecretAddress) -> bool:
        """Remove one; False when there is none at the address."""
        ...

    def remove_of_pipeline(self, pipeline_id: UUID) -> int:
        """Remove all that are for one pipeline alone, and return how many there were."""
        ...

    def of_pipeline(self, pipeline_id: UUID | None) -> Sequence[Secret]:
        """List those of a pipeline alone, or those for all pipelines; by name, then environment."""
        ...

    def of_server(self) -> Sequence[Secret]:
        """List those for the server alone, by name."""
        ...

    def fitting(self, pipeline_id: UUID, names: Collection[str]) -> Sequence[Secret]:
        """List those of some names that tasks of a pipeline may be given, for whatever environment.

        For `NO_PIPELINE` that is what the server itself may use.
        """
        ...

    def addresses(self, pipeline_id: UUID, names: Collection[str]) -> frozenset[SecretAddress]:
        """Tell the addresses of what `fitting` lists."""
        ...

    def sealed_otherwise(self, key_id: str, *, after: UUID | None, limit: int) -> Sequence[Secret]:
        """List those that another key than this has sealed, by id, from behind `after`."""
        ...

    def any_sealed_with(self, key_id: str) -> Secret | None:
        """Find one of those that a key has sealed."""
        ...

    def count_by_key(self) -> Mapping[str, int]:
        """Count the secrets that each key has sealed, by the key's id."""
        ...
