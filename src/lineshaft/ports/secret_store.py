"""Where secrets are kept."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from lineshaft.model.secret import Wanted


class SecretStore(Protocol):
    """Finds the secrets that tasks name.

    Both methods may be called concurrently, in any order, and again: they change nothing. Of several secrets
    that fit, the one for pipeline and environment goes first, then the pipeline's, then the environment's,
    then the one for all.
    """

    async def missing(self, wanted: Sequence[Wanted]) -> frozenset[Wanted]:
        """Tell which of them are nowhere, without reading any value.

        Raises:
            SecretsUnavailableError: the store does not answer.
        """
        ...

    async def fetch(self, wanted: Sequence[Wanted]) -> Mapping[Wanted, str]:
        """Return the values of those that are there; the others are left out.

        Raises:
            SecretsUnavailableError: the store does not answer, or what is kept there cannot be opened.
        """
        ...
