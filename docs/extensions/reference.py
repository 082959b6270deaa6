"""Blocks of the reference: names on a forge, and what documents them on the site.

A line of an `api` block is the dotted name of a class, a function or an object. Behind a colon it
has the members of a class that belong to its contract; without one that is all that have a
docstring. `module.*` is all that a module exports, without members. A `commands` block names a
group of click.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer
from sphinx.transforms import SphinxTransform


def expand(app: Sphinx, docname: str, source: list[str]) -> None:
    """Turn the blocks of a page into directives."""
    source[0] = re.sub(r"^```(\w+)\n(.*?)^```$", _expand_block, source[0], flags=re.M | re.S)


def _expand_block(found: re.Match[str]) -> str:
    write = BLOCKS.get(found[1])
    if write is None:
        return found[0]
    directives = "\n\n".join(each for line in found[2].splitlines() for each in write(line))
    return f"```{{eval-rst}}\n{directives}\n```"


def _document(line: str) -> Iterator[str]:
    dotted, _, members = line.partition(":")
    module, _, name = dotted.rpartition(".")
    if name == "*":
        for exported in import_module(module).__all__:
            yield _directive(module, exported)
    else:
        yield _directive(module, name, f"\n   :members: {', '.join(members.split())}")


def _directive(module: str, name: str, options: str = "") -> str:
    found = getattr(import_module(module), name)
    if inspect.isclass(found):
        directive = "autoexception" if issubclass(found, Exception) else "autoclass"
        if _has_fields(found):
            options += "\n   :undoc-members:"
        name += "()" * _is_ours(found)
    else:
        directive = "autofunction" if inspect.isroutine(found) else "autodata"
        options = "" if inspect.isroutine(found) else "\n   :no-value:"
    return f".. {directive}:: {module}.{name}{options}"


def _document_commands(group: str) -> Iterator[str]:
    yield f".. click:: {group}\n   :prog: flask waffle\n   :nested: full"


#: The languages of the blocks, and what makes directives of one line.
BLOCKS: dict[str, Callable[[str], Iterator[str]]] = {
    "api": _document,
    "commands": _document_commands,
}


def _has_fields(found: Any) -> bool:
    return dataclasses.is_dataclass(found) or hasattr(found, "_fields")


def _is_ours(found: Any) -> bool:
    """Whether the package makes the objects of a class, so that nobody else needs to know how."""
    room = getattr(found, "__module__", "").removeprefix("waffleconf_admin.").partition(".")[0]
    return room in ("fields", "forms", "state") or _has_fields(found)


def hide_constructor(app: Sphinx, what: str, name: str, found: Any, *_: Any) -> Any:
    """Hide how the objects of such a class are made."""
    return ("", "") if what == "class" and _is_ours(found) else None


def mend_docstring(
    app: Sphinx, what: str, name: str, found: Any, options: Any, lines: list[str]
) -> None:
    """Take a name's comment from where it is defined; leave out what is no help."""
    if what == "data" and (comment := _comment(name)):
        lines[:] = comment
    if what == "class" and _is_ours(found):
        text = re.sub(r"^:param .*\n(?: +.*\n)*", "", "\n".join(lines), flags=re.M)
        lines[:] = text.split("\n")
    if lines and lines[0].startswith("Alias for field number"):
        lines.clear()


def _comment(name: str) -> list[str] | None:
    """The comment above a name that `waffleconf_admin` has from another module."""
    package, _, name = name.rpartition(".")
    module = vars(import_module(package)).get("_MODULES", {}).get(name)
    if module is None:
        return None
    return ModuleAnalyzer.for_module(f"{package}.{module}").find_attr_docs().get(("", name))


def show_examples(app: Sphinx, context: object, lines: list[str]) -> None:
    """Let the examples of a command be code."""
    examples = [line.removeprefix("|").strip() for line in lines]
    if "Examples:" in examples:
        code = [f"   {line}" for line in examples[examples.index("Examples:") + 1 :] if line]
        lines[:] = ["Examples:", "", ".. code-block:: sh", "", *code, ""]


class Dashes(SphinxTransform):
    """Writes the dash behind the name of a parameter or an error as a dash."""

    default_priority = 500

    def apply(self, **options: Any) -> None:
        for text in list(self.document.findall(nodes.Text)):
            if text == " -- ":
                text.parent.replace(text, nodes.Text(" – "))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_transform(Dashes)
    app.connect("source-read", expand)
    app.connect("autodoc-process-signature", hide_constructor)
    app.connect("autodoc-process-docstring", mend_docstring)
    app.connect("sphinx-click-process-epilog", show_examples)
    return {"parallel_read_safe": True}
