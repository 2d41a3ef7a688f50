"""Identity: signed tokens by which clouds know tasks, and what those who verify them ask for."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from lineshaft.model.errors import NotFoundError, SecretsUnavailableError
from lineshaft.model.signing_key import SigningKey, in_order_of_use, needs_successor, retired
from lineshaft.ports.cipher import Cipher
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.secrets.identity_claims import CLAIMS, task_claims
from lineshaft.services.secrets.pipeline_names import true_names
from lineshaft.services.secrets.signing import ALGORITHM, Signer, context_of_key, make_key, read_key
from lineshaft.wire.worker import LeaseMessage

DISCOVERY_PATH: Final = "/.well-known/openid-configuration"
"""Below the issuer, where verifiers begin (OpenID Connect Discovery 1.0, section 4)."""

KEYS_PATH: Final = "/.well-known/jwks.json"
"""Below the issuer, where the public keys are."""

_NO_ADDRESS: Final = "No address is set by which others know this server"
_SET_ADDRESS: Final = "Set LINESHAFT_PUBLIC_URL, such as https://ci.example.org, on the server."


@dataclass(frozen=True, slots=True)
class IdentityTerms:
    """How a server's identity tokens are made.

    Attributes:
        issuer: who makes them: the server's address as others know it; None makes none.
        good_for: how long each is good.
    """

    issuer: str | None = None
    good_for: timedelta = timedelta(seconds=900)


NO_IDENTITY: Final = IdentityTerms()
"""For servers that issue none."""


@dataclass(frozen=True, slots=True)
class Issued:
    """What a task is given.

    Attributes:
        tokens: by the variable that each comes in.
        audiences: whom they are for, in the same order.
        ids: their `jti`, in the same order.
    """

    tokens: Mapping[str, str]
    audiences: tuple[str, ...]
    ids: tuple[str, ...]

    def __repr__(self) -> str:
        """Show no token."""
        return f"Issued(audiences={self.audiences!r}, ids={self.ids!r})"


class IdentityService:
    """Issues identity tokens, and makes a new key from time to time.

    All server processes find the same keys in the database, and choose by the same rule. Two that make one at
    the same time have made two, which are both public, and of which both use the same.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        cipher: Cipher,
        terms: IdentityTerms,
        *,
        patience: timedelta,
    ) -> None:
        """Issue tokens.

        Args:
            store: has the keys, and the names of pipelines.
            clock: tells the time.
            ids: makes the ids of tokens.
            cipher: seals the keys.
            terms: how tokens are made.
            patience: how long to wait for whoever keeps the key that seals; a worker waits as long.
        """
        self._store = store
        self._clock = clock
        self._ids = ids
        self._cipher = cipher
        self._terms = terms
        self._patience = patience
        self._signers: dict[str, Signer] = {}
        self._making = asyncio.Lock()

    def configuration(self) -> Mapping[str, Any]:
        """Tell those who verify tokens how (OpenID Connect Discovery 1.0, section 3).

        Raises:
            NotFoundError: this server issues none.
        """
        issuer = self._terms.issuer
        if issuer is None:
            raise NotFoundError(f"{_NO_ADDRESS}, so that it issues no identity tokens.", advice=_SET_ADDRESS)
        return {
            "issuer": issuer,
            "jwks_uri": issuer + KEYS_PATH,
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "scopes_supported": ["openid"],
            "claims_supported": list(CLAIMS),
        }

    async def public_keys(self) -> Sequence[Mapping[str, Any]]:
        """List the keys that verify tokens, as JWKs; the first one is made when it is first asked for.

        Raises:
            NotFoundError: this server issues none.
            SecretsUnavailableError: the first one cannot be sealed.
        """
        self.configuration()
        keys = await self._store.read(_all) or await self._tended()
        gone = {key.id for key in retired(keys, self._clock.now())}
        return [key.public for key in keys if key.id not in gone]

    async def issue(self, lease: LeaseMessage, audiences: Mapping[str, str]) -> Issued:
        """Sign the tokens of a task.

        Args:
            lease: the task's.
            audiences: whom each is for, by the variable that it is to come in.

        Raises:
            SecretsUnavailableError: they cannot be signed, or would be those of another pipeline as well.
        """
        issuer = self._terms.issuer
        if issuer is None:
            raise SecretsUnavailableError(
                f"{_NO_ADDRESS}, which they would name as their issuer.", advice=_SET_ADDRESS
            )
        names = await self._store.read(lambda transaction: true_names(transaction, {lease.pipeline_id}))
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                signer = await self._signer()
        except TimeoutError:
            raise SecretsUnavailableError(
                f"Their key could not be had for {self._patience.total_seconds():g} seconds.",
                advice="Look at what keeps the key that seals it.",
            ) from None
        now = self._clock.now()
        ids = tuple(self._ids.new_token() for _ in audiences)
        about = {
            "iss": issuer,
            "iat": int(now.timestamp()),
            "nbf": int(now.timestamp()),
            "exp": int((now + self._terms.good_for).timestamp()),
            **task_claims(lease, names[lease.pipeline_id]),
        }
        claims = [
            {**about, "aud": audience, "jti": token_id}
            for audience, token_id in zip(audiences.values(), ids, strict=True)
        ]
        signed = await asyncio.to_thread(signer.sign, claims)
        return Issued(dict(zip(audiences, signed, strict=True)), tuple(audiences.values()), ids)

    async def _signer(self) -> Signer:
        """Find the key to sign with, and see to it that the next one is there in time."""
        keys, trouble = await self._store.read(_all), None
        try:
            if self._is_to_tend(keys):
                keys = await self._tended()
        except SecretsUnavailableError as error:
            # What there is goes on signing.
            trouble = error
        self._signers = {key.id: self._signers[key.id] for key in keys if key.id in self._signers}
        for key in in_order_of_use(keys, self._clock.now()):
            try:
                return self._signers.get(key.id) or await self._opened(key)
            except SecretsUnavailableError as error:
                # Another server, with another key file, has made it; this one uses its own.
                trouble = error
        raise trouble or SecretsUnavailableError("The key that signs has just gone.", advice="Try again.")

    async def _opened(self, key: SigningKey) -> Signer:
        private = await self._cipher.open(key.private, context_of_key(key.id))
        signer = self._signers[key.id] = await asyncio.to_thread(read_key, private, key.id)
        return signer

    def _is_to_tend(self, keys: Sequence[SigningKey]) -> bool:
        now = self._clock.now()
        return bool(retired(keys, now)) or needs_successor(keys, now, self._cipher.current_key_id)

    async def _tended(self) -> Sequence[SigningKey]:
        """Make the next key where it is time to, and remove those that have served.

        Returns:
            The keys that are there then.
        """
        async with self._making:
            now, sealing = self._clock.now(), self._cipher.current_key_id
            keys = await self._store.read(_all)
            if not self._is_to_tend(keys):
                return keys
            new = await self._made() if needs_successor(keys, now, sealing) else None

            def work(transaction: Transaction) -> Sequence[SigningKey]:
                there = transaction.signing_keys.all()
                if new is not None and needs_successor(there, now, sealing):
                    transaction.signing_keys.add(new)
                for key in retired(there, now):
                    transaction.signing_keys.remove(key.id)
                return transaction.signing_keys.all()

            return await self._store.write(work)

    async def _made(self) -> SigningKey:
        pair = await asyncio.to_thread(make_key)
        private = await self._cipher.seal(pair.private, context_of_key(pair.id))
        return SigningKey(pair.id, pair.public, private, self._clock.now())


def _all(transaction: Transaction) -> Sequence[SigningKey]:
    return transaction.signing_keys.all()
