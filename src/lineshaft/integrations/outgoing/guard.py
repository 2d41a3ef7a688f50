"""Who may be connected to: a name is resolved once, and its addresses are judged."""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from typing import Final

from lineshaft.integrations.outgoing.address import IPAddress, Place, place_of, read_address

Resolver = Callable[[str], Awaitable[Sequence[IPAddress]]]
"""Finds the addresses of a name; raises OSError where there are none."""

_LONGEST_NAME: Final = 253
_NAME: Final = re.compile(r"[^\s\x00-\x20/\\@?#%:\[\]]+")


class OutgoingError(Exception):
    """A request cannot be made, or not be answered; the message is a sentence."""


class AddressRefusedError(OutgoingError):
    """The address leads where no request may go."""


class UnresolvedError(OutgoingError):
    """There is no address for the name."""


async def resolve(host: str) -> list[IPAddress]:
    """Ask the system's resolver.

    Raises:
        OSError: it knows no address.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(str(address[0]).partition("%")[0]) for *_, address in found))


class Guard:
    """Lets requests go to some places only.

    Attributes:
        allow_private: whether this machine and its networks may be asked; the metadata services of clouds and
            link-local addresses never are.
    """

    def __init__(self, *, allow_private: bool, resolver: Resolver = resolve) -> None:
        """Take a policy.

        Args:
            allow_private: see the attribute.
            resolver: finds addresses.
        """
        self.allow_private: Final = allow_private
        self._resolver: Final = resolver

    async def addresses(self, host: str) -> tuple[IPAddress, ...]:
        """Find the addresses of a host, each of which may be connected to.

        A name is refused when only one of its addresses is: an honest one does not lead to both sides.

        Args:
            host: a name, or an address in any spelling.

        Raises:
            AddressRefusedError: it leads where no request may go, or is neither a name nor an address.
            UnresolvedError: there is no address for it.
        """
        try:
            literal = read_address(host)
            found = (literal,) if literal is not None else await self._resolved(host)
        except ValueError as error:
            raise AddressRefusedError(f"'{host[:_LONGEST_NAME]}' is no name or address of a host.") from error
        for address in found:
            self._judge(host, address)
        return found

    async def _resolved(self, host: str) -> tuple[IPAddress, ...]:
        if len(host) > _LONGEST_NAME or not _NAME.fullmatch(host):
            raise ValueError(host)
        try:
            found = tuple(await self._resolver(host))
        except OSError as error:
            raise UnresolvedError(f"There is no address for '{host}': {error.strerror or error}.") from error
        if not found:
            raise UnresolvedError(f"There is no address for '{host}'.")
        return found

    def _judge(self, host: str, address: IPAddress) -> None:
        place = place_of(address)
        if place is Place.FORBIDDEN or (place is Place.PRIVATE and not self.allow_private):
            what = "a place that no request may go to" if place is Place.FORBIDDEN else "a private network"
            leads = f"'{host}'" if str(address) == host else f"'{host}' leads to {address}, which"
            raise AddressRefusedError(f"{leads} is in {what}.")
