"""Conditions of requests: a change on top of one version, and of no other (RFC 9110, section 13.1)."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Header
from fastapi import Request as HttpRequest

from lineshaft.model.errors import InvalidInputError, Problem, ResourceNotFoundError, VersionMismatchError

CurrentVersion = Callable[[], Awaitable[int]]
"""Finds out at which version something is; raises ResourceNotFoundError where it is not there."""

_ANY: Final = "*"
_TAG: Final = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_VERSION: Final = re.compile(r'"([0-9]{1,18})"')


def etag(version: int) -> dict[str, str]:
    """Make the header that tells at which version something is."""
    return {"ETag": f'"{version}"'}


@dataclass(frozen=True, slots=True)
class Condition:
    """What a request says of the version on top of which it is to change something.

    Attributes:
        match: its `If-Match`; empty where it has none.
        none_match: its `If-None-Match`; empty where it has none.
    """

    match: str
    none_match: str

    async def expected(self, current: CurrentVersion) -> int | None:
        """Tell on top of which version something may be changed; 0 where there is to be none, None for any.

        Raises:
            InvalidInputError: a header says nothing of the kind.
            VersionMismatchError: it is at none of those that are named.
        """
        if self.none_match and (self.match or self.none_match != _ANY):
            raise _invalid("If-None-Match", "can only be `*` here, without If-Match: there is to be none yet")
        if self.none_match:
            return 0
        if not self.match:
            return None
        tags = [] if self.match == _ANY else _tags(self.match)
        versions = [int(found[1]) for tag in tags if (found := _VERSION.fullmatch(tag))]
        if len(tags) == 1 and versions:
            return versions[0]
        now = await _version(current)
        if now in versions or (now and self.match == _ANY):
            return now
        raise VersionMismatchError(
            f"It is at version {now}, which If-Match does not name." if now else "It is not there.",
            version=now,
            advice="Read it again, and change what it is now.",
        )


async def _condition(
    request: HttpRequest,
    if_match: Annotated[
        str, Header(description='The version on top of which it may be changed, such as `"3"`.')
    ] = "",
    if_none_match: Annotated[str, Header(description="`*`: it may be made, and not be replaced.")] = "",
) -> Condition:
    said = (request.headers.getlist(name) for name in ("if-match", "if-none-match"))
    match, none_match = (", ".join(values).strip() for values in said)
    return Condition(match or if_match, none_match or if_none_match)


Expecting = Annotated[Condition, Depends(_condition)]


async def _version(current: CurrentVersion) -> int:
    try:
        return await current()
    except ResourceNotFoundError:
        return 0


def _tags(header: str) -> list[str]:
    tags = [part.strip() for part in header.split(",") if part.strip()]
    if not tags or not all(_TAG.fullmatch(tag) for tag in tags):
        raise _invalid("If-Match", 'must be a version in quotes, such as `"3"`, or `*`')
    return tags


def _invalid(header: str, why: str) -> InvalidInputError:
    return InvalidInputError("The request is not as it must be.", problems=[Problem(header, why)])
