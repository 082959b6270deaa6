"""Report: the findings in the code below a path, and what lint can't decide."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path
from types import ModuleType

from jinja2 import Environment

from .files import find_files, read_text
from .finding import Comments, Finding, Remark, list_some
from .names import AppNames
from .outside import named_in_files
from .python import read_python
from .rules import RULES, find_uncertain, find_unused
from .source import Code, Source
from .templates import read_template


@dataclasses.dataclass(frozen=True)
class Report:
    """What lint says of an app."""

    findings: list[Finding]
    remarks: list[Remark]
    files: int  #: how many were read


def lint(
    root: Path,
    names: AppNames,
    environment: Environment,
    template_folders: Collection[Path] = (),
    packages: Iterable[ModuleType] = (),
    whole: bool = True,
) -> Report:
    """Read the code and the templates below a path. Nothing of it is run.

    :param root: a folder or a file.
    :param names: what the app knows.
    :param environment: of the app's templates.
    :param template_folders: folders of templates that are not called "templates".
    :param packages: what the app has imported; these may read settings too.
    :param whole: whether this is all of the app's code: a part of it can't show what is unused.
    """
    sources = [
        _read(path, is_template, environment, names.typed)
        for path, is_template in find_files(root, template_folders)
    ]
    code = _with_config_files(Code(sources, names), root)
    remarks = [Remark(s.path, line, f"{problem}.") for s in sources for line, problem in s.problems]
    findings = [finding for rule in RULES.values() for finding in rule(code)]
    unused, unsure = find_unused(code, root, packages, whole=whole)
    remarks += unsure
    if unset := code.unset():
        text = f"These are no settings, and nothing here sets them: {list_some(unset)}."
        remarks.append(Remark("", 0, text))
    uncertain = {*find_uncertain(code)}
    left, unneeded = _silence(sources, sorted({*findings, *unused, *uncertain}))
    remarks += [Remark(each.path, each.line, each.text) for each in left if each in uncertain]
    findings = [each for each in left if each not in uncertain]
    return Report(findings, [*remarks, *unneeded], len(sources))


def _with_config_files(code: Code, root: Path) -> Code:
    """Return the code, with the names that configuration files set."""
    keys = {read.name for _, read in code.foreign}
    config = code.names.config | named_in_files(keys, root)
    return dataclasses.replace(code, names=dataclasses.replace(code.names, config=config))


def _read(
    path: Path, is_template: bool, environment: Environment, typed: Collection[str]
) -> Source:
    source = Source(str(path))
    try:
        source.text = read_text(path, is_template)
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        source.problems.append((0, f"not read: {error}"))
        return source
    if is_template:
        read_template(source, environment, source.text)
        return source
    read_python(source, typed)
    for before, text in source.templates:
        read_template(source, environment, text, before)
    return source


def _silence(sources: list[Source], findings: list[Finding]) -> tuple[list[Finding], list[Remark]]:
    by_path: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_path[finding.path].append(finding)
    left, remarks = by_path.pop("", []), []
    for source in sources:
        comments = Comments(source.text)
        left += comments.leave(by_path[source.path])
        remarks += [
            Remark(source.path, line, "This comment silences nothing.")
            for line in comments.unused()
        ]
    return left, remarks
