"""Which registries a Dockerfile names, as far as its text tells."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lineshaft.model.image_name import registry_of

_READ_BYTES: Final = 1 << 20
_MOST: Final = 50
_LONGEST: Final = 500

_FROM: Final = re.compile(r"^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(\S{1,500})", re.IGNORECASE | re.MULTILINE)
_OTHER: Final = re.compile(
    r"^[ \t]*(?:COPY|ADD)[ \t]+(?:--\S+[ \t]+)*?--from=(\S{1,500})", re.IGNORECASE | re.MULTILINE
)
_ARG: Final = re.compile(r"^[ \t]*ARG[ \t]+(\w+)=(\S{1,500})", re.IGNORECASE | re.MULTILINE)
_VARIABLE: Final = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?-([^}]*))?\})")


def registries_named(dockerfile: Path, args: Mapping[str, str]) -> list[str]:
    """List the registries of the images that a build begins with or copies from; at most 50.

    What only the engine could tell, such as an image that an earlier instruction computes, is not found.

    Args:
        dockerfile: the Dockerfile.
        args: the build's arguments, which may be a part of the names.
    """
    with dockerfile.open("rb") as file:
        text = file.read(_READ_BYTES).decode(errors="replace")
    values: dict[str, str] = {name: value.strip("\"'") for name, value in _ARG.findall(text)}
    values.update(args)

    def value_of(found: re.Match[str]) -> str:
        value: str = values.get(found[1] or found[2], found[3] or "")
        return value[:_LONGEST]

    named = [*_FROM.findall(text), *_OTHER.findall(text)]
    images = (_VARIABLE.sub(value_of, image.strip("\"'")) for image in named)
    return list(dict.fromkeys(registry_of(image) for image in images if image))[:_MOST]
