"""Who is measured side by side: this package, its peers from PyPI, and constants.

Each peer lives in an environment of its own, with the libraries of its time.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from measure import ROOT, Missing, Options

PEERS = Path(__file__).resolve().parent / "peers"
FOLDER = ROOT / ".bench"

#: What pip installs into each environment; the version of gunicorn is that of ours.
ENVIRONMENTS = {
    "flask-waffleconf": [
        "Flask-WaffleConf==0.3.1",
        "Flask==2.2.5",
        "Werkzeug==2.2.3",
        "Flask-SQLAlchemy==2.5.1",
        "SQLAlchemy==1.4.54",
        "redis==5.2.1",
        "gunicorn",
    ],
    "flask-constance": ["Flask-Constance==0.1.2", "gunicorn"],
    "django": [
        "Django==5.2.*",
        "django-constance[redis]==4.4.*",
        "django-content-settings==0.29.*",
        "gunicorn",
    ],
}


FLASK, DJANGO = "constants, Flask", "constants, Django"


@dataclass(frozen=True, eq=False)
class Contender:
    """An app of benchmarks/peers, and how it is set up."""

    name: str
    module: str
    environment: str = ""  #: one of ENVIRONMENTS; empty: that of this Python
    config: dict[str, Any] = field(default_factory=dict)
    constants: str = FLASK  #: the same framework without settings
    server: str = ""  #: the server that it needs: "redis", "postgresql"

    @property
    def is_ours(self) -> bool:
        return self.name.startswith("waffleconf_admin")


def _django(
    name: str, package: str | None = None, backend: str | None = None, server: str = ""
) -> Contender:
    config = {"package": package, "backend": backend}
    return Contender(name, "django_app", "django", config, DJANGO, server)


def _ours(watch_type: str, server: str = "") -> Contender:
    name = f"waffleconf_admin, {watch_type}"
    return Contender(name, "flask_app", config={"watch": watch_type}, server=server)


CONTENDERS = [
    Contender(FLASK, "flask_app", config={"watch": None}),
    _ours("file"),
    _ours("redis", "redis"),
    _ours("postgresql", "postgresql"),
    _ours("database"),
    Contender("Flask-WaffleConf 0.3.1", "flask_waffleconf_031", "flask-waffleconf"),
    Contender("Flask-Constance 0.1.2", "flask_constance_012", "flask-constance"),
    _django(DJANGO),
    _django("django-constance 4.4, memory", "constance", "memory.MemoryBackend"),
    _django("django-constance 4.4, database", "constance", "database.DatabaseBackend"),
    _django("django-constance 4.4, Redis", "constance", "redisd.RedisBackend", "redis"),
    _django(
        "django-constance 4.4, caching Redis", "constance", "redisd.CachingRedisBackend", "redis"
    ),
    _django("django-content-settings 0.29", "content_settings", server="redis"),
]


class NotInstalled(Exception):
    """An environment could not be made."""


@cache
def python_of(environment: str) -> Path:
    """The Python of an environment, which is made if it isn't there.

    :raises NotInstalled: pip can't install what is in it.
    """
    if not environment:
        return Path(sys.executable)
    folder = FOLDER / environment
    python, stamp = folder / "bin" / "python", folder / "installed.json"
    wanted = json.dumps([*ENVIRONMENTS[environment], sys.version])
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"Making {folder.relative_to(ROOT)} …", file=sys.stderr, flush=True)
        venv.create(folder, clear=True, with_pip=True)
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        command += ENVIRONMENTS[environment]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotInstalled(done.stderr.strip().splitlines()[-1])
        stamp.write_text(wanted)
    return python


@contextlib.contextmanager
def configured(contender: Contender, settings: int, options: Options) -> Iterator[dict[str, Any]]:
    """The configuration of its app, with a folder for its files.

    :raises NotInstalled: the server that it needs is not there.
    """
    servers = {"redis": options.redis, "postgresql": options.postgresql}
    if contender.server and not servers[contender.server]:
        raise NotInstalled(f"there is no {contender.server} server")
    with tempfile.TemporaryDirectory() as folder:
        yield {"settings": settings, "folder": folder, **servers, **contender.config}


def environ(**more: str) -> dict[str, str]:
    """The environment of their processes: our package and the apps can be imported."""
    return {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{PEERS}", **more}


def missing(benchmark: str, contender: Contender, error: Exception) -> Missing:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return Missing(benchmark, contender.name, lines[-1][:200])
