"""Secrets in the database."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, and_, bindparam, delete, func, select, update

from lineshaft.model.secret import NO_PIPELINE, SealedValue, Secret, SecretAddress
from lineshaft.store.schema import secrets
from lineshaft.store.session import Session
from lineshaft.store.upsert import insert_or_keep

_ALL_PIPELINES: Final = UUID(int=0)
_SERVER: Final = UUID(int=2**128 - 1)
"""Whose they are that no task is given: no pipeline has this id, so no lookup for one comes upon them."""
_ANY_ENVIRONMENT: Final = ""
_NAMES_AT_ONCE: Final = 500
"""Databases take only so many parameters in one statement."""

_AT: Final = and_(
    secrets.c.pipeline_id == bindparam("of_pipeline"),
    secrets.c.environment == bindparam("of_environment"),
    secrets.c.name == bindparam("of_name"),
)
_SELECT: Final = select(secrets).where(_AT)
_SELECT_OF_PIPELINE: Final = (
    select(secrets)
    .where(secrets.c.pipeline_id == bindparam("of_pipeline"))
    .order_by(secrets.c.name, secrets.c.environment)
)
_INSERT: Final = insert_or_keep(secrets, "pipeline_id", "environment", "name")
_REPLACE: Final = (
    update(secrets)
    .where(secrets.c.id == bindparam("of_id"), secrets.c.version == bindparam("of_version"))
    .values(
        key_id=bindparam("new_key"),
        data=bindparam("new_data"),
        version=bindparam("new_version"),
        updated_at=bindparam("at"),
        updated_by=bindparam("by"),
    )
)
_RESEAL: Final = (
    update(secrets)
    .where(
        secrets.c.id == bindparam("of_id"),
        secrets.c.version == bindparam("of_version"),
        secrets.c.key_id == bindparam("of_key"),
    )
    .values(key_id=bindparam("new_key"), data=bindparam("new_data"))
)
_DELETE: Final = delete(secrets).where(_AT)
_DELETE_OF_PIPELINE: Final = delete(secrets).where(secrets.c.pipeline_id == bindparam("of_pipeline"))
_COUNT_BY_KEY: Final = select(secrets.c.key_id, func.count()).group_by(secrets.c.key_id)


class SqlSecrets:
    """Sealed secrets; see `ports.store.Secrets`."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def get(self, address: SecretAddress) -> Secret | None:
        """Find one by its whole address."""
        row = self._session.connection.execute(_SELECT, _at(address)).first()
        return None if row is None else _secret(row)

    def add(self, secret: Secret) -> bool:
        """Add one; False when there is one at its address."""
        self._session.change()
        values = {
            "id": secret.id,
            "name": secret.address.name,
            "pipeline_id": _owner(secret.address),
            "environment": secret.address.environment or _ANY_ENVIRONMENT,
            "key_id": secret.value.key_id,
            "data": secret.value.data,
            "version": secret.version,
            "created_at": secret.created_at,
            "updated_at": secret.updated_at,
            "updated_by": secret.updated_by,
        }
        return self._session.connection.execute(_INSERT, values).rowcount > 0

    def replace(self, secret: Secret) -> bool:
        """Give a secret its next value; False when the version before it is not there."""
        self._session.change()
        values = {
            "of_id": secret.id,
            "of_version": secret.version - 1,
            "new_key": secret.value.key_id,
            "new_data": secret.value.data,
            "new_version": secret.version,
            "at": secret.updated_at,
            "by": secret.updated_by,
        }
        return self._session.connection.execute(_REPLACE, values).rowcount > 0

    def reseal(self, secret: Secret, value: SealedValue) -> bool:
        """Seal the same value of a secret in another way; False when it is not as it was read."""
        self._session.change()
        values = {
            "of_id": secret.id,
            "of_version": secret.version,
            "of_key": secret.value.key_id,
            "new_key": value.key_id,
            "new_data": value.data,
        }
        return self._session.connection.execute(_RESEAL, values).rowcount > 0

    def remove(self, address: SecretAddress) -> bool:
        """Remove one; False when there is none at the address."""
        self._session.change()
        return self._session.connection.execute(_DELETE, _at(address)).rowcount > 0

    def remove_of_pipeline(self, pipeline_id: UUID) -> int:
        """Remove all that are for one pipeline alone, and return how many there were."""
        self._session.change()
        return self._session.connection.execute(_DELETE_OF_PIPELINE, {"of_pipeline": pipeline_id}).rowcount

    def of_pipeline(self, pipeline_id: UUID | None) -> Sequence[Secret]:
        """List those of a pipeline alone, or those for all pipelines; by name, then environment."""
        return self._of_owner(pipeline_id or _ALL_PIPELINES)

    def of_server(self) -> Sequence[Secret]:
        """List those for the server alone, by name."""
        return self._of_owner(_SERVER)

    def _of_owner(self, owner: UUID) -> Sequence[Secret]:
        rows = self._session.connection.execute(_SELECT_OF_PIPELINE, {"of_pipeline": owner})
        return [_secret(row) for row in rows]

    def fitting(self, pipeline_id: UUID, names: Collection[str]) -> Sequence[Secret]:
        """List those of some names that tasks of a pipeline, or the server, may be given."""
        found: list[Secret] = []
        for some in _portions(names):
            statement = select(secrets).where(*_fitting(pipeline_id, some))
            found += map(_secret, self._session.connection.execute(statement))
        return found

    def addresses(self, pipeline_id: UUID, names: Collection[str]) -> frozenset[SecretAddress]:
        """Tell the addresses of what `fitting` lists."""
        found: set[SecretAddress] = set()
        columns = (secrets.c.name, secrets.c.pipeline_id, secrets.c.environment)
        for some in _portions(names):
            statement = select(*columns).where(*_fitting(pipeline_id, some))
            found.update(map(_address, self._session.connection.execute(statement)))
        return frozenset(found)

    def sealed_otherwise(self, key_id: str, *, after: UUID | None, limit: int) -> Sequence[Secret]:
        """List those that another key than this has sealed, by id, from behind `after`."""
        statement = select(secrets).where(secrets.c.key_id != key_id)
        if after is not None:
            statement = statement.where(secrets.c.id > after)
        statement = statement.order_by(secrets.c.id).limit(limit)
        return [_secret(row) for row in self._session.connection.execute(statement)]

    def any_sealed_with(self, key_id: str) -> Secret | None:
        """Find one of those that a key has sealed."""
        statement = select(secrets).where(secrets.c.key_id == key_id).limit(1)
        row = self._session.connection.execute(statement).first()
        return None if row is None else _secret(row)

    def count_by_key(self) -> Mapping[str, int]:
        """Count the secrets that each key has sealed, by the key's id."""
        return {row[0]: row[1] for row in self._session.connection.execute(_COUNT_BY_KEY)}


