"""Pages that are plain Markdown on a forge, and what the site makes of them.

- A list of links in an index becomes a part of the sidebar, under its heading.
- A page that stands for a file outside of `docs/` gets the text of that file.
"""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]

#: The pages that stand for files of the root.
FILES = {"changes": "CHANGES.md", "contributing": "CONTRIBUTING.md"}


def expand(app: Sphinx, docname: str, source: list[str]) -> None:
    """Turn the Markdown of a page into that of MyST."""
    text = source[0]
    if docname in FILES:
        text = _move((ROOT / FILES[docname]).read_text())
    if docname.rpartition("/")[2] == "index":
        text = _add_sidebar(text)
    source[0] = text


def _move(text: str) -> str:
    """Rewrite the links of a file in the root as those of a file in `docs/`."""
    text = re.sub(r"\]\((?![a-z]+:|#)", "](../", text)
    return text.replace("](../docs/", "](")


def _add_sidebar(text: str) -> str:
    """Add a toctree to each section, of the pages that its list links to."""
    return "".join(map(_with_toctree, re.split(r"^(?=## )", text, flags=re.M)))


def _with_toctree(section: str) -> str:
    heading = section.partition("\n")[0]
    pages = re.findall(r"^- \[[^]]*\]\(([\w/-]+)\.md\)", section, re.M)
    if not pages:
        return section
    caption = f":caption: {heading[3:]}\n" if heading.startswith("## ") else ""
    return f"{section}\n\n```{{toctree}}\n:hidden:\n{caption}\n" + "\n".join(pages) + "\n```\n\n"


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", expand)
    return {"parallel_read_safe": True}
