"""Files: which code and templates there are below a folder."""

from __future__ import annotations

import os
import re
import stat
import tokenize
from collections.abc import Collection, Iterator
from pathlib import Path

#: Folders that hold no code of the app's own, or only tests of it.
SKIPPED = {
    "__pycache__", "build", "dist", "node_modules", "site-packages", "test", "tests", "venv",
}  # fmt: skip
#: Endings of templates; other files in a folder of templates may be anything.
TEMPLATES = {
    ".css", ".htm", ".html", ".j2", ".jinja", ".jinja2", ".js", ".json", ".md", ".svg", ".txt",
    ".xhtml", ".xml", ".yaml", ".yml",
}  # fmt: skip
_TEST = re.compile(r"test_.*\.py|.*_test\.py|tests?\.py|conftest\.py")


def find_files(root: Path, template_folders: Collection[Path]) -> Iterator[tuple[Path, bool]]:
    """Return each file of code and each template below a folder, with whether it is a template.

    Folders are left out that are hidden, hold tests, a virtual environment or what others have
    made. Links to folders are not followed, so no link leads round in a circle.

    :param root: a folder, or one file, which is returned whatever its name is.
    :param template_folders: folders of templates, beside those that are called "templates".
    """
    if not root.is_dir():
        yield root, root.suffix in TEMPLATES
        return
    known = {folder.resolve() for folder in template_folders}
    inside = {root.resolve()} & known  # folders of templates, and folders in these
    for folder, paths in folders_below(root):
        resolved = folder.resolve()
        if folder.name == "templates" or resolved in known or resolved.parent in inside:
            inside.add(resolved)
        for path in paths:
            if path.suffix == ".py" and not _TEST.fullmatch(path.name):
                yield path, False
            elif path.suffix in TEMPLATES and resolved in inside:
                yield path, True


def folders_below(root: Path) -> Iterator[tuple[Path, list[Path]]]:
    """Return each folder below one, itself first, with its files."""
    for name, folders, files in os.walk(root):
        folder = Path(name)
        folders[:] = sorted(each for each in folders if not _is_skipped(folder / each))
        yield folder, [folder / each for each in sorted(files)]


def read_text(path: Path, is_template: bool) -> str:
    """Return the text of a file; of code in the encoding that it names.

    :raises OSError: it can't be read, or is no regular file.
    :raises SyntaxError, UnicodeDecodeError: its encoding is not known, or it has another one.
    """
    if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for its writer
        raise OSError("not a regular file")
    with path.open(encoding="utf-8") if is_template else tokenize.open(path) as file:
        return file.read()


def _is_skipped(folder: Path) -> bool:
    name = folder.name
    return (
        name in SKIPPED
        or name.startswith(".")
        or name.endswith(".egg-info")
        or (folder / "pyvenv.cfg").exists()
    )
