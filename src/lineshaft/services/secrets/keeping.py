"""Secrets: set, list, delete, seal anew; nobody is told their values here."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from lineshaft.model.audit_entry import Action
from lineshaft.model.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    Problem,
    SecretsUnavailableError,
)
from lineshaft.model.maskable import why_unmaskable
from lineshaft.model.principal import Actor
from lineshaft.model.secret import (
    LONGEST_ENVIRONMENT,
    LONGEST_SECRET_NAME,
    LONGEST_VALUE_BYTES,
    SealedValue,
    Secret,
    SecretAddress,
    is_environment,
)
from lineshaft.model.signing_key import SigningKey
from lineshaft.model.variable import is_variable_name, why_reserved
from lineshaft.ports.cipher import Cipher
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.auditing import record
from lineshaft.services.pipelines import find_pipeline
from lineshaft.services.secrets.signing import context_of_key

_LOG: Final = logging.getLogger("lineshaft.secrets")
_MOST_TRIES: Final = 10
_BATCH: Final = 50


@dataclass(frozen=True, slots=True)
class Resealed:
    """What came of sealing everything with the current key.

    Attributes:
        key_id: the current key.
        count: how many secrets were sealed anew by this call.
        unopened: those that none of this server's keys opens; they are as they were.
        signing_keys: how many keys that sign identity tokens were sealed anew by this call.
    """

    key_id: str
    count: int
    unopened: tuple[Secret, ...]
    signing_keys: int = 0


class SecretService:
    """The use cases of secrets."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, cipher: Cipher) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._cipher = cipher

    async def set(self, address: SecretAddress, value: str, by: Actor) -> Secret:
        """Give a secret a value, whether it was there or not.

        Raises:
            InvalidInputError: the address or the value is none that a secret may have; it tells the reason.
            PipelineNotFoundError: there is no such pipeline.
            SecretsUnavailableError: whoever keeps the key does not answer.
            ConflictError: others set it at the same time, again and again.
        """
        _check_address(address)
        _check_value(value)
        for _ in range(_MOST_TRIES):
            known = await self._store.read(lambda transaction: _known(transaction, address))
            secret = await self._sealed(known, address, value, by)
            if await self._store.write(self._setting(secret, by)):
                return secret
        raise ConflictError(f"Others set {address.name} at the same time.", advice="Try again.")

    async def page(
        self, pipeline_id: UUID | None, *, after: tuple[str, str] | None, limit: int
    ) -> Sequence[Secret]:
        """List the secrets of a pipeline alone, or those for all pipelines.

        Args:
            pipeline_id: whose; None lists those for all pipelines.
            after: behind which name and environment (empty for none) to go on; None begins at the first.
            limit: how many at most.

        Raises:
            PipelineNotFoundError: there is no such pipeline.
        """

        def work(transaction: Transaction) -> Sequence[Secret]:
            if pipeline_id is not None:
                find_pipeline(transaction, pipeline_id)
            return transaction.secrets.of_pipeline(pipeline_id)

        found = await self._store.read(work)
        return [each for each in found if after is None or _place(each) > after][:limit]

    async def page_of_server(self, *, after: str | None, limit: int) -> Sequence[Secret]:
        """List the secrets for the server alone.

        Args:
            after: behind which name to go on; None begins at the first.
            limit: how many at most.
        """
        found = await self._store.read(lambda transaction: transaction.secrets.of_server())
        return [each for each in found if after is None or each.address.name > after][:limit]

    async def delete(self, address: SecretAddress, by: Actor) -> None:
        """Delete a secret.

        Raises:
            InvalidInputError: no secret can have this address.
            NotFoundError: there is none at exactly this address.
            PipelineNotFoundError: there is no such pipeline.
        """
        _check_address(address)
        now = self._clock.now()

        def work(transaction: Transaction) -> bool:
            if address.pipeline_id is not None:
                find_pipeline(transaction, address.pipeline_id)
            if not transaction.secrets.remove(address):
                return False
            record(
                transaction,
                ids=self._ids,
                now=now,
                by=by,
                action=Action.SECRET_DELETED,
                target=address.name,
                pipeline_id=address.pipeline_id,
                **_told_of(address),
            )
            return True

        if not await self._store.write(work):
            raise NotFoundError(
                f"There is no secret named {address.name} there.",
                advice="`lineshaft secret list` shows those there are, with whom each is for.",
            )

    async def reseal(self, by: Actor) -> Resealed:
        """Seal what another key has sealed with the current one, a few at a time.

        What is set, used or resealed meanwhile, by this server or another, is not held up. What a crash
        leaves undone is done by the next call.

        Raises:
            SecretsUnavailableError: whoever keeps the key does not answer.
        """
        key_id = self._cipher.current_key_id
        count = 0
        unopened: list[Secret] = []
        after: UUID | None = None
        while True:
            found = await self._store.read(_other_keys(key_id, after))
            if not found:
                break
            anew: list[tuple[Secret, SealedValue]] = []
            for secret in found:
                value = await self._sealed_anew(secret)
                if value is None:
                    unopened.append(secret)
                else:
                    anew.append((secret, value))
            count += await self._store.write(self._resealing(anew, key_id, by))
            after = found[-1].id
        return Resealed(key_id, count, tuple(unopened), await self._reseal_signing_keys(key_id, by))

    async def _reseal_signing_keys(self, key_id: str, by: Actor) -> int:
        """Seal the keys anew that sign identity tokens: they stay the same keys, under the same ids.

        One that cannot be opened is left as it is. No server signs with it, since another takes its place.
        """
        count = 0
        for key in await self._store.read(lambda transaction: transaction.signing_keys.all()):
            if key.private.key_id == key_id:
                continue
            context = context_of_key(key.id)
            try:
                plain = await self._cipher.open(key.private, context)
            except SecretsUnavailableError as error:
                _LOG.warning("The signing key %s cannot be sealed anew: %s", key.id, error.message)
                continue
            anew = await self._cipher.seal(plain, context)
            count += await self._store.write(self._resealing_key(key, anew, by))
        return count

    async def check_keys(self) -> None:
        """Say in the log which secrets this server cannot open, because it has not their keys."""
        counts = await self._store.read(lambda transaction: transaction.secrets.count_by_key())
        for key_id, count in sorted(counts.items()):
            sample = await self._store.read(_sample(key_id))
            if sample is None:
                continue
            try:
                await self._cipher.open(sample.value, context_of(sample))
            except SecretsUnavailableError as error:
                _LOG.error(
                    "%s cannot be opened by this server. %s %s",
                    "1 secret" if count == 1 else f"{count} secrets",
                    error.message,
                    error.advice,
                )

    async def _sealed(self, known: Secret | None, address: SecretAddress, value: str, by: Actor) -> Secret:
        now = self._clock.now()
        nothing = SealedValue("", b"")
        if known is None:
            secret = Secret(self._ids.new_id(), address, nothing, 1, now, now, by.name)
        else:
            secret = replace(known, version=known.version + 1, updated_at=now, updated_by=by.name)
        return replace(secret, value=await self._cipher.seal(value.encode(), context_of(secret)))

    async def _sealed_anew(self, secret: Secret) -> SealedValue | None:
        context = context_of(secret)
        try:
            plain = await self._cipher.open(secret.value, context)
        except SecretsUnavailableError as error:
            _LOG.warning("%s cannot be sealed anew: %s", secret.address.name, error.message)
            return None
        return await self._cipher.seal(plain, context)

    def _setting(self, secret: Secret, by: Actor) -> Callable[[Transaction], bool]:
        def work(transaction: Transaction) -> bool:
            pipeline_id = secret.address.pipeline_id
            if pipeline_id is not None:
                find_pipeline(transaction, pipeline_id)
            put = transaction.secrets.add if secret.version == 1 else transaction.secrets.replace
            if not put(secret):
                return False
            record(
                transaction,
                ids=self._ids,
                now=secret.updated_at,
                by=by,
                action=Action.SECRET_SET,
                target=secret.address.name,
                pipeline_id=pipeline_id,
                **_told_of(secret.address),
                version=secret.version,
            )
            return True

        return work

    def _resealing_key(self, key: SigningKey, anew: SealedValue, by: Actor) -> Callable[[Transaction], bool]:
        def work(transaction: Transaction) -> bool:
            if not transaction.signing_keys.reseal(key, anew):
                return False
            record(
                transaction,
                ids=self._ids,
                now=self._clock.now(),
                by=by,
                action=Action.SECRETS_RESEALED,
                target=anew.key_id,
                signing_key=key.id,
            )
            return True

        return work

    def _resealing(
        self, anew: Sequence[tuple[Secret, SealedValue]], key_id: str, by: Actor
    ) -> Callable[[Transaction], int]:
        def work(transaction: Transaction) -> int:
            count = sum(transaction.secrets.reseal(secret, value) for secret, value in anew)
            if count:
                record(
                    transaction,
                    ids=self._ids,
                    now=self._clock.now(),
                    by=by,
                    action=Action.SECRETS_RESEALED,
                    target=key_id,
                    count=count,
                )
            return count

        return work


