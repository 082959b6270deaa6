"""What is said where a store of the app's own lacks methods."""

from __future__ import annotations

import pytest
from flask import Flask
from states import CONFS, Memory

from waffleconf_admin import WaffleConf


class Partial(Memory):
    """A store of the four methods, with whatever attributes."""

    def __init__(self, **attributes: object) -> None:
        super().__init__()
        vars(self).update(attributes)


@pytest.mark.parametrize(
    ("attribute", "methods"),
    [
        ("history", "add_history, read_history, read_latest, prune_history"),
        ("keeps_ends", "read_ends, settle, clock"),
        ("workers", "report_worker, read_workers"),
    ],
)
def test_a_store_of_ones_own_that_lacks_methods_is_an_error_at_the_start(
    attribute: str, methods: str
) -> None:
    app = Flask("shop")
    with pytest.raises(TypeError, match=f"^Partial: with {attribute} it needs {methods}: "):
        WaffleConf(app, Partial(**{attribute: True}))


#: Commands, and what they say where the store has only the four methods.
SAID = {
    "prune": "can't list its keys: name them (flask waffle prune KEY), or let its read(None)",
    "prune --history --days 1": "There is no history",
    "history": "There is no history",
    "undo x": "There is no history",
    "deployed": "There is no history",
    "keep x": "only where a history is kept",
    "go-back x": "only where a history is kept",
    "set SITENAME x --until 2999-01-01": "only where a history is kept",
    "workers": "No process reports",
}


@pytest.mark.parametrize("command", SAID)
def test_commands_say_what_a_store_of_four_methods_lacks(command: str) -> None:
    app = Flask("shop")
    app.config["WAFFLE_CONFS"] = CONFS
    WaffleConf(app, Memory())
    result = app.test_cli_runner().invoke(args=["waffle", *command.split()])
    assert result.exit_code == 1 and result.output.startswith("Error: ")
    assert SAID[command] in result.output


def test_a_strict_check_passes_where_a_store_of_four_methods_lists_no_keys() -> None:
    app = Flask("shop")
    app.config["WAFFLE_CONFS"] = CONFS
    WaffleConf(app, Memory())
    result = app.test_cli_runner().invoke(args=["waffle", "check", "--strict"])
    assert "undeclared rows: 1 note\n  note    Memory can't list its keys" in result.output
    assert result.exit_code == 0, result.output
