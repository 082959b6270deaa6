"""The deployments of examples/deploy: servers, hosts and Celery as docs/deployment.md runs them."""

from __future__ import annotations

import base64
import configparser
import contextlib
import http.client
import importlib
import json
import os
import re
import shlex
import shutil
import socket
import ssl
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml
from documentation import blocks
from fleet import until
from pages import sent
from required import required
from servers import find, free_port, prepare, running

DEPLOY = Path(__file__).parents[2] / "examples" / "deploy"
BIN = Path(sys.executable).parent
HOST, PASSWORD = "shop.example.org", "secret"
#: The main file of nginx, which includes the site; a distribution brings its own.
NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr;
events {{}}
http {{
    access_log off;
    {temporary}
    include {folder}/nginx.conf;
}}
"""
#: The commands of the page.
LINES = [line for each in blocks("docs/deployment.md", "sh") for line in each.code.splitlines()]
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
#: The instructions of the Dockerfile, each with its arguments.
INSTRUCTIONS = [
    line.split(maxsplit=1)
    for line in re.sub(
        r"^#.*\n|\\\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.M
    ).splitlines()
]
TEMPORARY = ("client_body", "proxy", "uwsgi", "fastcgi", "scgi")


def command(begin: str) -> list[str]:
    """The arguments of a command of the page."""
    return next(shlex.split(line)[1:] for line in LINES if line.startswith(begin))


class Deployment:
    """A copy of the examples, with paths and ports of its own.

    :param folder: of the copy, and of the sockets.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        leave = shutil.ignore_patterns("__pycache__")
        shutil.copytree(DEPLOY, folder, ignore=leave, dirs_exist_ok=True)
        places = {
            "/run/shop": str(folder),
            "/etc/ssl/shop": str(folder),
            "listen 443": f"listen 127.0.0.1:{self.port}",
        }
        for path in folder.rglob("*.*"):
            text = path.read_text()
            for place, here in places.items():
                text = text.replace(place, here)
            path.write_text(text)

    def run(
        self, name: str, command: list[object], **environ: str
    ) -> contextlib.AbstractContextManager[Any]:
        """A server that answers on the socket of its name, until the end of the block."""
        path = self.folder / f"{name}.sock"

        def ready() -> None:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(path))

        return running([*map(str, command)], ready, self.log(name), **self.options(environ))

    def options(self, environ: dict[str, str]) -> dict[str, Any]:
        """The folder and the environment of a process."""
        paths = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "HOME": str(self.folder)}
        return {"cwd": self.folder, "env": {**os.environ, **paths, **environ}}

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def ask(
        self, path: str, data: dict[str, str] | None = None, **headers: str
    ) -> tuple[http.client.HTTPResponse, str]:
        """The response to a request over https, and its text."""
        context = ssl._create_unverified_context()
        client = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=context)
        headers |= {"Host": HOST}
        if data is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        with contextlib.closing(client):
            body = None if data is None else urlencode(data)
            client.request("GET" if data is None else "POST", path, body, headers)
            response = client.getresponse()
            return response, response.read().decode()

    def save(self, prefix: str, name: str) -> None:
        """Save a name of the site on the settings page, as a browser does."""
        url = f"{prefix}/admin/config"
        assert self.ask(url)[0].status == 401
        key = base64.b64encode(f"ana:{PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {key}"}
        response, page = self.ask(url, **headers)
        cookie = response.headers["Set-Cookie"]
        assert "; Secure" in cookie
        links = re.findall(r'(?:href|src)="(/[^"]*)"', page)
        assert links and all(link.startswith(f"{prefix}/") for link in links)
        headers |= {"Cookie": cookie.partition(";")[0], "Referer": f"https://{HOST}{url}"}
        response, text = self.ask(url, sent(page, SITENAME=name), **headers)
        assert response.status == 303, text
        assert response.headers["Location"].partition("#")[0] == url

    def answers(self, prefix: str) -> list[dict[str, Any]]:
        """What is answered until both workers have answered."""

        def ask(number: int) -> dict[str, Any]:
            answer: dict[str, Any] = json.loads(self.ask(f"{prefix}/")[1])
            return answer

        found: list[dict[str, Any]] = []

        def have_answered() -> bool:
            with ThreadPoolExecutor(4) as pool:
                found.extend(pool.map(ask, range(4)))
            return len({answer["process"] for answer in found}) == 2

        assert until(have_answered), found
        return found


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    """The examples behind nginx."""
    with required():
        nginx, openssl = find("nginx", "/usr/sbin"), find("openssl")
    folder = Path(tempfile.mkdtemp(prefix="shop-"))  # the path of a socket has to be short
    deployment = Deployment(folder)
    certificate = f"{openssl} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    names = f"-subj /CN={HOST} -keyout key.pem -out certificate.pem"
    prepare(f"{certificate} {names}".split(), cwd=folder)
    temporary = " ".join(f"{name}_temp_path {folder}/{name};" for name in TEMPORARY)
    main = folder / "main.conf"
    main.write_text(NGINX.format(folder=folder, temporary=temporary))
    command = [nginx, "-e", "stderr", "-c", str(main)]
    prepare([*command, "-t"])
    with running(
        command,
        lambda: socket.create_connection(("127.0.0.1", deployment.port)).close(),
        deployment.log("nginx"),
    ):
        yield deployment
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def places(
    deployment: Deployment, redis_server: str, server_url: Callable[[str], str]
) -> dict[str, str]:
    """The variables that all configurations read; the database has the tables."""
    places = {
        "SHOP_DATABASE": server_url("postgres").replace("postgresql:", "postgresql+psycopg:"),
        "SHOP_REDIS": redis_server,
        "SHOP_SECRET_KEY": "test",
        "SHOP_OPERATOR_PASSWORD": PASSWORD,
    }
    environ = places | {"SHOP_CONFIG": str(deployment.folder / "config" / "redis.cfg")}
    tables = [sys.executable, "-m", "flask", *command("flask --app wsgi create-tables")]
    prepare(tables, **deployment.options(environ))
    return places


