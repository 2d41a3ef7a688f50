"""What stood between us and a server, in words for people."""

import os
import ssl
import textwrap
from collections.abc import Iterator
from typing import Final

_LONGEST: Final = 1000


def cause_of(error: BaseException) -> str:
    """Say why a connection failed: what the operating system or TLS said, where one of them did.

    HTTP clients wrap that in errors of their own, often without any text, so the whole chain is searched.
    """
    for link in _chain(error):
        match link:
            case ssl.SSLCertVerificationError(verify_message=words) | ssl.SSLError(reason=str() as words):
                return f"TLS failed ({words})"
            case TimeoutError():
                return "no answer in time"
            case OSError(errno=int() as number) if number > 0:
                return f"{os.strerror(number)} ({link.filename})" if link.filename else os.strerror(number)
            case OSError(strerror=str() as text):
                return text
            case _:
                pass
    return brief(str(error)) or type(error).__name__


def brief(text: str) -> str:
    """Make one line of at most 1000 characters of what another program said."""
    return textwrap.shorten(text, _LONGEST, placeholder=" ...")


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__
