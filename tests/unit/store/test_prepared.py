from collections.abc import Iterator
from uuid import UUID, uuid5

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    Uuid,
    bindparam,
    create_engine,
    insert,
    literal,
    select,
    update,
)

from lineshaft.store.prepared import Prepared

PARTS = Table(
    "parts",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("count", Integer),
    Column("name", String),
)
ID = uuid5(UUID(int=0), "part")
INSERT = Prepared(insert(PARTS), "id", "count")
SELECT = Prepared(select(PARTS.c.count, PARTS.c.id, literal("fixed")).where(PARTS.c.id == bindparam("of_id")))


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.begin() as opened:
        PARTS.create(opened)
        yield opened
    engine.dispose()


def test_values_go_in_and_out_in_the_forms_of_their_types(connection: Connection) -> None:
    INSERT.execute(connection, {"id": ID, "count": 3, "name": "not one of its columns"})

    assert SELECT.rows(connection, {"of_id": ID}) == [(3, ID, "fixed")]
    assert connection.execute(select(PARTS.c.name)).scalar() is None


def test_the_number_of_changed_rows_is_told(connection: Connection) -> None:
    INSERT.execute(connection, {"id": ID, "count": 3})
    change = Prepared(update(PARTS).where(PARTS.c.count == bindparam("of_count")), "name")

    assert change.execute(connection, {"of_count": 3, "name": "bolt"}) == 1
    assert change.execute(connection, {"of_count": 4, "name": "nut"}) == 0


@pytest.mark.parametrize("count", [0, 1, 3])
def test_many_values_are_taken_at_once(connection: Connection, count: int) -> None:
    INSERT.execute_many(connection, [{"id": UUID(int=number), "count": number} for number in range(count)])

    assert list(connection.scalars(select(PARTS.c.count).order_by(PARTS.c.count))) == list(range(count))


def test_a_missing_value_is_refused(connection: Connection) -> None:
    with pytest.raises(KeyError, match="count"):
        INSERT.execute(connection, {"id": ID})
