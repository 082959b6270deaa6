import pytest
from bakery import create_app, db


@pytest.fixture(scope="session")
def app():
    """The one app of all tests; under pytest-xdist that of a worker."""
    app = create_app("sqlite://")
    with app.app_context():
        db.create_all()
    return app


@pytest.fixture(autouse=True)
def rolled_back(app):
    """Roll back at the end of each test what it has saved, by whichever session."""
    with app.app_context():
        engines = db.engines
    engine = engines[None]
    with engine.connect() as connection:
        transaction = connection.begin()
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")  # by itself sqlite3 would begin too late
        connection.begin_nested()  # so sessions join by savepoints, and may commit and roll back
        engines[None] = connection
        yield
        engines[None] = engine
        transaction.rollback()
    app.extensions["waffleconf"].update_conf()  # the values in memory too


@pytest.fixture
def client(app):
    return app.test_client()
