from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table, create_engine, select

from lineshaft.store.columns import UtcDateTime

TIMES = Table("times", MetaData(), Column("at", UtcDateTime))
AWARE = st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001 # Hypothesis adds the zone.
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001 # As above.
    timezones=st.sampled_from(
        [UTC, timezone(timedelta(hours=5, minutes=45)), timezone(timedelta(hours=-11))]
    ),
)


@given(st.lists(AWARE, min_size=1))
def test_times_come_back_in_utc_and_in_order(times: list[datetime]) -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        TIMES.create(connection)
        connection.execute(TIMES.insert(), [{"at": time} for time in times])
        found = connection.scalars(select(TIMES.c.at).order_by(TIMES.c.at)).all()
    engine.dispose()

    assert list(found) == sorted(times)
    assert all(time.tzinfo is UTC for time in found)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        UtcDateTime().process_bind_param(
            datetime(2026, 1, 1),  # noqa: DTZ001 # That is the point.
            create_engine("sqlite://").dialect,
        )
