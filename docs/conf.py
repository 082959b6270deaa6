"""The site of the documentation. `scripts/docs` builds it."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

DOCS = Path(__file__).parent
ROOT = DOCS.parent
# What Sphinx makes stays until the end: looking for garbage takes a fifth of the time.
gc.disable()
sys.path[:0] = [str(DOCS / "extensions"), str(ROOT)]

from waffleconf_admin import __version__  # noqa: E402 (the path above)

project = "waffleconf_admin"
author = project_copyright = "The waffleconf_admin developers"
release = version = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_click",
    "sphinx_copybutton",
    # Of this folder.
    "forge",
    "links",
    "names",
    "reference",
]
root_doc = "index"
exclude_patterns = ["extensions", "static"]

# Dashes and quotes are as they are written: `--json` is an option.
smartquotes = False
# Links to headings are those of GitHub and GitLab.
myst_heading_anchors = 4

# A name in single backticks is a link if it can be one.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_display_short_literal_types = True
maximum_signature_line_length = 80
add_module_names = False
nitpicky = True
nitpick_ignore_regex = [
    # A name in single backticks that is no link: a parameter, an attribute.
    ("py:obj", ".*"),
    # No network is needed to build the site, so names of other packages are no links.
    (
        "py:class",
        r"(blinker|collections|contextlib|datetime|flask|markupsafe|types|weakref|werkzeug)\..*",
    ),
    # What lies behind an attribute or a method, and is not made or called by users.
    ("py:class", r"waffleconf_admin\.(codec|fields|forms|settings|state|store|sync)\..*"),
    # Names that are imported for type checkers only.
    (
        "py:class",
        "Attributes|Flask|Namespace|Outcome|Standing|T|Validate|datetime|waffleconf_admin.core.H",
    ),
]

html_theme = "furo"
html_title = f"{project} {release}"
html_static_path = ["static"]
pygments_dark_style = "github-dark"
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
