"""Names: those in tables get an anchor, and the first mention of a name on a page is a link."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_id, make_refnode

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
            objtype = TABLES.get(rows[0][0].astext())
            if objtype is None:
                continue
            for literal in [found for row in rows[1:] for found in row[0].findall(nodes.literal)]:
                if (objtype, literal.astext()) in domain.objects:
                    continue  # the first one counts
                anchor = make_id(self.env, self.document, objtype, literal.astext())
                literal["ids"].append(anchor)
                self.document.note_explicit_target(literal)
                domain.note_object(objtype, literal.astext(), anchor, location=literal)


class LinksOfNames(SphinxPostTransform):
    """Makes a link of the first mention of a WAFFLE_* setting or a public name on a page."""

    default_priority = 50

    def run(self, **options: Any) -> None:
        docname = self.env.docname
        linked = set()
        for literal in list(self.document.findall(nodes.literal)):
            name = literal.astext()
            place = self._place(name)
            inside = isinstance(literal.parent, nodes.reference | nodes.title)
            if place is None or name in linked or inside or place[0] == docname:
                continue
            linked.add(name)
            link = make_refnode(self.app.builder, docname, *place, literal.deepcopy())
            literal.replace_self(link)

    def _place(self, name: str) -> tuple[str, str] | None:
        """The page and the anchor of a name."""
        if not re.fullmatch(r"\w*[A-Z_]\w*", name):  # `setting` and `conf` are mere words too
            return None
        domains = self.env.domains
        if name.startswith("WAFFLE_"):
            return domains.standard_domain.objects.get(("setting", name))
        found = domains.python_domain.objects.get(f"waffleconf_admin.{name}")
        return found and (found.docname, found.node_id)


def setup(app: Sphinx) -> dict[str, bool]:
    for objtype in TABLES.values():
        app.add_object_type(objtype, objtype)
    app.add_transform(NamesInTables)
    app.add_post_transform(LinksOfNames)
    return {"parallel_read_safe": True}
