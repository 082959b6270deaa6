"""The fenced code blocks of README.md, CONTRIBUTING.md and docs/, for the tests that run them.

package/test_code_blocks.py finds the calls of `block` and `blocks` in the tests, and fails if
nothing runs a block.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
#: The text of each page, by its path: "docs/page.md".
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
}
FENCED = re.compile(r"^(?:<!-- (.*) -->\n)?( *)```(.*)\n((?s:.*?))^\2```$", re.M)


class Block(NamedTuple):
    """A fenced code block of a page."""

    page: str
    line: int  #: of its first line of code
    section: str  #: the heading above it
    language: str
    code: str
    comment: str  #: the HTML comment on the line before it

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    def run(self, **names: Any) -> dict[str, Any]:
        """Run Python code in which these names are known; return all names that it knows then."""
        namespace: dict[str, Any] = {"__name__": "docs", **names}
        code = "\n" * (self.line - 1) + self.code  # errors have the line of the page
        exec(compile(code, self.page, "exec", dont_inherit=True), namespace)
        return namespace


def read(page: str, text: str) -> list[Block]:
    """The blocks of a page with this text."""
    return [
        Block(
            page,
            line=text.count("\n", 0, found.start(4)) + 1,
            section="".join(re.findall(r"^#+ (.*)$", text[: found.start()], re.M)[-1:]),
            language=found[3],
            code=textwrap.dedent(found[4]),
            comment=found[1] or "",
        )
        for found in FENCED.finditer(text)
    ]


#: All blocks of all pages.
BLOCKS = [block for page, text in PAGES.items() for block in read(page, text)]


def blocks(page: str, language: str) -> list[Block]:
    """All blocks of a page in a language, in order. Whoever calls this runs each of them.

    :param page: its path, literally or as a constant of the module.
    """
    found = [block for block in BLOCKS if (block.page, block.language) == (page, language)]
    assert found, f"{page} has no {language}"
    return found


def block(page: str, text: str) -> Block:
    """The one block of a page that contains a text. Whoever calls this runs it.

    :param page: its path, literally or as a constant of the module.
    :param text: the text, literally.
    """
    found = [block for block in BLOCKS if block.page == page and text in block.code]
    assert len(found) == 1, f"{len(found)} blocks of {page} contain {text!r}"
    return found[0]
