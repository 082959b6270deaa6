"""Mistakes in typed settings. mypy --strict and pyright find each line that is marked."""

from __future__ import annotations

from typing import Literal

from shop import Shop, waffle
from waffleconf_admin import Declaration, Settings, setting


def read() -> None:
    print(Shop.now().SITENMAE)  # wrong: misspelt
    size: str = Shop.now().MAX_FILESIZE  # wrong: it is an int
    print(size, Shop.now().LIMIT + 1)  # wrong: it may be None


def save() -> None:
    Shop.now().SITENAME = "Ours"  # wrong: only a save changes it
    waffle.state.update_bd({"SITENAME": "Ours"})  # wrong: misspelt


class Store(Settings):
    SITENAME: int = setting("Waffle")  # wrong: the default is no int
    MODE: Literal["live", "closed"] = setting("open")  # wrong: no such choice
    TOKEN: str = setting("", secert=True)  # wrong: misspelt
    SIZE: int = setting(1, min="x")  # wrong: no limit


TOKEN: Declaration = {"default": "", "secert": True}  # wrong: misspelt
SIZE: Declaration = {"default": 1, "min": "x"}  # wrong: no limit