def context_of(secret: Secret) -> bytes:
    """Say what a secret's value is bound to, so that it opens in no other's place, nor in that of a later."""
    address = secret.address
    parts = (
        "secret",
        str(secret.id),
        str(secret.version),
        "server" if address.for_server else str(address.pipeline_id or ""),
        address.environment or "",
        address.name,
    )
    return "\0".join(parts).encode()


def _other_keys(key_id: str, after: UUID | None) -> Callable[[Transaction], Sequence[Secret]]:
    return lambda transaction: transaction.secrets.sealed_otherwise(key_id, after=after, limit=_BATCH)


def _sample(key_id: str) -> Callable[[Transaction], Secret | None]:
    return lambda transaction: transaction.secrets.any_sealed_with(key_id)


def _known(transaction: Transaction, address: SecretAddress) -> Secret | None:
    if address.pipeline_id is not None:
        find_pipeline(transaction, address.pipeline_id)
    return transaction.secrets.get(address)


def _place(secret: Secret) -> tuple[str, str]:
    return secret.address.name, secret.address.environment or ""


def _told_of(address: SecretAddress) -> dict[str, str | bool | None]:
    """Say for the audit log whom a secret is for, beside its pipeline."""
    return {"for_server": True} if address.for_server else {"environment": address.environment}