@pytest.fixture(scope="module")
def environ(
    request: pytest.FixtureRequest, deployment: Deployment, places: dict[str, str]
) -> Iterator[dict[str, str]]:
    """The environment of a configuration, while uWSGI and gunicorn run with it: two hosts."""
    config = deployment.folder / "config" / f"{request.param}.cfg"
    environ = places | {"SHOP_CONFIG": str(config)}
    gunicorn = [sys.executable, "-m", "gunicorn", "--graceful-timeout", 3, *command("gunicorn")]
    with (
        deployment.run("uwsgi", [BIN / "pyuwsgi", *command("uwsgi")], **environ),
        deployment.run("gunicorn", gunicorn, **environ),
    ):
        yield environ
    for name in ("uwsgi", "gunicorn"):
        assert "Traceback" not in deployment.log(name).read_text()


@pytest.mark.parametrize("environ", ["one-host", "redis", "postgresql"], indirect=True)
def test_every_worker_of_both_hosts_follows(
    deployment: Deployment, environ: dict[str, str]
) -> None:
    for saving, name in (("/shop", "Crêperie"), ("/bakery", "Boulangerie")):
        deployment.save(saving, name)
        for prefix in ("/shop", "/bakery"):

            def is_current(prefix: str = prefix, name: str = name) -> bool:
                return {answer["name"] for answer in deployment.answers(prefix)} == {name}

            assert until(is_current)
            for answer in deployment.answers(prefix):
                assert answer["address"] == f"https://{HOST}{prefix}/"
            assert deployment.ask(f"{prefix}/ready")[0].status == 200


@pytest.mark.skipif(
    version("redis").startswith(("4.", "5.", "6.0.")),
    reason="Celery's transport needs redis-py 6.1",
)
@pytest.mark.parametrize("environ", ["redis"], indirect=True)
def test_a_celery_worker_follows(deployment: Deployment, environ: dict[str, str]) -> None:
    options = deployment.options(environ)
    worker = [sys.executable, "-m", "celery", *command("celery"), "--loglevel", "info"]
    log = deployment.log("celery")

    def ready() -> None:
        assert "ready." in log.read_text()

    with running(worker, ready, log, **options):
        for name in ("Crêperie", "Boulangerie"):
            deployment.save("/shop", name)

            def is_current(name: str = name) -> bool:
                return deployment.ask("/shop/letters/Ana", {})[1] == f"Hello Ana, this is {name}."

            assert until(is_current)
    assert "Traceback" not in log.read_text()


# Commands of the operator


