"""However an address is spelled or wrapped, it leads to the same place."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.integrations.outgoing import AddressRefusedError, Guard
from lineshaft.integrations.outgoing.address import Place, place_of, read_address

Spelling = Callable[[IPv4Address], str]


def octets(address: IPv4Address) -> list[int]:
    return list(address.packed)


def in_parts(address: IPv4Address, count: int, write: Callable[[int], str]) -> str:
    """Write the last part as one number, as inet_aton(3) reads it."""
    first = octets(address)[: count - 1]
    rest = int(address) & ((1 << 8 * (5 - count)) - 1)
    return ".".join(map(write, (*first, rest)))


WRITERS: tuple[Callable[[int], str], ...] = (
    str,
    hex,
    lambda number: f"0X{number:X}",
    lambda number: f"0{number:o}",
)
SPELLINGS: list[Spelling] = [
    *(
        lambda address, count=count, write=write: in_parts(address, count, write)
        for count in (1, 2, 3, 4)
        for write in WRITERS
    ),
    lambda address: f"{address}.",
    lambda address: f"::ffff:{address}",
    lambda address: f"[::ffff:{address}]",
    lambda address: f"[::FFFF:{address}%25eth0]",
    lambda address: f"0:0:0:0:0:ffff:{int(address) >> 16:x}:{int(address) & 0xFFFF:x}",
    lambda address: f"::ffff:0:{address}",
    lambda address: f"64:ff9b::{address}",
    lambda address: f"64:ff9b:1::{address}",
    lambda address: str(IPv6Address(0x2002 << 112 | int(address) << 80 | 1)),
]


def within(*networks: str) -> st.SearchStrategy[IPv4Address]:
    """Draw an address of one of these networks."""
    return st.one_of(
        [
            st.integers(int(network[0]), int(network[-1])).map(IPv4Address)
            for network in map(IPv4Network, networks)
        ]
    )


FORBIDDEN = within("169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "100.100.100.200/32", "168.63.129.16/32")
PRIVATE = within(
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/16", "198.18.0.0/15"
)


async def nobody(host: str) -> list[IPv4Address]:
    raise AssertionError(host)


@given(address=FORBIDDEN, spelling=st.sampled_from(SPELLINGS))
async def test_no_spelling_of_a_forbidden_address_passes(address: IPv4Address, spelling: Spelling) -> None:
    with pytest.raises(AddressRefusedError):
        await Guard(allow_private=True, resolver=nobody).addresses(spelling(address))


@given(address=PRIVATE, spelling=st.sampled_from(SPELLINGS))
async def test_no_spelling_of_a_private_address_passes_where_they_are_not_allowed(
    address: IPv4Address, spelling: Spelling
) -> None:
    with pytest.raises(AddressRefusedError):
        await Guard(allow_private=False, resolver=nobody).addresses(spelling(address))


@given(address=st.ip_addresses(v=4), spelling=st.sampled_from(SPELLINGS))
def test_a_spelling_leads_at_best_to_where_the_address_does(address: IPv4Address, spelling: Spelling) -> None:
    read = read_address(spelling(address))
    order = [Place.PUBLIC, Place.PRIVATE, Place.FORBIDDEN]

    assert read is not None
    assert order.index(place_of(read)) >= order.index(place_of(address))


@given(address=st.ip_addresses())
def test_every_address_leads_somewhere(address: IPv4Address | IPv6Address) -> None:
    assert place_of(address) in Place


@pytest.mark.parametrize(
    "text", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::93.184.216.34"]
)
async def test_a_public_address_passes(text: str) -> None:
    assert await Guard(allow_private=False, resolver=nobody).addresses(text) == (read_address(text),)


@pytest.mark.parametrize(
    "text",
    ["fe80::1", "ff02::1", "::", "fd00:ec2::254", "fd20:ce::254", "2001::1", "0.1.2.3", "255.255.255.255"],
)
async def test_other_forbidden_addresses_do_not_pass(text: str) -> None:
    with pytest.raises(AddressRefusedError):
        await Guard(allow_private=True, resolver=nobody).addresses(text)


@pytest.mark.parametrize(
    "text", ["1.2.3.4.5", "256.1.1.1", "host.256", "0x", "127.0.0.1 evil", "[::1::]", "", "a" * 300]
)
async def test_what_is_neither_a_name_nor_an_address_does_not_pass(text: str) -> None:
    with pytest.raises(AddressRefusedError):
        await Guard(allow_private=True, resolver=nobody).addresses(text)