def _check_address(address: SecretAddress) -> None:
    problems = []
    if not is_variable_name(address.name) or len(address.name) > LONGEST_SECRET_NAME:
        message = (
            f"must be 1 to {LONGEST_SECRET_NAME} letters, digits and `_`, not beginning with a digit: it is"
            " the variable in which tasks find the secret"
        )
        problems.append(Problem("name", message))
    elif (why := why_reserved(address.name)) is not None:
        problems.append(Problem("name", why))
    if address.environment is not None and not is_environment(address.environment):
        message = f"must be 1 to {LONGEST_ENVIRONMENT} letters, digits, `_` and `-`, not a digit or `-` first"
        problems.append(Problem("environment", message))
    if problems:
        raise InvalidInputError("No secret can have this name.", problems=problems)


def _check_value(value: str) -> None:
    why = why_refused(value)
    if why is not None:
        # The value itself is repeated nowhere.
        raise InvalidInputError("No secret can have this value.", problems=[Problem("value", why)])


def why_refused(value: str) -> str | None:
    """Tell, to be read behind its name, what is wrong with a value; None where a secret may have it."""
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return "must be text in UTF-8; write bytes as base64, and let the task decode it"
    if size > LONGEST_VALUE_BYTES:
        return f"must not be longer than {LONGEST_VALUE_BYTES:,} bytes; it has {size:,}"
    if "\0" in value:
        return (
            "must not hold a NUL, which no environment can; write bytes as base64, and let the task decode it"
        )
    unmaskable = why_unmaskable(value)
    if unmaskable is None:
        return None
    said = unmaskable.text
    return f"must be one that can be masked in logs: {said[0].lower()}{said[1:].rstrip('.')}"
