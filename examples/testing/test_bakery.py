import pytest

from waffleconf_admin.testing import override_conf


def test_a_block(client):
    with override_conf(OPEN=False):
        assert client.get("/").text == "Bakery: closed"
    assert client.get("/").text == "Bakery: open"


@override_conf(SITENAME="Crêperie")
def test_a_decorated_function(client):
    assert client.get("/").text == "Crêperie: open"


@pytest.mark.override_conf(SITENAME="Crêperie")
class TestMarkers:
    def test_of_the_class(self, client):
        assert client.get("/").text == "Crêperie: open"

    @pytest.mark.override_conf(OPEN=False)
    def test_of_both(self, client):
        assert client.get("/").text == "Crêperie: closed"


def test_the_fixture(client, override_conf):
    override_conf(LIMIT=2)  # until the end of the test
    client.post("/order")
    assert client.get("/").text == "Bakery: open"
    client.post("/order")  # which saves a setting
    assert client.get("/").text == "Bakery: closed"


@pytest.mark.parametrize("time", ["first", "second"])
def test_what_was_saved_is_rolled_back(client, app, time):
    assert client.get("/").text == "Bakery: open"
    app.extensions["waffleconf"].update_db({"SITENAME": time, "LIMIT": 1})
    client.post("/order")
    assert client.get("/").text == f"{time}: closed"
