"""A user, who may call the API."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class User:
    """Someone with credentials.

    Attributes:
        name: what they sign in with.
        password_hash: of their password, in the argon2 encoded form.
    """

    name: str
    password_hash: str
