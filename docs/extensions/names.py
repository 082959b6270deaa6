"""Names in tables: each gets an anchor, and an entry in the inventory of the site."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.nodes import make_id

#: Tables by what stands above their first column, and what the names in it are in the inventory.
TABLES = {
    "setting": "setting",
    "attribute": "attribute",
    "option": "pageoption",
    "property": "property",
    "block": "block",
    "field": "logfield",
}


class NamesInTables(SphinxTransform):
    """Makes objects of the names in the first column of some tables."""

    default_priority = 500

    def apply(self, **options: Any) -> None:
        domain = self.env.domains.standard_domain
        for table in self.document.findall(nodes.table):
            rows = list(table.findall(nodes.row))
            kind = TABLES.get(rows[0][0].astext())
            if kind is None:
                continue
            for literal in [found for row in rows[1:] for found in row[0].findall(nodes.literal)]:
                if (kind, literal.astext()) in domain.objects:
                    continue  # the first one counts
                anchor = make_id(self.env, self.document, kind, literal.astext())
                literal["ids"].append(anchor)
                self.document.note_explicit_target(literal)
                domain.note_object(kind, literal.astext(), anchor, location=literal)


def setup(app: Sphinx) -> dict[str, bool]:
    for kind in TABLES.values():
        app.add_object_type(kind, kind)
    app.add_transform(NamesInTables)
    return {"parallel_read_safe": True}
