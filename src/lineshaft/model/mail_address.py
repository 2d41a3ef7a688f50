"""Addresses of mail: the plain ones, which everything understands."""

import re
from typing import Final

LONGEST_ADDRESS: Final = 254
"""How many characters an address may have (RFC 5321, section 4.5.3.1.3, without its brackets)."""

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"

ADDRESS_PATTERN: Final = rf"^{_ATOM}(\.{_ATOM})*@{_LABEL}(\.{_LABEL})*$"
"""What an address looks like: RFC 5322's dot-atom before the sign, the name of a host behind it."""

_ADDRESS: Final = re.compile(ADDRESS_PATTERN)
_IN_BRACKETS: Final = re.compile(r"<([^<>]*)>\s*$")


def is_address(text: str) -> bool:
    """Tell whether a text is an address, and nothing else."""
    # Long texts are not looked at, for the time that a pattern takes, and `$` would let a line end pass.
    return len(text) <= LONGEST_ADDRESS and "\n" not in text and _ADDRESS.match(text) is not None


def address_in(author: str) -> str | None:
    """Find the address in what a commit says of its author: `Ann <ann@example.org>`, or the address alone."""
    found = _IN_BRACKETS.search(author[-(LONGEST_ADDRESS + 2) :])
    address = author.strip() if found is None else found[1].strip()
    return address if is_address(address) else None


def domain_of(address: str) -> str:
    """Name the domain of an address, in small letters."""
    return address.rpartition("@")[2].lower()
