"""Any sequence of saves, faults, reloads and deployments, by workers of several releases.

Three workers, each with an ORM, a format and a release of its own, share one database. After every
step its rows, its history and what each worker has in memory are what a model says.

With WAFFLE_MACHINE_SECONDS it runs for so long, each time with other steps.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from machine import ABSENT, HIDDEN, LIVES, Model, Refused, Release
from machine_worker import Worker
from pages import URL, typed
from states import away

from waffleconf_admin import ConflictError, InvalidValue
from waffleconf_admin.codec import deserialize
from waffleconf_admin.codec.encryption import is_encrypted
from waffleconf_admin.state.conf import conf
from waffleconf_admin.state.task import RESET, Origin
from waffleconf_admin.testing import override_conf

SECONDS = float(os.environ.get("WAFFLE_MACHINE_SECONDS", 0))

WORKERS = st.integers(0, 2)
#: Picks one of some, whose number is known when the step runs.
PICKS = st.integers(0, 99)
RELEASES = st.fixed_dictionaries(
    {life: st.integers(0, len(versions) - 1) for life, versions in LIVES.items()}
).map(Release)
STYLES = st.tuples(st.sampled_from(["sqlalchemy", "peewee"]), st.sampled_from(["json", "pickle"]))
#: The settings of an example: the fewer they are, the more happens to each.
SUBJECTS = st.tuples(
    st.sampled_from(["mail", "mail", "size", "timeout", "token"]),
    st.frozensets(st.sampled_from(list(LIVES)), max_size=2),
).map(lambda drawn: {drawn[0], *drawn[1]})
#: What a save is asked to do: with which settings, and to which of their values.
WISHES = st.lists(st.tuples(PICKS, PICKS, st.booleans()), min_size=1, max_size=2)
EXPECTATIONS = st.sampled_from(["nothing", "what it has", "anything"])
FAULTS = st.sampled_from(["before the commit", "after the commit", "in it", "read", "beaten"])

#: How often each step did something, or was refused.
done: Counter[str] = Counter()


class Workers(RuleBasedStateMachine):
    """Three workers, and the model."""

    def __init__(self, path: Path, empty: Path) -> None:
        super().__init__()
        self.path = path
        shutil.copy(empty, path)
        self.database = sqlite3.connect(path, isolation_level=None)
        self.model = Model()
        self.workers: list[Worker] = []
        self.memory: list[dict[str, Any]] = []
        self.config: dict[str, Any] = {}
        self.subjects: set[str] = set()
        done["example"] += 1

    @initialize(
        subjects=SUBJECTS,
        releases=st.tuples(RELEASES, RELEASES, RELEASES),
        styles=st.tuples(STYLES, STYLES, STYLES),
        stores_defaults=st.booleans(),
        encrypts=st.booleans(),
    )
    def start(
        self,
        subjects: set[str],
        releases: Any,
        styles: Any,
        stores_defaults: bool,
        encrypts: bool,
    ) -> None:
        self.subjects = subjects
        self.config["WAFFLE_STORE_DEFAULTS"] = stores_defaults
        if encrypts:
            self.config["WAFFLE_ENCRYPTION_KEYS"] = [KEY]
        for release, style in zip(releases, styles, strict=True):
            release = release.only(subjects, style[1])
            self.workers.append(Worker(self.path, release, style, self.config))
            self.memory.append(self.model.served(release))

    def teardown(self) -> None:
        try:
            if sys.exception() is None:  # else no step is left to blame
                self._settle()
        finally:
            for worker in self.workers:
                worker.end()
            self.database.close()

    def _settle(self) -> None:
        """Once all workers have reloaded, all agree."""
        for number in [*range(len(self.workers))] * 2:
            self._reload(number)
        self.the_database_is_as_the_model_says()
        self.every_worker_has_what_it_last_read()
        for worker in self.workers:
            read = worker.state.read()
            values = {key: record.value for key, record in read.items()}
            assert values == self.model.served(worker.release)
            assert not self.model.differing(worker.release)

    # Saves

    @rule(
        number=WORKERS,
        wishes=WISHES,
        expects=EXPECTATIONS,
        way=st.sampled_from(["code", "api", "cli", "import"]),
    )
    def save(self, number: int, wishes: Any, expects: str, way: str) -> None:
        wanted = self._wanted(number, wishes, way)
        expected = self._expected(number, wanted, expects) if way == "code" else {}
        outcome = self._save(number, wanted, expected, way)
        done[f"{way}: {outcome}"] += 1

    @rule(number=WORKERS, pick=PICKS, value=PICKS, way=st.sampled_from(["code", "api"]))
    def save_a_value_that_is_refused(self, number: int, pick: int, value: int, way: str) -> None:
        versions = [v for v in self.workers[number].release.versions.values() if v.refused]
        if not versions:
            return
        version = versions[pick % len(versions)]
        refused = version.refused[value % len(version.refused)]
        done[f"a bad value: {self._save(number, {version.key: refused}, {}, way)}"] += 1

    @rule(
        number=WORKERS,
        wishes=WISHES,
        way=st.sampled_from(["code", "api", "cli", "import"]),
        fault=FAULTS,
        other=WORKERS,
        value=PICKS,
    )
    def save_with_a_fault(
        self, number: int, wishes: Any, way: str, fault: str, other: int, value: int
    ) -> None:
        wanted = self._wanted(number, wishes, way)
        if fault == "beaten":
            done[f"{fault}: {self._save_beaten(number, wanted, way, other, value)}"] += 1
            return
        after, writes = self.model.trial(), True
        with contextlib.suppress(Refused):
            writes = bool(after.save(self.workers[number].release, wanted, {}, way))
        if not writes and fault != "read":
            return
        rows = self._rows()
        with self._fault(number, fault):
            outcome = self.workers[number].save(wanted, {}, way)
        if fault == "read" and (outcome != "fault" or rows != self._rows()):
            # It knew enough to save without a read. The API reads once more, for its answer.
            assert outcome in (self._predict(number, wanted, {}, way), "fault")
            done[f"{fault}: not needed"] += 1
            return
        assert outcome == "fault"
        if fault == "after the commit":
            self.model = after
        done[f"fault: {fault}"] += 1

    @rule(
        number=WORKERS, pick=PICKS, value=PICKS, other=WORKERS, wish=WISHES, meanwhile=st.booleans()
    )
    def save_by_page(
        self, number: int, pick: int, value: int, other: int, wish: Any, meanwhile: bool
    ) -> None:
        worker, release = self.workers[number], self.workers[number].release
        keys = [key for key, v in release.versions.items() if type(v.values[0]) in (int, str)]
        if not keys:
            return
        key = keys[pick % len(keys)]
        version = release.versions[key]
        refused = [v for v in version.refused if type(v) is int is version.declaration.get("type")]
        values = [*version.values, *refused]
        new = values[value % len(values)]
        self._read(number)
        before = self.model.text(release, key)
        form = typed(worker.client, **{key: str(new)})
        if meanwhile:
            self._save(other, self._wanted(other, wish, "code"), {}, "code")
        now = self.model.text(release, key)
        status = worker.client.post(URL, data=form).status_code
        sent = None if release.is_secret(key) else str(new)
        if sent in (before, now):
            outcome = "saved"
        elif before != now:
            outcome = "conflict"
        else:
            outcome = self._predict(number, {key: new}, {}, "page")
        assert status == (303 if outcome == "saved" else 422), outcome
        assert worker.client.get(URL).status_code == 200  # as a browser does after a 303
        self._read(number)
        done[f"page: {outcome}"] += 1

    @rule(number=WORKERS, pick=PICKS, knows_all=st.booleans())
    def undo(self, number: int, pick: int, knows_all: bool) -> None:
        names = self._change_sets()
        if not names:
            return
        group = len(names) - 1 - pick % min(4, len(names))
        worker, history = self.workers[number], self.workers[number].state.history
        assert history
        todo = self.model.undone(worker.release, group)
        try:
            written = self.model.undo(worker.release, group, knows_all=knows_all)
            outcome = "saved"
            self._remember(number, todo)
        except Refused as refused:
            outcome = str(refused)
        seen = worker.newest() if knows_all else None
        try:
            saved = history.undo(names[group], seen=seen)
        except (ConflictError, InvalidValue) as error:
            assert outcome == ("conflict" if isinstance(error, ConflictError) else "invalid")
        else:
            assert outcome == "saved" and saved == written
        done[f"undo: {outcome}"] += 1

    @rule(number=WORKERS, wishes=WISHES, meanwhile=st.booleans(), other=WORKERS, wish=WISHES)
    def save_until_a_time(
        self, number: int, wishes: Any, meanwhile: bool, other: int, wish: Any
    ) -> None:
        """A save whose settings go back; another save may come between."""
        worker, release = self.workers[number], self.workers[number].release
        wanted = {
            key: RESET if value is ABSENT else value
            for key, value in self._wanted(number, wishes, "code").items()
            if not release.is_secret(key)
        }
        saved = worker.state.save(wanted, {}, Origin("ana", None, "code", in_an_hour()))
        wanted = {key: ABSENT if value is RESET else value for key, value in wanted.items()}
        assert self._predict(number, wanted, {}, "code") == "saved"
        if not saved.change_set:
            return
        group = self.model.entries[-1].group
        if meanwhile:
            self._save(other, self._wanted(other, wish, "code"), {}, "code")
        self.database.execute(
            "UPDATE conf_changes SET ends_at = '2020-01-01 00:00:00.000000' WHERE change_set = ?",
            (saved.change_set,),
        )
        outcome, after = "ended", self.model.trial()
        try:
            after.end(release, group)
            self.model = after
        except Refused:
            outcome = "refused"
        assert worker.state.update_conf()
        self._read(number)
        assert bool(worker.state.ends.refused) == (outcome == "refused")
        if outcome == "refused":
            worker.state.ends.keep(saved.change_set)
        done[f"until: {outcome}"] += 1

    # Notifications, that come once, twice or never; and reads

    @rule(number=WORKERS, times=st.integers(1, 2))
    def reload(self, number: int, times: int) -> None:
        for _ in range(times):
            self._reload(number)
        done["reload"] += 1

    @rule(number=WORKERS, what=st.sampled_from(["parse", "prune", "deploy", "touch", "fail"]))
    def do_something_else(self, number: int, what: str) -> None:
        done[f"else: {what}"] += 1
        getattr(self, f"_{what}")(number)

    def _fail(self, number: int) -> None:
        """A notification that comes while the database is away."""
        with self._fault(number, "read"):
            assert not self.workers[number].state.update_conf()

    def _touch(self, number: int) -> None:
        """A view changes a value in place; the next reload brings back the stored one."""
        worker = self.workers[number]
        if "HOURS" in worker.release.versions:
            worker.app.config["HOURS"]["fri"] = []
            self._reload(number)

    def _deploy(self, number: int) -> None:
        deployments = self.workers[number].state.deployments
        assert deployments
        deployments.note("next", "ops")

    def _parse(self, number: int) -> None:
        worker = self.workers[number]
        if self.config["WAFFLE_STORE_DEFAULTS"]:
            if self.model.is_reset_by_old_worker(worker.release):
                return
            self.model.store_defaults(worker.release)
        values = worker.state.parse_conf()
        assert values == self.model.served(worker.release)
        if "HOURS" in values:
            values["HOURS"]["fri"] = []  # it is the caller's own

    @rule(number=WORKERS, wishes=WISHES, other=WISHES)
    def override(self, number: int, wishes: Any, other: Any) -> None:
        worker = self.workers[number]
        values = {k: v for k, v in self._wanted(number, wishes, "code").items() if v is not ABSENT}
        with override_conf(values, app=worker.app):
            self._save(number, self._wanted(number, other, "code"), {}, "code")
            assert {key: worker.app.config[key] for key in values} == values
        done["override"] += 1

    # Deployments

    @rule(number=WORKERS, release=RELEASES, style=STYLES)
    def restart(self, number: int, release: Release, style: tuple[str, str]) -> None:
        release = release.only(self.subjects, style[1])
        self.workers[number].end()
        self.workers[number] = Worker(self.path, release, style, self.config)
        self._read(number, catches_up=False)
        done["restart"] += 1

    @rule(number=WORKERS, release=RELEASES)
    def declare_anew(self, number: int, release: Release) -> None:
        worker = self.workers[number]
        release = release.only(self.subjects, worker.release.format)
        worker.app.config["WAFFLE_CONFS"] = release.confs
        worker.release = release
        self._reload(number)
        done["declared anew"] += 1

    def _prune(self, number: int) -> None:
        """The former names, once no worker of an older release runs; and what nobody declares."""
        worker = self.workers[number]
        gone = [] if "HOURS" in worker.release.versions else ["HOURS"]
        if all(
            worker.release.numbers[n] <= w.release.numbers[n]
            for w in self.workers
            for n in self.subjects
        ):
            gone += worker.release.former
            self.model.prune_names(worker.release)
        if "HOURS" in gone:
            self.model.prune_undeclared("HOURS")
        worker.state.undeclared.delete(gone, Origin("ops", None, "cli"))
        for each in range(3):
            self._reload(each)

    # What holds after each step

    @invariant()
    def the_database_is_as_the_model_says(self) -> None:
        found = {key: self._value(text) for key, text in self._rows()}
        assert found == {key: row.value for key, row in self.model.rows.items()}
        groups = self._change_sets()
        rows = self.database.execute(
            "SELECT change_set, key, old, new, source FROM conf_changes WHERE source != 'deploy'"
        )
        history = {
            (groups.index(name), key): (self._value(old), self._value(new), source)
            for name, key, old, new, source in rows
        }
        assert history == {
            entry[:2]: tuple(ABSENT if part is HIDDEN else part for part in entry[2:])
            for entry in self.model.entries
        }

    @invariant()
    def every_worker_has_what_it_last_read(self) -> None:
        for worker, memory in zip(self.workers, self.memory, strict=True):
            assert {key: worker.app.config[key] for key in memory} == memory
            assert dict(worker.state.current()) == memory
            with worker.app.app_context():
                assert {key: getattr(conf, key) for key in memory} == memory

    # The parts of the steps

    def _change_sets(self) -> list[str]:
        """The names of the change sets, in their order."""
        rows = self.database.execute(
            "SELECT change_set FROM conf_changes WHERE source != 'deploy' ORDER BY id"
        )
        return list(dict.fromkeys(name for (name,) in rows))

    def _value(self, text: str | None) -> Any:
        if text is None:
            return ABSENT
        if is_encrypted(text):
            text = self.workers[0].state._repository.codec.decrypt(text)
        return deserialize(text)

    def _wanted(self, number: int, wishes: Any, way: str) -> dict[str, Any]:
        """The values that wishes mean for a worker; ABSENT for a reset."""
        versions, wanted = list(self.workers[number].release.versions.values()), {}
        for pick, value, resets in wishes[:1] if way == "cli" else wishes:
            version = versions[pick % len(versions)]
            wanted[version.key] = version.values[value % len(version.values)]
            if resets and value % 2 and way != "import":
                wanted[version.key] = ABSENT
        return wanted

    def _expected(self, number: int, wanted: Any, expects: str) -> dict[str, Any]:
        release = self.workers[number].release
        if expects == "what it has":
            return {key: self.memory[number][key] for key in wanted}
        values = release.versions[next(iter(wanted))].values
        return {} if expects == "nothing" else {next(iter(wanted)): values[0]}

    def _save(self, number: int, wanted: dict[str, Any], expected: dict[str, Any], way: str) -> str:
        """Save by a way in; the outcome has to be the one of the model."""
        outcome = self._predict(number, wanted, expected, way)
        assert self.workers[number].save(wanted, expected, way) == outcome
        return outcome

    def _rows(self) -> list[tuple[str, str]]:
        return self.database.execute("SELECT key, value FROM confs").fetchall()

    def _predict(
        self, number: int, wanted: dict[str, Any], expected: dict[str, Any], way: str
    ) -> str:
        """Save in the model, and say what comes of it."""
        release, after = self.workers[number].release, self.model.trial()
        if way == "import":  # it saves no more than differs
            held = self.model.served(release)
            wanted = {key: value for key, value in wanted.items() if value != held[key]}
        try:
            after.save(release, wanted, expected, way)
        except Refused as refused:
            return str(refused)
        self.model = after
        self._remember(number, {*wanted, *expected})
        return "saved"

    def _save_beaten(
        self, number: int, wanted: dict[str, Any], way: str, other: int, value: int
    ) -> str:
        """Save, while another worker saves between the reading and the writing."""
        worker, rival = self.workers[number], self.workers[other]
        store = worker.state.configstore
        swap, beaten, overtaken = store.swap, False, False
        version = [*rival.release.versions.values()][value % len(rival.release.versions)]
        wish = {version.key: version.values[value % len(version.values)]}

        def beat(*arguments: Any) -> bool:
            nonlocal beaten, overtaken
            del store.swap  # type: ignore[method-assign]
            beaten = True
            writes.update(arguments[0])
            self._save(other, wish, {}, "code")
            overtaken = not swap(*arguments)
            return not overtaken

        read = self.model.served(worker.release, wanted)
        self.model.trial().save(worker.release, wanted, {}, way)
        writes = set[str]()  # what its memory or the database has it write
        store.swap = beat  # type: ignore[method-assign]
        outcome = worker.save(wanted, {}, way)
        if not beaten:
            del store.swap  # type: ignore[method-assign]
        if beaten and not overtaken:  # of the others it has what it read
            wanted = {key: value for key, value in wanted.items() if key in writes}
            if way != "import":
                self.memory[number] |= read
        assert outcome == self._predict(number, wanted, {}, way)
        if beaten and not overtaken and other == number:
            self._read(number, catches_up=False)  # two threads of it have saved, so it asks
        return outcome if beaten else "not beaten"

    @contextlib.contextmanager
    def _fault(self, number: int, fault: str) -> Iterator[None]:
        store = self.workers[number].state.configstore
        swap = store.swap

        def lost(*arguments: Any) -> Any:
            return swap(*arguments) and away()  # else the save reads and tries again

        with pytest.MonkeyPatch.context() as patch:
            if fault == "read":
                patch.setattr(store, "read_fresh", away)
            elif fault == "in it":
                self.database.execute(
                    "CREATE TRIGGER refuse BEFORE INSERT ON conf_changes "
                    "BEGIN SELECT RAISE(ABORT, 'the database is away'); END"
                )
            else:
                patch.setattr(store, "swap", lost if fault == "after the commit" else away)
            yield
        self.database.execute("DROP TRIGGER IF EXISTS refuse")

    def _reload(self, number: int) -> None:
        assert self.workers[number].state.update_conf()
        self._read(number)

    def _read(self, number: int, *, catches_up: bool = True) -> None:
        """A worker has read all settings."""
        release = self.workers[number].release
        self.memory[number] = self.model.served(release)
        if catches_up:
            self.model.catch_up(release)

    def _remember(self, number: int, keys: Any) -> None:
        """A worker has read and written some settings."""
        release = self.workers[number].release
        known = [key for key in keys if key in release.versions]
        self.memory[number] |= self.model.served(release, known)


def in_an_hour() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


KEY = "9aG5Rj1lq0P2mJ4yXcV7bN8sT3uW6zEoHiKdLfQtMxA="

#: For the suite: the same steps each time.
IN_THE_SUITE = settings(
    max_examples=50,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
BY_HAND = settings(IN_THE_SUITE, derandomize=False, max_examples=100)


@pytest.mark.timeout(SECONDS + 900)  # the shortest steps that fail take a while to find
def test_workers_do_what_the_model_says(tmp_path: Path) -> None:
    empty = tmp_path / "empty.db"
    make_tables(empty)

    def workers() -> Workers:
        return Workers(tmp_path / f"{done['example']}.db", empty)

    begin = time.monotonic()
    run_state_machine_as_test(workers, settings=BY_HAND if SECONDS else IN_THE_SUITE)
    while time.monotonic() < begin + SECONDS:
        run_state_machine_as_test(workers, settings=BY_HAND)
    print(
        f"{done.pop('example')} examples in {time.monotonic() - begin:.0f} seconds;",
        f"{done.total()} steps that did something:",
    )
    print(*(f"{number:7} {step}" for step, number in sorted(done.items())), sep="\n")


def make_tables(path: Path) -> None:
    with contextlib.ExitStack() as stack:
        Worker.make_tables(path, stack)