def test_the_commands_of_a_deployment_run_in_the_order_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = (DEPLOY / "config" / "one-host.cfg").read_text().replace("/run/shop", str(tmp_path))
    (tmp_path / "one-host.cfg").write_text(config)
    places = {
        "SHOP_CONFIG": str(tmp_path / "one-host.cfg"),
        "SHOP_DATABASE": f"sqlite:///{tmp_path}/shop.db",
        "SHOP_SECRET_KEY": "test",
        "SHOP_OPERATOR_PASSWORD": PASSWORD,
    }
    for name, value in places.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(str(DEPLOY))
    for name in ("wsgi", "shop"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    app = importlib.import_module("wsgi").app
    begin = "flask --app wsgi "
    commands = [line.removeprefix(begin) for line in LINES if line.startswith(begin)]
    assert len(commands) == 5
    for each in commands:
        result = app.test_cli_runner().invoke(args=shlex.split(each.partition(">")[0]))
        assert result.exit_code == 0, (each, result.output)
    app.extensions["waffleconf"].stop()
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


def test_a_dump_has_the_rows(places: dict[str, str], tmp_path: Path) -> None:
    with required():
        pg_dump = find("pg_dump")
    url = places["SHOP_DATABASE"].replace("+psycopg", "")
    words = [word.replace("$SHOP_BACKUP", url) for word in command("pg_dump")]
    prepare([pg_dump, *words], cwd=tmp_path)
    dump = (tmp_path / "settings.sql").read_text()
    assert "COPY public.confs " in dump and "COPY public.conf_changes " in dump


# Containers: their commands, in a folder that has what COPY copies


def test_the_container_of_the_app_serves_and_is_ready(
    deployment: Deployment, places: dict[str, str], tmp_path: Path
) -> None:
    for name, rest in INSTRUCTIONS:
        if name == "COPY":
            *sources, target = rest.split()
            for path in sources:
                copy = shutil.copytree if (DEPLOY / path).is_dir() else shutil.copy
                copy(DEPLOY / path, tmp_path / (path if target == "./" else target))
    port = free_port()
    environ = places | {"SHOP_CONFIG": str(tmp_path / "config" / "redis.cfg")}
    options = deployment.options(environ) | {"cwd": tmp_path}

    (served,) = (json.loads(rest) for name, rest in INSTRUCTIONS if name == "CMD")
    here = {"0.0.0.0:8000": f"127.0.0.1:{port}"}
    gunicorn = [sys.executable, "-m", *(here.get(word, word) for word in served)]
    gunicorn += ["--graceful-timeout", "3"]
    cmd, python, option, probe = COMPOSE["web"]["healthcheck"]["test"]
    assert (cmd, python, option) == ("CMD", "python", "-c")
    log = tmp_path / "gunicorn.log"

    def ready() -> None:
        socket.create_connection(("127.0.0.1", port)).close()

    with running(gunicorn, ready, log, **options):
        exec(probe.replace("8000", str(port)), {})  # raises, if the answer is 503
    assert "Traceback" not in log.read_text()


def test_the_other_containers_run_commands_of_the_page() -> None:
    tables = command("flask --app wsgi create-tables")
    assert COMPOSE["tables"]["command"] == ["flask", *tables]
    assert COMPOSE["worker"]["command"] == ["celery", *command("celery")]
    (installed,) = (shlex.split(rest) for name, rest in INSTRUCTIONS if name == "RUN")
    assert set(command('pip install "waffleconf-admin[sqlalchemy,redis]"')) < set(installed)


def test_the_dockerfile_has_known_instructions_and_copies_what_is_there() -> None:
    assert INSTRUCTIONS[0][0] == "FROM"
    known = {"FROM", "WORKDIR", "RUN", "COPY", "USER", "ENV", "CMD"}
    assert {name for name, _ in INSTRUCTIONS} == known
    for name, rest in INSTRUCTIONS:
        if name == "COPY":
            assert all((DEPLOY / path).exists() for path in rest.split()[:-1])


def test_the_compose_file_names_services_and_volumes_that_it_has() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = compose["services"]
    for service in services.values():
        assert ("image" in service) != (service.get("build") == ".")
        assert set(service.get("depends_on", ())) <= services.keys()
        named = {volume.partition(":")[0] for volume in service.get("volumes", ())}
        assert named <= compose["volumes"].keys()
    for name in ("web", "worker"):
        config = Path(services[name]["environment"]["SHOP_CONFIG"])
        assert (DEPLOY / config.relative_to("/srv/shop")).exists()
        used = set(re.findall(r'environ\["(\w+)"\]', (DEPLOY / "config/redis.cfg").read_text()))
        assert used <= services[name]["environment"].keys()


def test_the_unit_of_systemd_runs_the_commands_of_the_page() -> None:
    unit = configparser.ConfigParser(strict=True, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(DEPLOY / "shop.service")
    assert unit.sections() == ["Unit", "Service", "Install"]
    service = unit["Service"]
    for key, program, begin in (
        ("ExecStart", "gunicorn", "gunicorn"),
        ("ExecStartPre", "flask", "flask --app wsgi create-tables"),
    ):
        path, *arguments = service[key].split()
        assert Path(path).name == program and arguments == command(begin)
    runtime = f"/run/{service['RuntimeDirectory']}/"
    for name in ("gunicorn.conf.py", "config/one-host.cfg"):
        assert runtime in (DEPLOY / name).read_text()
