"""Where secrets are kept."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from lineshaft.model.secret import FoundSecret, Wanted


class SecretStore(Protocol):
    """Finds the secrets that tasks name.

    Both methods may be called concurrently, in any order, and again: they change nothing. Of several secrets
    that fit, the one for pipeline and environment goes first, then the pipeline's, then the environment's,
    then the one for all. What is kept for the server alone is found for the server alone
    (`Wanted.by_server`), and goes before the one for all there.
    """

    async def missing(self, wanted: Sequence[Wanted]) -> frozenset[Wanted]:
        """Tell which of them are nowhere, without reading any value.

        Raises:
            SecretsUnavailableError: the store does not answer.
        """
        ...

    async def fetch(self, wanted: Sequence[Wanted]) -> Mapping[Wanted, FoundSecret]:
        """Return the values of those that are there; the others are left out.

        Raises:
            SecretsUnavailableError: the store does not answer, or what is kept there cannot be opened.
        """
        ...


class GivenSecrets:
    """Secrets that whoever starts a run has given by name: the same for all pipelines and environments."""

    def __init__(self, values: Mapping[str, str], found_at: str = "given") -> None:
        """Hold them.

        Args:
            values: by name.
            found_at: where they come from, for people.
        """
        self._found: Final = {name: FoundSecret(value, found_at) for name, value in values.items()}

    async def missing(self, wanted: Sequence[Wanted]) -> frozenset[Wanted]:
        """Tell which of them are nowhere."""
        return frozenset(each for each in wanted if each.name not in self._found)

    async def fetch(self, wanted: Sequence[Wanted]) -> Mapping[Wanted, FoundSecret]:
        """Return those that are there."""
        return {each: self._found[each.name] for each in wanted if each.name in self._found}
