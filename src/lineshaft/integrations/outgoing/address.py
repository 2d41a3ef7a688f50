"""What kind of place an IP address is, whatever it is wrapped in."""

import socket
from collections.abc import Iterable, Iterator
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

IPAddress = IPv4Address | IPv6Address

_METADATA: Final = frozenset(
    map(ip_address, ("169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192"))
) | frozenset(map(ip_address, ("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42")))
"""Where clouds tell machines their credentials; some of these look private, one even public."""

_NOWHERE: Final = tuple(map(IPv4Network, ("0.0.0.0/8", "240.0.0.0/4")))
_WRAPPED_AT_THE_END: Final = tuple(
    map(IPv6Network, ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96"))
)
"""IPv4-compatible and mapped (RFC 4291), translated (RFC 2765) and NAT64 (RFC 6052) addresses."""
_SIX_TO_FOUR: Final = IPv6Network("2002::/16")
_TEREDO: Final = IPv6Network("2001::/32")
_LOCAL_NAT64: Final = IPv6Network("64:ff9b:1::/48")


class Place(Enum):
    """Where an address leads."""

    PUBLIC = "public"
    PRIVATE = "private"
    FORBIDDEN = "forbidden"


def place_of(address: IPAddress) -> Place:
    """Tell where an address leads; one that carries another leads at best to where that one does.

    Forbidden are the metadata services of clouds, link-local, multicast, unspecified and reserved addresses.
    Private is all else that is not for the whole internet, such as this machine and its networks.
    """
    places = [_own_place(each) for each in _layers(address)]
    for place in (Place.FORBIDDEN, Place.PRIVATE):
        if place in places:
            return place
    return Place.PUBLIC


def read_address(host: str) -> IPAddress | None:
    """Read a host that is an address in any spelling that a resolver takes; None where it is a name.

    `2130706433`, `0x7f.1` and `0177.0.0.1` are all 127.0.0.1 (inet_aton(3)).

    Raises:
        ValueError: it looks like an address, and is none.
    """
    plain = host.removeprefix("[").removesuffix("]").partition("%")[0].rstrip(".")
    if ":" in plain:
        return IPv6Address(plain)
    last = plain.rpartition(".")[2].lower()
    if not (last.isascii() and (last.isdigit() or last.startswith("0x"))):
        return None
    if not plain.isascii() or any(character.isspace() for character in plain):
        raise ValueError(host)
    try:
        return IPv4Address(socket.inet_aton(plain))
    except OSError as error:
        raise ValueError(host) from error


def _own_place(address: IPAddress) -> Place:
    never = address in _METADATA or address.is_link_local or address.is_multicast or address.is_unspecified
    if never or _is_in((*_NOWHERE, _TEREDO), address):
        return Place.FORBIDDEN
    if not address.is_loopback and _is_in((*_WRAPPED_AT_THE_END, _SIX_TO_FOUR), address):
        return Place.PUBLIC  # What it carries decides.
    local = isinstance(address, IPv6Address) and address.is_site_local
    return Place.PRIVATE if local or not address.is_global or address in _LOCAL_NAT64 else Place.PUBLIC


def _is_in(networks: Iterable[IPv4Network | IPv6Network], address: IPAddress) -> bool:
    return any(address in network for network in networks)


def _layers(address: IPAddress) -> Iterator[IPAddress]:
    yield address
    if isinstance(address, IPv4Address) or address.is_loopback or address.is_unspecified:
        return
    number = int(address)
    if _is_in((*_WRAPPED_AT_THE_END, _LOCAL_NAT64), address):
        yield IPv4Address(number & 0xFFFF_FFFF)
    elif address in _SIX_TO_FOUR:
        yield IPv4Address(number >> 80 & 0xFFFF_FFFF)
