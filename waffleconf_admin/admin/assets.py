"""Assets: our style sheets and scripts, at addresses that change with what is in any of them."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from mimetypes import guess_type
from pathlib import Path

from flask import Blueprint, request, url_for
from flask import Response as FlaskResponse
from werkzeug.wrappers import Response

FOLDER = Path(__file__).parent.parent / "static"
YEAR = 365 * 24 * 3600
#: The style sheet and the script of the pages, and the files in which each is written. Of the
#: style sheets the first has the properties of a theme; the last adapts to the window, so it
#: overrides the others. Of the scripts each imports from those before it.
JOINED = {
    "waffleconf.css": ("base.css", "rows.css", "pages.css", "media.css"),
    "waffleconf.js": (
        "dom.js", "controls.js", "search.js", "finder.js", "sending.js", "unsaved.js", "bar.js",
        "page.js",
    ),
}  # fmt: skip
#: What is left out when files are joined: comments on lines of their own, and how scripts import
#: from each other.
LEFT_OUT = re.compile(r"^ *//.*\n|/\*[^*]*\*/\n?|^import .*\n|^export ", re.MULTILINE)


def add(blueprint: Blueprint) -> None:
    """Let a blueprint serve ``/assets/<digest>/<filename>``, of a file or of joined ones."""

    def asset(digest: str, filename: str, **variables: object) -> Response:
        if filename in JOINED:
            response = FlaskResponse(joined(filename), mimetype=guess_type(filename)[0])
            response.add_etag()
            response.make_conditional(request)
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


@cache
def joined(filename: str) -> str:
    """Return the text of files that are sent as one: so it is asked for once, and compressed as a
    whole.
    """
    return "".join(
        LEFT_OUT.sub("", (FOLDER / name).read_text("utf-8")) for name in JOINED[filename]
    )


@cache
def _digest() -> str:
    """Return one digest for all assets."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]
