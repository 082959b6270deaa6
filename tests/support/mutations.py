"""Mutations: faults to plant in the package, each with the tests that have to notice it."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLES = ROOT / "tests" / "mutations"


@dataclass(frozen=True)
class Mutation:
    """One fault."""

    room: str  #: the name of its table
    fault: str  #: what is wrong with the mutated code, in a sentence
    file: str  #: in the package
    old: str  #: code that the file has exactly once
    new: str  #: what takes its place
    tests: str  #: arguments for pytest
    harmless: str = ""  #: why no test can notice it; "": one must

    def problem(self, root: Path = ROOT) -> str:
        """Return why the mutation can't be tried; "" if it can."""
        text = _text(root / "waffleconf_admin" / self.file)
        if not text:
            return f"{self.file} does not exist"
        if (count := text.count(self.old)) != 1:
            return f"{self.file} has the snippet {count} times, not once"
        if self.old == self.new:
            return "it changes nothing"
        return next(self._missing_tests(root), "")

    def _missing_tests(self, root: Path) -> Iterator[str]:
        arguments = shlex.split(self.tests)
        texts = []
        for argument in arguments:
            if argument.startswith("tests/"):
                path, *names = argument.partition("[")[0].split("::")
                texts.append(text := _text(root / path))
                if not text or not all(f"def {name}(" in text for name in names):
                    yield f"{argument} does not exist"
        if not texts:
            yield "it names no tests"
        if "-k" in arguments:
            words = arguments[arguments.index("-k") + 1].replace("(", " ").replace(")", " ")
            # What parameters are called may stand in a helper.
            helpers = [root / "tests" / "conftest.py", *(root / "tests" / "support").glob("*.py")]
            texts += map(_text, helpers)
            for word in set(words.split()) - {"and", "or", "not"}:
                if not any(word in text for text in texts):
                    yield f"no test of {self.tests} has {word!r} in its name"


@cache
def _text(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


def read_mutations(folder: Path = TABLES) -> list[Mutation]:
    """Return the mutations of all tables."""
    return [
        Mutation(room=path.stem, **entry)
        for path in sorted(folder.glob("*.toml"))
        for entry in tomllib.loads(path.read_text())["mutation"]
    ]
