"""Definitions, stored once per content."""

from typing import Final

from sqlalchemy import bindparam, select

from lineshaft.model.definition import Definition, Format
from lineshaft.store.schema import definitions
from lineshaft.store.session import Session
from lineshaft.store.upsert import insert_or_keep

_INSERT: Final = insert_or_keep(definitions, "hash")
_SELECT: Final = select(definitions.c.format, definitions.c.text).where(
    definitions.c.hash == bindparam("of_hash")
)


class SqlDefinitions:
    """Definitions by their content hash."""

    def __init__(self, session: Session) -> None:
        """Take part in a transaction."""
        self._session = session

    def add(self, definition: Definition) -> None:
        """Store one, unless its content is stored already."""
        if self._session.memory.definitions.get(definition.hash) is None:
            values = {"hash": definition.hash, "format": definition.format.value, "text": definition.text}
            self._session.connection.execute(_INSERT, values)
        self._session.definitions[definition.hash] = definition

    def get(self, definition_hash: str) -> Definition | None:
        """Find one by its hash."""
        session = self._session
        known = session.definitions.get(definition_hash) or session.memory.definitions.get(definition_hash)
        if known is not None:
            return known
        row = session.connection.execute(_SELECT, {"of_hash": definition_hash}).one_or_none()
        if row is None:
            return None
        definition = session.memory.read_definition(Format(row.format), row.text)
        session.definitions[definition_hash] = definition
        return definition

    def stored(self, definition_hash: str) -> Definition:
        """Find one that must be there, because a foreign key says so."""
        definition = self.get(definition_hash)
        if definition is None:
            raise LookupError(f"no definition {definition_hash}, although a row refers to it")
        return definition
