"""Authentication: who calls, by a password, a token or a browser session."""

import hashlib
from typing import Final

from lineshaft.model.errors import BadCredentialsError
from lineshaft.model.principal import Means, Principal
from lineshaft.services.access.credentials import CredentialService
from lineshaft.services.access.known_callers import KnownCallers
from lineshaft.services.access.noting import Noting
from lineshaft.services.access.proof import Proof
from lineshaft.services.access.token_text import PREFIX, token_hash
from lineshaft.services.access.wrong_credentials import WrongCredentials

TOKEN_PREFIX: Final = PREFIX.encode()
"""How tokens begin, as they are sent."""


class Authentication:
    """Tells who calls.

    What was good a moment ago costs microseconds; roles, grants and tokens are at most two seconds old.
    """

    def __init__(
        self,
        credentials: CredentialService,
        callers: KnownCallers,
        wrong: WrongCredentials,
        noting: Noting,
    ) -> None:
        """Put together what it asks.

        Args:
            credentials: checks passwords.
            callers: the callers as the database knows them.
            wrong: counts wrong credentials.
            noting: has it written who was seen, and who was refused.
        """
        self._credentials = credentials
        self._callers = callers
        self._wrong = wrong
        self._noting = noting

    async def by_password(self, name: str, password: str, address: str) -> tuple[Principal, Proof]:
        """Tell who calls with a name and a password.

        Args:
            name: the user's.
            password: the user's.
            address: the network address that the call comes from.

        Raises:
            BadCredentialsError: they are wrong, or the user is disabled.
            TooManyAttemptsError: too many wrong ones came from there.
            StoreUnavailableError: the database does not answer.
        """
        self._wrong.refuse_guessing(address, name)
        remembered = self._credentials.remembered(name, password)
        if remembered is not None:
            principal = self._at_hand(remembered)
            if principal is not None:
                return principal, remembered
        user = await self._credentials.check(name, password, address)
        proof = Proof((Means.PASSWORD, user.name), user.password_hash)
        return await self.again(proof), proof

    async def by_token(
        self, token: bytes, address: str, certificate: str | None = None
    ) -> tuple[Principal, Proof]:
        """Tell who calls with a token. A good one is good even where many wrong ones come from.

        Args:
            token: as it was shown.
            address: the network address that the call comes from.
            certificate: the thumbprint of the client certificate that was shown; None where none was.

        Raises:
            BadCredentialsError: it is wrong, expired or revoked, its user is disabled, or it is good only
                together with another certificate.
            TooManyAttemptsError: the same, and too many wrong credentials came from there.
            StoreUnavailableError: the database does not answer.
        """
        # What is looked up is a hash, so that how long that takes tells nothing of any token.
        proof = Proof((Means.TOKEN, token_hash(token)), certificate=certificate)
        try:
            return self._at_hand(proof) or await self.again(proof), proof
        except BadCredentialsError:
            self.refuse(Means.TOKEN, address)
            raise

    async def by_session(self, cookie: bytes) -> tuple[Principal, Proof]:
        """Tell who calls with a browser's cookie.

        A wrong one is not counted: browsers go on showing one that has expired, and nobody guesses 256 bits.

        Args:
            cookie: its value.

        Raises:
            BadCredentialsError: it is wrong or expired, the user has signed out or is disabled.
            StoreUnavailableError: the database does not answer.
        """
        proof = Proof((Means.SESSION, hashlib.sha256(cookie).hexdigest()))
        return self._at_hand(proof) or await self.again(proof), proof

    async def again(self, proof: Proof) -> Principal:
        """Tell who calls with what was shown before, as of now.

        Raises:
            BadCredentialsError: it is worth nothing any more.
            StoreUnavailableError: the database does not answer.
        """
        principal = self._at_hand(proof)
        if principal is not None:
            return principal
        known = await self._callers.find(proof.key)
        if known is None or not proof.is_right(known):
            raise BadCredentialsError
        if not proof.fits(known):
            raise BadCredentialsError(needs_certificate=True)
        self._noting.saw(known.principal)
        return known.principal

    def refuse(self, means: Means, address: str) -> None:
        """Count a wrong token or worker key.

        Args:
            means: what was shown.
            address: the network address that it came from.

        Raises:
            TooManyAttemptsError: too many wrong credentials came from there.
        """
        self._wrong.refuse_guessing(address)
        if self._wrong.count(address):
            self._noting.refused("", means, address)

    def forget(self) -> None:
        """Ask the database anew about all who call from now on; to be told behind each change of them."""
        self._callers.forget()

    def _at_hand(self, proof: Proof) -> Principal | None:
        known = self._callers.at_hand(proof.key)
        return known.principal if known is not None and proof.fits(known) else None
