"""The clock of a database, which decides when saves go back, knows no local time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pymysql
import pytest
import sqlalchemy as sa
from playhouse.db_url import connect
from sqlalchemy import orm as sqlalchemy_orm
from sqlalchemy.engine import make_url

from waffleconf_admin.store import AlchemyWaffleStore, PeeweeWaffleStore, WaffleStore

#: When the clocks of the zone go back by an hour; the hour before comes twice.
BACK = datetime(2026, 10, 25, 1, tzinfo=UTC)
#: The local times of a zone with summer time, without the files of a zone.
ZONE = """
INSERT INTO time_zone (Use_leap_seconds) VALUES ('N');
SET @id = LAST_INSERT_ID();
INSERT INTO time_zone_name (Name, Time_zone_id) VALUES ('Test/Berlin', @id);
INSERT INTO time_zone_transition_type VALUES (@id, 0, 7200, 1, 'CEST'), (@id, 1, 3600, 0, 'CET');
INSERT INTO time_zone_transition VALUES (@id, 0, 0), (@id, {back}, 1);
"""


@pytest.fixture(scope="module")
def zone(mariadb_server: str) -> str:
    """A time zone that MariaDB knows."""
    url = make_url(mariadb_server)
    server = {"host": url.host, "port": url.port, "user": url.username, "database": url.database}
    with closing(pymysql.connect(**server, ssl_disabled=True, autocommit=True)) as connection:
        for statement in ZONE.format(back=int(BACK.timestamp())).split(";")[:-1]:
            connection.cursor().execute(statement)
    return "Test/Berlin"


@pytest.fixture
def make_store(mariadb_url: str, orm: str) -> Iterator[Callable[[str], WaffleStore]]:
    """Makes a store whose connections begin with a statement."""
    ends: list[Callable[[], object]] = []

    def make(statement: str) -> WaffleStore:
        url = make_url(mariadb_url).update_query_dict({"init_command": statement})
        if orm == "sqlalchemy":
            engine = sa.create_engine(url)
            ends.append(engine.dispose)
            session = sqlalchemy_orm.scoped_session(sqlalchemy_orm.sessionmaker(engine))
            models = AlchemyWaffleStore.make_models(sqlalchemy_orm.declarative_base())
            return AlchemyWaffleStore(session, *models)
        database = connect(url.render_as_string().replace("mysql+pymysql", "mysql"))
        ends.append(database.close)
        return PeeweeWaffleStore(database, *PeeweeWaffleStore.make_models(database))

    yield make
    for end in ends:
        end()


@pytest.mark.parametrize("minutes", [-90, -30, 30, 90])
def test_no_hour_of_mariadb_comes_twice(
    make_store: Callable[[str], WaffleStore], zone: str, minutes: int
) -> None:
    at = (BACK + timedelta(minutes=minutes)).timestamp()
    store = make_store(f"SET time_zone = '{zone}', timestamp = {at}")
    assert store.clock() == at
