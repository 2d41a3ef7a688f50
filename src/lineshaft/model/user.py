"""A user, who may call the API."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lineshaft.model.role import Role

LONGEST_USERNAME: Final = 255
USERNAME_PATTERN: Final = r"^\w[\w.@+-]*$"
USERNAME_RULE: Final = (
    f"must be one word of at most {LONGEST_USERNAME} letters, digits and `_ . @ + -`, "
    "and begin with a letter, a digit or `_`"
)
"""What a user's name must be like, to be said of one that is not."""


def is_username(text: str) -> bool:
    """Tell whether a new user may have this name.

    It goes through basic authentication, paths and terminals as it is, and it is spelt in the one way that
    looks like it (Unicode's form NFKC), so that no two users have names of the same look for that reason.
    """
    return (
        len(text) <= LONGEST_USERNAME
        and re.fullmatch(USERNAME_PATTERN, text) is not None
        and unicodedata.is_normalized("NFKC", text)
    )


@dataclass(frozen=True, slots=True)
class User:
    """Someone who may sign in.

    Attributes:
        name: unique, and what they sign in with.
        password_hash: of the password, in the argon2 encoded form; empty where they sign in only elsewhere.
        role: for all pipelines and for what belongs to none; None means only what grants say.
        issuer: of the OpenID Connect provider that they sign in at; None where they do not.
        subject: who they are there.
        from_settings: whether the server's settings name this user; at most one is named so.
        created_at: when the user was made; None where that was before it was kept.
        disabled_at: since when they may not sign in; None where they may.
        last_seen_at: when they last signed in, to the minute; None means not yet.
    """

    name: str
    password_hash: str = ""
    role: Role | None = None
    issuer: str | None = None
    subject: str | None = None
    from_settings: bool = False
    created_at: datetime | None = None
    disabled_at: datetime | None = None
    last_seen_at: datetime | None = None