def _at(address: SecretAddress) -> dict[str, Any]:
    return {
        "of_pipeline": _owner(address),
        "of_environment": address.environment or _ANY_ENVIRONMENT,
        "of_name": address.name,
    }


def _owner(address: SecretAddress) -> UUID:
    return _SERVER if address.for_server else address.pipeline_id or _ALL_PIPELINES


def _fitting(pipeline_id: UUID, names: Collection[str]) -> tuple[Any, Any]:
    owner = _SERVER if pipeline_id == NO_PIPELINE else pipeline_id
    return secrets.c.pipeline_id.in_((owner, _ALL_PIPELINES)), secrets.c.name.in_(names)


def _portions(names: Collection[str]) -> Iterator[tuple[str, ...]]:
    rest = iter(sorted(set(names)))
    while some := tuple(islice(rest, _NAMES_AT_ONCE)):
        yield some


def _secret(row: Row[Any]) -> Secret:
    return Secret(
        id=row.id,
        address=_address(row),
        value=SealedValue(row.key_id, bytes(row.data)),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        updated_by=row.updated_by,
    )


def _address(row: Any) -> SecretAddress:
    owner = row.pipeline_id
    pipeline_id = None if owner in {_ALL_PIPELINES, _SERVER} else owner
    return SecretAddress(row.name, pipeline_id, row.environment or None, for_server=owner == _SERVER)
