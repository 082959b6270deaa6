"""Assets: our style sheets and scripts, at addresses that change with what is in any of them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Blueprint, request, url_for
from flask import Response as FlaskResponse
from werkzeug.wrappers import Response

FOLDER = Path(__file__).parent.parent / "static"
YEAR = 365 * 24 * 3600
#: One style sheet, written in several files. The first has the properties of a theme; the last
#: adapts to the window, so it overrides the others.
STYLE_SHEET = "waffleconf.css"
STYLES = ("base.css", "rows.css", "pages.css", "media.css")


def add(blueprint: Blueprint) -> None:
    """Let a blueprint serve ``/assets/<digest>/<filename>``."""

    def asset(digest: str, filename: str, **variables: object) -> Response:
        if filename == STYLE_SHEET:
            response: Response = _style_sheet()
        else:
            response = blueprint.send_static_file(filename)
        if digest == _digest():
            response.cache_control.no_cache = None
            response.cache_control.public = True
            response.cache_control.max_age = YEAR
            response.cache_control.immutable = True
        # Else it was asked for by a page of another version, and may change.
        return response

    blueprint.add_url_rule("/assets/<digest>/<filename>", "asset", asset)


def url(filename: str) -> str:
    """Return the address of an asset."""
    return url_for(".asset", digest=_digest(), filename=filename)


def _style_sheet() -> Response:
    response = FlaskResponse("".join(map(_read, STYLES)), mimetype="text/css")
    response.add_etag()
    return response.make_conditional(request)


def _read(filename: str) -> str:
    return (FOLDER / filename).read_text("utf-8")


@cache
def _digest() -> str:
    """Return one digest for all assets: a script imports others from the folder of its address."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]
