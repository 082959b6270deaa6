"""Links to files outside of `docs/`: the site has a page for each, with its text."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from posixpath import dirname, join, normpath, relpath
from typing import Any

from docutils import nodes
from pygments.lexers import get_lexer_for_filename
from pygments.util import ClassNotFound
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform

ROOT = Path(__file__).parents[2]
FOLDER = "docs"

#: Files that have a page of their own.
PAGES = {"README.md": "getting-started", "CHANGES.md": "changes", "CONTRIBUTING.md": "contributing"}


class FileLinks(SphinxTransform):
    """Lets a link to a file or a folder outside of `docs/` lead to its page."""

    default_priority = 100

    def apply(self, **options: Any) -> None:
        docname = self.env.docname
        linked = _linked(self.env)[docname] = set[str]()
        for node in list(self.document.findall(_is_link)):
            path = normpath(join(FOLDER, dirname(docname), node["reftarget"].partition("#")[0]))
            if node["refdomain"] == "doc":  # MyST has made a document of it, with an absolute path
                path = relpath(join(ROOT, FOLDER, node["reftarget"] + ".md"), ROOT)
            if path.startswith(f"{FOLDER}/"):
                continue
            if path in PAGES:
                node["reftarget"] = PAGES[path]
                if path == "README.md":  # that page says the same under other headings
                    node["reftargetid"] = None
            elif (ROOT / path).exists():  # else MyST warns
                linked.add(path)
                uri = relpath(f"files/{path}.html", dirname(docname) or ".")
                node.replace_self(nodes.reference("", "", *node.children, refuri=uri))


def _linked(env: BuildEnvironment) -> dict[str, set[str]]:
    """The files and folders that each page links to."""
    if not hasattr(env, "linked_files"):
        env.linked_files = {}
    linked: dict[str, set[str]] = env.linked_files
    return linked


def _is_link(node: nodes.Node) -> bool:
    links = (addnodes.download_reference, addnodes.pending_xref)
    return isinstance(node, links) and node["reftype"] == "myst"


def make_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, str], str]]:
    """Return the pages of all files and folders that pages link to."""
    linked = {ROOT / path for paths in _linked(app.env).values() for path in paths}
    inside = {path for folder in linked if folder.is_dir() for path in _listed(folder)}
    for path in sorted(linked | inside):
        name = path.relative_to(ROOT).as_posix()
        body = _list(path) if path.is_dir() else _show(app, path)
        html = f"<h1>{escape(name)}</h1>\n{body}"
        yield f"files/{name}", {"title": name, "body": html}, "page.html"


def _listed(folder: Path) -> list[Path]:
    hidden = {"__pycache__", "instance"}
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path for path in paths if not hidden & set(path.relative_to(folder).parts))


def _list(folder: Path) -> str:
    names = [escape(path.relative_to(folder.parent).as_posix()) for path in _listed(folder)]
    links = [f'<li><a href="{name}.html"><code>{name}</code></a></li>' for name in names]
    return "<ul>\n" + "\n".join(links) + "\n</ul>"


def _show(app: Sphinx, path: Path) -> str:
    try:
        language = get_lexer_for_filename(path.name).aliases[0]
    except ClassNotFound:
        language = "text"
    html: str = app.builder.highlighter.highlight_block(path.read_text(), language, force=True)
    return html


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_transform(FileLinks)
    app.connect("html-collect-pages", make_pages)
    return {"parallel_read_safe": False}
