"""The benchmarks run, and what they time does its work; how long it takes is no test's business."""

from __future__ import annotations

import dataclasses
import importlib
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from waffleconf_admin.util import deserialize

ROOT = Path(__file__).parents[2]
COUNT = 16


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Their modules can be imported, and are gone afterwards."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    yield
    names = {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
    for name in names & (set(sys.modules) - before):
        del sys.modules[name]


def load(name: str) -> Any:
    return importlib.import_module(name)


@pytest.fixture
def options() -> Any:
    return load("measure").Options([COUNT], {"SQLite": ""}, None, None, 0.0, True)


def row(settings: int, value: float, **more: Any) -> Any:
    measure = load("measure")
    figures = measure.Figures(value, value, value, 3)
    return measure.Row("update_db", "one", "SQLAlchemy, SQLite", settings, "ms", figures, **more)


@pytest.mark.parametrize(
    "name",
    [
        "parse_conf",
        "reload",
        "first_start",
        "update_db",
        "render",
        "memory",
        "before_request",
        "workers",
    ],
)
def test_a_benchmark_gives_rows(name: str, options: Any) -> None:
    found = list(load(name).run(options))
    rows = [row for row in found if isinstance(row, load("measure").Row)]
    assert {row.settings for row in rows} == {COUNT}
    assert all(row.benchmark == name and (row.floor or row.floor_is == "nothing") for row in rows)


@pytest.mark.skipif(
    version("WTForms").startswith("3.1."), reason="the floor is a form of WTForms 3.2 or newer"
)
def test_a_row_costs_less_than_one_of_bare_wtforms(monkeypatch: pytest.MonkeyPatch) -> None:
    # Calls are counted, so this is no test of a time.
    row_cost = load("row_cost")
    monkeypatch.setattr(row_cost, "SETTINGS", 200)
    page, bare = (row_cost.calls(url) for url in ("/admin/config", "/bare"))
    assert 0 < sum(page.values()) < 0.8 * sum(bare.values())
    drawn = load("plot").stacked({"page": page, "bare": bare}, list(page), "calls")
    assert len(ElementTree.fromstring(drawn).findall(".//{*}title")) == 2 * len(page)


ORMS = ("SQLAlchemy", "SQLAlchemy with JSON", "peewee")
TIMED = [
    (name, subject)
    for name in ("parse_conf", "reload", "first_start", "update_db")
    for subject in ORMS
    if (name, subject) != ("first_start", "SQLAlchemy with JSON")  # which stores no defaults
]


@pytest.mark.parametrize(("name", "subject"), TIMED)
def test_what_is_timed_does_its_work(name: str, subject: str) -> None:
    changed = {"all changed": COUNT, "all given, one changed": 1, "one": 1, "one key": 1}
    with load("subjects").subject(subject, "", COUNT) as on:
        for work in load(name).works(on):
            served = []
            for _ in range(3):
                work.before()
                done = work.ours()
                stored = {key: deserialize(text) for key, text in on.raw.select()}
                assert stored == on.state.parse_conf()
                assert done is True or len(done) == changed.get(work.name, COUNT), work.name
                if name in ("reload", "update_db"):
                    assert stored.items() <= on.app.config.items(), work.name
                served.append(on.app.config[on.keys[0]])
                work.before()
                work.floor()
                assert len(on.floor.select()) == COUNT
            assert name != "reload" or len(set(served)) == (3 if "one" in work.name else 1)


def test_the_page_takes_what_a_browser_would_send() -> None:
    render = load("render")
    app = render.make_app(COUNT)
    sent = render.Controls(app.test_client().get(render.PAGE).text).sent
    assert set(app.extensions["waffleconf"].settings) <= {name for name, _ in sent}


@pytest.mark.parametrize("power", [0, 1, 2])
def test_the_growth_is_the_power_of_the_number_of_settings(power: int) -> None:
    rows = [row(settings, 3.0 * settings**power) for settings in (100, 1000, 5000)]
    few = row(10, 1000.0)  # what is the same for any number rules there
    assert load("measure").exponent([few, *rows]) == pytest.approx(power)


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    measure = load("measure")
    rows = [row(100, 1.5, floor=measure.Figures(1, 1, 1, 3), floor_is="UPDATE", ratio=1.5)]
    measure.write(tmp_path / "new" / "run.json", measure.described([], True), rows)
    assert list(measure.read(tmp_path / "new" / "run.json")) == rows


def test_a_table_shows_the_run_before() -> None:
    measure = load("measure")
    now, former = row(100, 1.5, ratio=3.0), row(100, 9.0, ratio=17.4)
    heading, line = measure.report([now], {former.place: former}).splitlines()[1:]
    assert dict(zip(heading.split(), line.split()[2:], strict=True)) == {
        "settings": "100", "median": "1.50", "min": "1.50", "max": "1.50", "ratio": "3.00",
        "before": "17.4",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("unit", "ratio", "missed"),
    [
        ("ms", 3.0, False),
        ("ms", 3.1, True),
        ("requests a second", 3.0, False),
        ("requests a second", 2.9, True),
    ],
)
def test_a_missed_target_is_marked(unit: str, ratio: float, missed: bool) -> None:
    measure = load("measure")
    found = dataclasses.replace(row(1000, 9.0, ratio=ratio, target=3.0), unit=unit)
    assert found.missed is missed
    assert ("missed" in measure.report([found], {})) is missed
    assert ("**" in load("document").cell(found)) is missed


def test_the_page_of_a_run_has_tables_and_plots() -> None:
    document, measure = load("document"), load("measure")
    rows = list(measure.read(document.FIGURES))
    about = measure.described([measure.Missing("peers", "nobody", "no network")], False)
    page = "\n\n".join(document.sections(about, rows))
    assert "Not measured: peers, nobody: no network." in page
    for table in page.split("\n\n"):
        if table.startswith("|"):
            assert len({line.count("|") for line in table.splitlines()}) == 1, table
    for drawn in (document.growth(rows), document.requests(rows)):
        ElementTree.fromstring(drawn)
