"""The settings of the shop."""

from __future__ import annotations

from typing import Any

CONFS: dict[str, dict[str, Any]] = {
    "SITENAME": {"desc": "Name of the shop", "default": "Waffle", "max": 40},
    "PAGE_SIZE": {"desc": "Products on a page", "default": 20, "min": 1, "max": 100},
    "MAIL_TOKEN": {"desc": "Token of the mail service", "default": "", "secret": True},
}
