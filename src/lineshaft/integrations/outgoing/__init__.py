"""Requests to addresses that users name: where they may lead, and how much may come back."""

from lineshaft.integrations.outgoing.guard import AddressRefusedError, Guard, OutgoingError, UnresolvedError

__all__ = ["AddressRefusedError", "Guard", "OutgoingError", "UnresolvedError"]
