"""Which values can be masked in a log without blackening the rest of it."""

import re
from enum import StrEnum
from typing import Final

SHORTEST: Final = 8
"""What is masked has at least so many characters; the words of every log are shorter."""

_FEWEST_CHARACTERS: Final = 3
"""Rules (`--------`), zeros and the like are made of fewer."""

_WORDS: Final = """
    00000000 01234567 0123456789 11111111 12341234 12345678 123456789 1234567890 87654321 abcdefgh
    abcdefghijklmnopqrstuvwxyz qwertyui qwertyuiop asdfghjk
    password password1 password123 passw0rd passphrase p@ssw0rd changeme changeit letmein1 username
    administrator anonymous postgres postgresql
    production prod-env development staging1 preprod1 preproduction integration testing1 sandbox1
    localhost localhost.localdomain 127.0.0.1 https:// http://localhost https://localhost
    http://127.0.0.1 example.com example.org host.docker.internal github.com gitlab.com docker.io
    registry repository pipeline workspace lineshaft artifact artifacts container deployment kubernetes
    undefined disabled required optional unlimited automatic whatever something
    /usr/bin /usr/local /usr/local/bin /usr/sbin /bin/bash /home/runner /workspace /var/log /dev/null
    us-east-1 us-east-2 us-west-1 us-west-2 eu-west-1 eu-west-2 eu-west-3 eu-north-1 eu-central-1 eu-south-1
    ap-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-southeast-1 ap-southeast-2 ca-central-1 sa-east-1
    application/json text/plain utf-8-sig linux/amd64 linux/arm64 x86_64-linux-gnu
    certificate private_key privatekey publickey service_account
"""
_COMMON: Final = frozenset(_WORDS.split())

_FRAME: Final = re.compile(r"-----(?:BEGIN|END) [A-Z0-9 ]+-----")
"""What stands around every key and certificate (RFC 7468)."""

_LITTLE: Final = frozenset(
    {"", "0", "1", "[", "[]", "config", "false", "no", "none", "null", "true", "v1", "yes", "{", "{}"}
)

_ENTRY: Final = re.compile(r"""(?:- )?["']?[\w.-]+["']?\s*[:=]\s*["']?(?P<value>[^"']*)["']?,?""")
"""A line such as `"type": "service_account",`, which says no more than its value does."""

_LINE_END: Final = re.compile(r"[\r\n]+")
_WRITTEN_LINE_END: Final = re.compile(r"(?:\\r)?\\n")
"""A text within JSON has them, such as the private key of a service account."""


class Unmaskable(StrEnum):
    """Why a value cannot be masked."""

    TOO_SHORT = "too_short"
    TOO_COMMON = "too_common"
    NO_LINE = "no_line"

    @property
    def text(self) -> str:
        """Say it as a sentence about the value."""
        match self:
            case Unmaskable.TOO_SHORT:
                return f"It has fewer than {SHORTEST} characters, so that masking it would blacken every log."
            case Unmaskable.TOO_COMMON:
                return "It is so common that masking it would blacken every log."
            case Unmaskable.NO_LINE:
                return (
                    f"None of its lines can be masked: each has fewer than {SHORTEST} characters, "
                    "or is a common one."
                )


def why_unmaskable(value: str) -> Unmaskable | None:
    """Tell why a value cannot be kept out of logs; None when it can.

    White space around it does not count. Of several lines one has to be long and rare enough: a brace or
    `-----BEGIN CERTIFICATE-----` on a line of its own is no harm to anybody, and refuses no value.

    Args:
        value: the whole of it.
    """
    text = value.strip()
    if len(text) < SHORTEST:
        return Unmaskable.TOO_SHORT
    lines = _LINE_END.split(text)
    if len(lines) == 1:
        return Unmaskable.TOO_COMMON if _is_common(text) else None
    return None if any(_is_rare(line) for line in lines) else Unmaskable.NO_LINE


def maskable_parts(value: str) -> tuple[str, ...]:
    r"""Name what is to be masked of a value: the whole, and each line that is long and rare enough.

    A `\n` that is written out, as in JSON, ends a line as well.

    Returns:
        Distinct texts without white space around them, the whole first; none when it cannot be masked.
    """
    if why_unmaskable(value) is not None:
        return ()
    text = value.strip()
    lines = [part for line in _LINE_END.split(text) for part in (line, *_WRITTEN_LINE_END.split(line))]
    return tuple(dict.fromkeys((text, *(line.strip() for line in lines if _is_rare(line)))))


def _is_rare(line: str) -> bool:
    text = line.strip()
    entry = _ENTRY.fullmatch(text)
    says_little = entry is not None and entry["value"].lower() in _COMMON | _LITTLE
    return len(text) >= SHORTEST and not (says_little or _is_common(text))


def _is_common(line: str) -> bool:
    return (
        line.lower() in _COMMON or len(set(line)) < _FEWEST_CHARACTERS or _FRAME.fullmatch(line) is not None
    )
