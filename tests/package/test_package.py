"""What is built and installed: the wheel and the sdist, each in an environment of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import textwrap
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "waffleconf_admin"

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
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with a wheel made from a sdist made from a copy of the tree."""
    folder = tmp_path_factory.mktemp("build")
    skip = (".git", ".venv", "*.egg-info", "__pycache__", ".*_cache", "instance", "build", "dist")
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
        call(*pip, "install", "--quiet", requirement, cwd=self.folder)
        call(*pip, "check", cwd=self.folder)

    def run(self, code: str) -> str:
        return call(self.python, "-I", "-W", "error", "-c", textwrap.dedent(code), cwd=self.folder)


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path)


def packaged(pattern: str) -> set[str]:
    return {str(path.relative_to(ROOT)) for path in PACKAGE.rglob(pattern)}


def expected_files() -> set[str]:
    kinds = ("*.py", "*.html", "*.css", "*.js", "*.svg", "*.po*", "*.mo", "py.typed")
    return set().union(*map(packaged, kinds))


def test_the_wheel_holds_the_package_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        (metadata,) = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        text = archive.read(metadata).decode()
    assert names == expected_files()
    assert "License-Expression: BSD-3-Clause" in text
    assert "Requires-Python: >=3.11" in text


def test_the_sdist_holds_what_a_packager_needs(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert expected_files() <= names
    assert {"LICENSE", "CHANGES.md", "tests/conftest.py", "scripts/test", "setup.cfg"} <= names
    assert {"examples/demo/shop/__init__.py", "benchmarks/render.py", "docs/page.md"} <= names


def test_the_wheel_serves_the_page(built: Path, environment: Environment) -> None:
    (wheel,) = built.glob("*.whl")
    environment.install(str(wheel))
    environment.run(IMPORT_ALONE)
    environment.install(f"{wheel}[sqlalchemy]")
    environment.run(RENDER.format(folder=str(environment.folder), **ALCHEMY))


def test_the_sdist_serves_the_page(built: Path, environment: Environment) -> None:
    (sdist,) = built.glob("*.tar.gz")
    environment.install(f"{sdist}[peewee]")
    environment.run(RENDER.format(folder=str(environment.folder), **PEEWEE))
