"""Assets: our style sheet and script, at addresses that change with what is in them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Blueprint, url_for
from werkzeug.wrappers import Response

FOLDER = Path(__file__).parent.parent / "static"
YEAR = 365 * 24 * 3600


def add(blueprint: Blueprint) -> None:
    """Let a blueprint serve ``/assets/<digest>/<filename>``."""

    def asset(digest: str, filename: str, **variables: object) -> Response:
        response = blueprint.send_static_file(filename)
        if digest == _digest(filename):
            response.cache_control.no_cache = None
            response.cache_control.public = True
            response.cache_control.max_age = YEAR
            response.cache_control.immutable = True
        # Else it was asked for by a page of another version, and may change.
        return response

    blueprint.add_url_rule("/assets/<digest>/<filename>", "asset", asset)


def url(filename: str) -> str:
    """Return the address of an asset."""
    return url_for(".asset", digest=_digest(filename), filename=filename)


@cache
def _digest(filename: str) -> str:
    path = FOLDER / filename
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else ""
