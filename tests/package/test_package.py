"""What is built and published: the sdist, the wheel that is made from it, and the workflows."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import textwrap
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

import waffleconf_admin

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "waffleconf_admin"
WORKFLOWS = ROOT / ".github" / "workflows"
#: The wheel that the tests import, with scripts/test --wheel.
WHEEL = os.environ.get("WAFFLE_WHEEL")

IMPORT_ALONE = """
    import sys
    import waffleconf_admin
    assert not {"sqlalchemy", "peewee", "redis"} & set(sys.modules)
    for name, extra in (("AlchemyWaffleStore", "sqlalchemy"), ("PeeweeWaffleStore", "peewee")):
        try:
            getattr(waffleconf_admin, name)
        except ImportError as error:
            assert f"waffleconf-admin[{extra}]" in str(error), error
        else:
            raise AssertionError(name)
"""

RENDER = """
    import re
    {database}
    from flask import Flask
    from waffleconf_admin import {store}, WaffleAdmin, WaffleConf, WaffleMixin, anyone
    app = Flask("installed", root_path=".", instance_path={folder!r})
    app.config.update(SECRET_KEY="x", SQLALCHEMY_DATABASE_URI="sqlite://")
    app.config["WAFFLE_CONFS"] = {{"SITENAME": {{"desc": "Site name", "default": "Waffle"}}}}
    {model}
    app.register_blueprint(WaffleAdmin(can=anyone))
    client = app.test_client()
    page = client.get("/admin/config")
    assert page.status_code == 200 and "Site name" in page.text, page.text
    files = set(re.findall('(?:href|src)="([^"#]+[.](?:css|js|svg))"', page.text))
    assert len(files) >= 2, files
    for file in files:
        with client.get(file) as answer:
            assert answer.status_code == 200 and answer.data, file
    print(len(files), "files")
"""

ALCHEMY = {
    "store": "AlchemyWaffleStore",
    "database": "from flask_sqlalchemy import SQLAlchemy",
    "model": """
    db = SQLAlchemy(app)
    class Conf(db.Model, WaffleMixin):
        key = db.Column(db.String(255), primary_key=True)
        value = db.Column(db.Text)
    with app.app_context():
        db.create_all()
    WaffleConf(app, AlchemyWaffleStore(db=db, model=Conf))
    """,
}

PEEWEE = {
    "store": "PeeweeWaffleStore",
    "database": "import peewee",
    "model": """
    db = peewee.SqliteDatabase("installed.db")
    class Conf(peewee.Model, WaffleMixin):
        class Meta:
            database = db
        key = peewee.CharField(unique=True)
        value = peewee.TextField()
    with db.connection_context():
        db.create_tables([Conf])
    WaffleConf(app, PeeweeWaffleStore(model=Conf))
    """,
}


def call(*command: str | Path, cwd: Path) -> str:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    parts = [str(part) for part in command]
    done = subprocess.run(parts, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with a wheel made from a sdist made from a copy of the tree."""
    if WHEEL:  # scripts/test --wheel has built them
        return Path(WHEEL).parent
    folder = tmp_path_factory.mktemp("build")
    skip = (".git", ".venv*", "*.egg-info", "__pycache__", ".*_cache", "instance", "build", "dist")
    shutil.copytree(ROOT, folder / "tree", ignore=shutil.ignore_patterns(*skip))
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder]
    call(*command, folder / "tree", cwd=folder)
    return folder


