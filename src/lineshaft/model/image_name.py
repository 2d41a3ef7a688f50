"""The names of images."""

import re
from dataclasses import dataclass
from typing import Final

DOCKER_HUB: Final = "https://index.docker.io/v1/"
_MOST_CHARACTERS: Final = 512
_HOST: Final = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]{2,45}\])(?::[0-9]{1,5})?")
_PART: Final = re.compile(r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*")
_TAG: Final = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class Reference:
    """The name of an image: `[host[:port]/]path[:tag][@digest]`.

    The grammar is that of https://pkg.go.dev/github.com/distribution/reference.

    Attributes:
        repository: all before the tag and the digest.
        version: the digest, where the name has one, for that alone decides then; else the tag.
    """

    repository: str
    version: str

    @property
    def registry(self) -> str:
        """The registry that the image comes from; see `registry_of`."""
        return registry_of(self.repository)

    def __str__(self) -> str:
        separator = "@" if ":" in self.version else ":"
        return f"{self.repository}{separator}{self.version}"


def parse_reference(text: str) -> Reference | None:
    """Read a name as an engine does; a name without tag and digest means the tag `latest`.

    Returns:
        The name's parts; None where it is no name of an image.
    """
    if len(text) > _MOST_CHARACTERS:
        return None
    named, pinned, digest = text.partition("@")
    repository, tag = named, "latest"
    head, colon, last = named.rpartition(":")
    if colon and "/" not in last:
        repository, tag = head, last
    good = _is_repository(repository) and _TAG.fullmatch(tag) and (not pinned or _DIGEST.fullmatch(digest))
    return Reference(repository, digest or tag) if good else None


def _is_repository(text: str) -> bool:
    first, slash, rest = text.partition("/")
    has_host = slash and ("." in first or ":" in first or first == "localhost")
    if has_host and not _HOST.fullmatch(first):
        return False
    return all(_PART.fullmatch(part) for part in (rest if has_host else text).split("/"))


def registry_of(repository: str) -> str:
    """Take the registry out of an image repository, as docker does.

    The part before the first slash is a host only if it looks like one; all else is on Docker's own registry.
    """
    first, slash, _ = repository.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return first
    return DOCKER_HUB


def why_no_image_name(text: str) -> str | None:
    """Tell why a text is no name of an image, in words that follow "must be"; None where it is one."""
    if parse_reference(text) is not None:
        return None
    demand = "the name of an image, [host[:port]/]path[:tag][@digest], such as python:3.12-slim"
    if text != (small := text.lower()) and parse_reference(small) is not None:
        return f"{demand}, whose path is in small letters"
    return demand
