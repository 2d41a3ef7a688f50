"""Who knows people, and tells who somebody is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from lineshaft.model.external_identity import ExternalIdentity


@dataclass(frozen=True, slots=True)
class ProviderTrip:
    """A browser's trip to the provider and back.

    Attributes:
        state: comes back with the browser, and shows that it is the browser that was sent; 256 random bits.
        nonce: comes back in the ID token, and shows that this was made for the trip; 256 random bits.
        verifier: is shown with the code, and proves that whoever shows that has begun the trip (RFC 7636).
        redirect_uri: where the provider is to send the browser back to.
    """

    state: str
    nonce: str
    verifier: str
    redirect_uri: str


class IdentityProvider(Protocol):
    """Signs people in elsewhere. Its methods may be called concurrently.

    For each trip `begin` is called once, and `finish` at most once behind it, maybe by another process.
    """

    async def begin(self, trip: ProviderTrip) -> str:
        """Tell the address to which the browser is to be sent.

        Raises:
            UnavailableError: the provider does not answer, or not with what can be used.
        """
        ...

    async def finish(self, trip: ProviderTrip, answer: Mapping[str, str]) -> ExternalIdentity:
        """Tell who somebody is.

        Args:
            trip: as it was begun.
            answer: the query that the browser has come back with.

        Raises:
            SignInRefusedError: the provider has not signed them in, or what came back is not its answer to
                this trip.
            UnavailableError: the provider does not answer.
        """
        ...