class Environment:
    """A virtual environment with nothing in it but what is installed here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder / "env", with_pip=False)
        self.python = folder / "env" / "bin" / "python"

    def install(self, requirement: str) -> None:
        pip = [sys.executable, "-m", "pip", "--python", self.python, "--disable-pip-version-check"]
        # What isn't imported here need not be compiled: most of SQLAlchemy.
        call(*pip, "install", "--quiet", "--no-compile", requirement, cwd=self.folder)
        call(*pip, "check", cwd=self.folder)

    def run(self, code: str) -> str:
        return call(self.python, "-I", "-W", "error", "-c", textwrap.dedent(code), cwd=self.folder)


def packaged(pattern: str) -> set[str]:
    return {str(path.relative_to(ROOT)) for path in PACKAGE.rglob(pattern)}


def expected_files() -> set[str]:
    kinds = ("*.py", "*.html", "*.css", "*.js", "*.svg", "*.po*", "*.mo", "py.typed")
    return set().union(*map(packaged, kinds))


@pytest.mark.parametrize("options", [[], ["-I"]], ids=["python", "isolated python"])
def test_with_a_wheel_every_program_imports_what_is_installed(options: list[str]) -> None:
    code = "import waffleconf_admin; print(waffleconf_admin.__file__)"
    printed = call(sys.executable, *options, "-c", code, cwd=ROOT).strip()
    installed = Path(sysconfig.get_path("purelib"), "waffleconf_admin", "__init__.py")
    expected = installed if WHEEL else PACKAGE / "__init__.py"
    if WHEEL or not options:  # else it need not be installed
        assert Path(printed) == Path(str(waffleconf_admin.__file__)) == expected


def test_the_wheel_holds_the_package_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        (metadata,) = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        text = archive.read(metadata).decode()
    assert names == expected_files()
    assert f"\nVersion: {waffleconf_admin.__version__}\n" in text
    assert "License-Expression: BSD-3-Clause" in text
    assert "Requires-Python: >=3.11" in text


def test_the_sdist_holds_what_a_packager_needs(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert expected_files() <= names
    assert {"LICENSE", "CHANGES.md", "tests/conftest.py", "scripts/test", "setup.cfg"} <= names
    assert {"examples/demo/shop/__init__.py", "benchmarks/render.py", "docs/page.md"} <= names


def test_pypi_takes_both(built: Path) -> None:
    files = sorted([*built.glob("*.whl"), *built.glob("*.tar.gz")])
    assert len(files) == 2
    call(sys.executable, "-m", "twine", "check", "--strict", *files, cwd=built)


def test_the_wheel_serves_the_page(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    environment = Environment(tmp_path)
    environment.install(str(wheel))
    environment.run(IMPORT_ALONE)
    environment.install(f"{wheel}[sqlalchemy,peewee]")
    for orm in (ALCHEMY, PEEWEE):
        environment.run(RENDER.format(folder=str(tmp_path), **orm))


def test_a_tag_of_another_version_builds_nothing() -> None:
    command = [ROOT / "scripts" / "build", "v0.0.1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stdout == ""
    assert f"tag v{waffleconf_admin.__version__}" in done.stderr


def workflow(name: str) -> dict[Any, Any]:
    """A workflow of GitHub; YAML reads its key "on" as True."""
    loaded: dict[Any, Any] = yaml.safe_load((WORKFLOWS / name).read_text())
    return loaded


def steps(name: str) -> list[dict[str, Any]]:
    jobs = workflow(name)["jobs"].values()
    return [step for job in jobs for step in job.get("steps", ())]


@pytest.mark.parametrize("name", ["test.yml", "publish.yml"])
def test_a_workflow_runs_scripts_that_exist_and_pinned_actions(name: str) -> None:
    for step in steps(name):
        if "uses" in step:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"]), step
        for path in re.findall(r"\bscripts/\w+", step.get("run", "")):
            assert os.access(ROOT / path, os.X_OK), path
    assert workflow(name)["permissions"] == {"contents": "read"}


def test_every_python_of_the_classifiers_is_tested() -> None:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    classified = re.findall(r":: (3\.\d+)$", parser["metadata"]["classifiers"], re.M)
    tested = workflow("test.yml")["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert len(classified) > 1 and set(classified) <= set(tested)


def test_only_the_job_that_publishes_may_and_only_after_all_tests() -> None:
    jobs = workflow("publish.yml")["jobs"]
    allowed = {name: job.get("permissions") for name, job in jobs.items()}
    assert allowed == {"test": None, "build": None, "publish": {"id-token": "write"}}
    assert set(jobs["publish"]["needs"]) == {"test", "build"}
    assert workflow("publish.yml")[True] == {"push": {"tags": ["v*"]}}
    (build,) = [step["run"] for step in jobs["build"]["steps"] if "scripts/build" in str(step)]
    assert build == 'scripts/build "$GITHUB_REF_NAME"'
