"""Links: the pages that lead to each other in the bar at the top."""

from __future__ import annotations

from typing import NamedTuple

from flask import request, url_for

from ..i18n import gettext as _
from ..permissions import Permissions
from ..state.history import History

#: Views that belong to the page of another one.
_PAGE_OF = {"undo": "history", "compare": "history"}


class Link(NamedTuple):
    """A link to a page, with its text."""

    text: str
    url: str
    is_current: bool  #: whether the request is for this page


def page_links(history: History | None, permissions: Permissions) -> list[Link]:
    """Return the links to the pages that the user may see, for a request of one of them."""
    current = _view()
    current = _PAGE_OF.get(current, current)
    pages = [("files", _("Import, export"))]
    if current != "index":  # whose heading says so
        pages.insert(0, ("index", _("Settings")))
    if history is not None and permissions.with_history:
        pages.append(("history", _("History")))
    return [Link(text, url_for(f".{name}"), name == current) for name, text in pages]


def filtered_url() -> str:
    """Return the address of the settings page, with the filter of the request's own address."""
    query = request.query_string.decode("utf-8", "replace")
    return url_for(".index") + (f"?{query}" if query else "")


def history_links() -> list[Link]:
    """Return the links beside the history, to what it can show."""
    pages = {"history": _("All changes"), "compare": _("Compare two times")}
    return [Link(text, url_for(f".{name}"), name == _view()) for name, text in pages.items()]


def _view() -> str:
    return str(request.endpoint).rpartition(".")[2]
