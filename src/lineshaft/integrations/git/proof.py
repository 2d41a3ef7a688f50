"""Proof that a login may read a repository."""

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from lineshaft.integrations.git.remote import Remote

LASTING: Final = timedelta(minutes=5)

_MOST: Final = 4096


class Proofs:
    """Remembers with which logins remotes have answered lately.

    All who sign in at a repository share one mirror of it, since many logins live no longer than an hour. So
    nobody reads from it without the network before the remote has answered the same login, nor long after.
    """

    def __init__(self, lasting: timedelta = LASTING, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Know of no answer yet.

        Args:
            lasting: how long an answer is good.
            monotonic: tells the time in seconds.
        """
        self._lasting: Final = lasting.total_seconds()
        self._monotonic: Final = monotonic
        self._key: Final = secrets.token_bytes(32)
        self._answered: Final[OrderedDict[bytes, float]] = OrderedDict()

    def digest(self, remote: Remote) -> bytes:
        """Name an address and a login; nobody can tell them from it."""
        login = remote.login
        words = [remote.address] if login is None else [remote.address, login.username, login.password]
        return hmac.digest(self._key, repr(words).encode(errors="surrogatepass"), hashlib.sha256)

    def note(self, remote: Remote) -> None:
        """Note that a remote has just answered."""
        if remote.login is None:
            return
        digest = self.digest(remote)
        self._answered[digest] = self._monotonic()
        self._answered.move_to_end(digest)
        if len(self._answered) > _MOST:
            self._answered.popitem(last=False)

    def has(self, remote: Remote) -> bool:
        """Tell whether a remote need not be asked; without a login it never need."""
        if remote.login is None:
            return True
        answered = self._answered.get(self.digest(remote))
        return answered is not None and self._monotonic() - answered < self._lasting
