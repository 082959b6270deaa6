"""Watchers and notifiers, by themselves: files, Redis, and what they need of a state."""

from __future__ import annotations

import errno
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import faults
import pytest
from flask import Flask
from required import required

from waffleconf_admin.sync import inotify, watch_types, watchfile
from waffleconf_admin.sync.watch_types import get_notifier, get_watcher
from waffleconf_admin.sync.watchfile import Follower, file_mark, touch_file

WAIT = 10.0


class State:
    """As little as 0.3.1's functions were documented to need."""

    def __init__(self, **config: Any) -> None:
        self.app = Flask("shop")
        self.app.config.update(config)
        self.reloads = 0
        self.results: list[Any] = []
        self.reloaded = threading.Event()

    def update_conf(self) -> Any:
        self.reloads += 1
        self.reloaded.set()
        return self.results.pop(0) if self.results else None

    def wait(self) -> bool:
        seen = self.reloaded.wait(WAIT)
        self.reloaded.clear()
        return seen


@contextmanager
def watching(state: State, kind: str) -> Iterator[list[BaseException]]:
    """Run a watcher in a thread, as 0.3.1's documents say."""
    state.stopping = threading.Event()  # type: ignore[attr-defined]
    state.follower = watch_types.new_follower(state)  # type: ignore[attr-defined]
    errors: list[BaseException] = []

    def run() -> None:
        try:
            get_watcher(kind)(state)
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield errors
    finally:
        state.stopping.set()  # type: ignore[attr-defined]
        thread.join(WAIT)
    assert not thread.is_alive()


def until(condition: Callable[[], Any]) -> bool:
    deadline = time.monotonic() + WAIT
    while not condition():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.01)
    return True


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "watch" / "file.txt")


def file_state(path: str, **config: Any) -> State:
    return State(WAFFLE_WATCHER_FILE=path, WAFFLE_WATCH_INTERVAL=0.02, **config)


# Kinds


@pytest.mark.parametrize(
    ("kind", "watch", "notify"),
    [
        ("file", watch_types._file_watcher, watch_types._file_notifier),
        ("redis", watch_types._redis_watcher, watch_types._redis_notifier),
        ("database", watch_types._database_watcher, watch_types._dummy),
    ],
)
def test_the_functions_of_a_kind(kind: str, watch: Any, notify: Any) -> None:
    assert (get_watcher(kind), get_notifier(kind)) == (watch, notify)


def test_redis_without_redis_py_is_file_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "redis", None)
    assert get_watcher("redis") is watch_types._file_watcher
    assert get_notifier("redis") is watch_types._file_notifier
    assert "waffleconf-admin[redis]" in caplog.text


@pytest.mark.parametrize("get", [get_watcher, get_notifier])
def test_an_unknown_kind_is_an_error_that_lists_the_kinds(get: Any) -> None:
    with pytest.raises(ValueError, match="'carrier pigeon' is none of: 'file', 'redis'"):
        get("carrier pigeon")


@pytest.mark.parametrize("get", [get_watcher, get_notifier])
@pytest.mark.parametrize("kind", [None, (print,), (print, None), "", ("file", "redis")])
def test_what_is_neither_a_name_nor_a_pair_of_functions_is_an_error(get: Any, kind: Any) -> None:
    with pytest.raises(ValueError, match=r"\(watch, notify\)"):
        get(kind)


def test_a_pair_of_functions_is_a_kind() -> None:
    assert (get_watcher((print, repr)), get_notifier([print, repr])) == (print, repr)


def test_a_registered_kind_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_types, "_KINDS", dict(watch_types._KINDS))
    watch_types.register("carrier pigeon", print, repr)
    assert (get_watcher("carrier pigeon"), get_notifier("carrier pigeon")) == (print, repr)
    with pytest.raises(ValueError, match="'carrier pigeon'"):
        get_watcher("owl")


def test_the_dummy_reads_nothing_and_tells_nobody(path: str) -> None:
    state = file_state(path)
    watch_types._dummy(state)
    assert state.reloads == 0 and not os.path.exists(path)


# The file


def test_a_notice_makes_the_file_and_its_folder(path: str) -> None:
    get_notifier("file")(file_state(path))
    assert Path(path).stat().st_size == 1


def test_every_notice_changes_the_mark(path: str) -> None:
    marks = {file_mark(path)}
    for _ in range(50):
        get_notifier("file")(file_state(path))
        marks.add(file_mark(path))
    assert len(marks) == 51


def test_the_file_does_not_grow_for_ever(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchfile, "MAX_FILE", 10)
    for _ in range(25):
        before = file_mark(path)
        touch_file(path, b".")
        assert file_mark(path) != before
    assert Path(path).stat().st_size <= 10


def test_making_the_file_is_no_notice(path: str) -> None:
    touch_file(path)
    mark = file_mark(path)
    touch_file(path)
    assert file_mark(path) == mark


def test_an_own_symbolic_link_is_followed(path: str, tmp_path: Path) -> None:
    os.makedirs(os.path.dirname(path))
    os.symlink(tmp_path / "real", path)
    touch_file(path, b".")
    assert (tmp_path / "real").read_bytes() == b"."


def test_the_symbolic_link_of_another_user_is_not_followed(path: str, tmp_path: Path) -> None:
    os.makedirs(os.path.dirname(path))
    os.symlink(tmp_path / "precious", path)
    if os.getuid() == 0:
        os.chown(path, 12345, 12345, follow_symlinks=False)
        uid = 0
    else:
        uid = os.getuid() + 1  # we can't give a link away, so be somebody else
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "getuid", lambda: uid)
        with pytest.raises(OSError, match="symbolic"):
            touch_file(path, b".")
    assert not (tmp_path / "precious").exists()


CHANGES: dict[str, Callable[[str], Any]] = {
    "notice": lambda path: touch_file(path, b"."),
    "older": lambda path: os.utime(path, (1, 1)),  # as 0.3.1 may, and a clock set back
    "removed": os.remove,
    "replaced": lambda path: os.replace(Path(path + "2").write_text("x") and path + "2", path),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_any_change_of_the_file_is_a_notice(path: str, change: Callable[[str], Any]) -> None:
    touch_file(path, b".")
    follower = Follower(path, 1.0)
    reloads: list[None] = []
    follower.follow(lambda: reloads.append(None))
    assert len(reloads) == 0
    change(path)
    follower.follow(lambda: reloads.append(None))
    follower.follow(lambda: reloads.append(None))
    assert len(reloads) == 1


def test_a_notice_counts_as_seen_only_after_a_good_reload(path: str) -> None:
    follower = Follower(path, 0.0)
    touch_file(path, b".")
    results = [False, False, None]
    for _ in range(4):
        follower.follow(lambda: results.pop(0))
    assert results == []


def test_a_failed_reload_is_tried_again_after_the_interval_only(path: str) -> None:
    follower = Follower(path, 60.0)
    touch_file(path, b".")
    results = [False, None]
    for _ in range(3):
        follower.follow(lambda: results.pop(0))
    assert results == [None]


@pytest.fixture
def polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on another system than Linux, or with too many processes that use inotify."""

    def refuse(path: str) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(inotify, "Inotify", refuse)


@pytest.fixture
def heard(path: str) -> Iterator[Callable[[], bool]]:
    """A function that waits for a change of the watch file to be told of."""
    touch_file(path)
    with inotify.listening(path) as listener:
        assert listener is not None

        def heard() -> bool:
            began = time.monotonic()
            listener.wait(WAIT)
            return time.monotonic() - began < WAIT

        yield heard


only_linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify is for Linux")


@only_linux
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_inotify_tells_of_every_change(
    path: str, heard: Callable[[], bool], change: Callable[[str], Any]
) -> None:
    change(path)
    assert heard()


@only_linux
def test_inotify_tells_of_the_file_that_has_come_in_place_of_another(
    path: str, heard: Callable[[], bool]
) -> None:
    CHANGES["replaced"](path)
    assert heard()
    threading.Timer(0.2, touch_file, [path, b"."]).start()
    assert heard()


@only_linux
def test_inotify_tells_once_of_changes_that_follow_each_other_closely(
    path: str, heard: Callable[[], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(10):
        touch_file(path, b".")
    assert heard()
    monkeypatch.setattr(sys.modules[__name__], "WAIT", 0.05)
    assert not heard()


@only_linux
def test_inotify_leaves_no_file_open(path: str) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with inotify.listening(path):
        assert len(os.listdir("/proc/self/fd")) == before + 1
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_watcher_without_inotify_reloads_on_a_notice(path: str, polling: None) -> None:
    state = file_state(path)
    with watching(state, "file"):
        get_notifier("file")(file_state(path))
        assert state.wait()


def test_a_file_watcher_reloads_on_a_notice(path: str) -> None:
    state = file_state(path)
    with watching(state, "file"):
        get_notifier("file")(file_state(path))
        assert state.wait()


def test_a_watcher_needs_no_more_than_app_and_update_conf(path: str) -> None:
    class Bare:
        app = Flask("shop")
        app.config.update(WAFFLE_WATCHER_FILE=path, WAFFLE_WATCH_INTERVAL=0.02)

        def update_conf(self) -> None:
            raise EOFError  # the only way to end a watcher that nobody can stop

    ended = threading.Event()

    def run() -> None:
        with pytest.raises(EOFError):
            get_watcher("file")(Bare())
        ended.set()

    threading.Thread(target=run, daemon=True).start()
    assert until(lambda: get_notifier("file")(Bare()) or ended.is_set())


def test_a_database_watcher_reads_without_a_notice(path: str) -> None:
    state = file_state(path)
    with watching(state, "database"):
        assert state.wait()
        assert state.wait()


def test_a_file_watcher_tries_a_failed_reload_again(path: str) -> None:
    state = file_state(path)
    state.results = [False]
    with watching(state, "file"):
        touch_file(path, b".")
        assert until(lambda: state.reloads >= 2)


def test_a_notice_is_seen_though_the_file_can_not_grow(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(handle: int, text: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    touch_file(path)
    mark = file_mark(path)
    monkeypatch.setattr(os, "write", write)
    touch_file(path, b".")
    assert file_mark(path) != mark


# Redis


def redis_state(url: str, **config: Any) -> State:
    return State(WAFFLE_REDIS_URL=url, WAFFLE_REDIS_CHANNEL="shop", **config)


def subscribers(url: str) -> int:
    import redis

    with redis.Redis.from_url(url) as client:
        return int(client.pubsub_numsub("shop")[0][1])


def test_a_redis_watcher_reads_when_it_has_subscribed_and_at_each_notice(redis_server: str) -> None:
    state = redis_state(redis_server)
    with watching(state, "redis"):
        assert state.wait()
        get_notifier("redis")(redis_state(redis_server))
        assert state.wait()


def test_the_payload_is_that_of_031(redis_server: str) -> None:
    import redis

    with redis.Redis.from_url(redis_server) as client, client.pubsub() as pubsub:
        pubsub.subscribe("shop")
        pubsub.get_message(timeout=WAIT)
        get_notifier("redis")(redis_state(redis_server))
        message = pubsub.get_message(timeout=WAIT)
    assert abs(float(message["data"]) - time.time()) < 60


@pytest.mark.parametrize("payload", [b"1479000000.5", b"not a number", b"", b"\xff" * 1000])
def test_any_payload_is_a_notice(redis_server: str, payload: bytes) -> None:
    import redis

    state = redis_state(redis_server)
    with watching(state, "redis"):
        assert state.wait()
        with redis.Redis.from_url(redis_server) as client:
            client.publish("shop", payload)
        assert state.wait()


def test_a_notice_finds_its_way_when_redis_has_closed_the_connection(redis_server: str) -> None:
    import redis

    sender, state = redis_state(redis_server), redis_state(redis_server)
    with watching(state, "redis"), redis.Redis.from_url(redis_server) as client:
        assert state.wait()
        get_notifier("redis")(sender)
        assert state.wait()
        client.client_kill_filter(_type="normal", skipme=True)
        get_notifier("redis")(sender)
        assert state.wait()


def test_host_and_port_are_used(redis_server: str) -> None:
    port = int(redis_server.rsplit(":", 1)[1].split("/")[0])
    assert port != 6379
    state = State(WAFFLE_REDIS_HOST="127.0.0.1", WAFFLE_REDIS_PORT=port)
    with watching(state, "redis"):
        assert state.wait()
        get_notifier("redis")(State(WAFFLE_REDIS_HOST="127.0.0.1", WAFFLE_REDIS_PORT=port))
        assert state.wait()


def test_messages_without_a_pause_do_not_put_off_the_reload(redis_server: str) -> None:
    import redis

    state = redis_state(redis_server)
    with watching(state, "redis"), redis.Redis.from_url(redis_server) as client:
        assert state.wait()

        def reloaded() -> bool:
            for _ in range(100):
                client.publish("shop", b"")
            return state.reloads >= 3

        assert until(reloaded)


def test_messages_that_are_there_already_are_one_reload(redis_server: str) -> None:
    import redis

    state = redis_state(redis_server)
    with watching(state, "redis"), redis.Redis.from_url(redis_server) as client:
        assert state.wait()
        before = state.reloads
        with client.pipeline() as pipeline:
            for _ in range(1000):
                pipeline.publish("shop", b"")
            pipeline.execute()
        get_notifier("redis")(state)
        assert state.wait()
        assert state.reloads - before < 500


def test_a_reload_that_takes_long_is_no_silence_of_redis(
    redis_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_types, "REDIS_SILENCE", 1.0)
    state = redis_state(redis_server)
    update, fast = state.update_conf, threading.Event()

    def update_conf() -> Any:
        fast.wait(2.5)  # more than twice the silence
        fast.set()
        return update()

    state.update_conf = update_conf  # type: ignore[method-assign]
    with watching(state, "redis") as errors:
        assert state.wait()
        threading.Event().wait(2.0)  # it would be told when nothing else comes
        assert errors == []


def test_a_file_of_another_user_that_can_be_written_is_touched(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch_file(path, b".")
    utime, before = os.utime, file_mark(path)

    def refused(where: Any, *args: Any, **kwargs: Any) -> None:
        if args or kwargs:  # a time of one's own choice is for the owner
            raise PermissionError
        utime(where)

    monkeypatch.setattr(os, "utime", refused)
    touch_file(path, b".")
    assert file_mark(path) != before


def test_a_failed_reload_after_a_redis_notice_is_tried_again(redis_server: str) -> None:
    state = redis_state(redis_server)
    state.results = [False]
    with watching(state, "redis"):
        assert until(lambda: state.reloads >= 2)


def test_a_cut_connection_is_noticed(redis_server: str) -> None:
    import redis

    state = redis_state(redis_server)
    with watching(state, "redis") as errors:
        assert state.wait()
        with redis.Redis.from_url(redis_server) as client:
            client.client_kill_filter(_type="pubsub")
        # redis-py may reconnect by itself, which is a reload, or raise, which the runner handles
        assert until(lambda: errors or state.reloads >= 2)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Watchers that ask a silent Redis after a second, not after five."""
    monkeypatch.setattr(watch_types, "REDIS_SILENCE", 1.0)
    monkeypatch.setattr(watch_types, "BEAT", 0.1)


def test_a_hung_redis_is_an_error(impatient: None) -> None:
    with required(), faults.restartable_redis() as (url, server):
        state = redis_state(url)
        with watching(state, "redis") as errors:
            assert state.wait()
            server.send(signal.SIGSTOP)
            assert until(lambda: errors)
    assert "does not answer" in str(errors[0])


def test_a_redis_that_has_nothing_to_say_is_asked_and_is_no_error(
    redis_server: str, impatient: None
) -> None:
    import redis

    state = redis_state(redis_server)
    with redis.Redis.from_url(redis_server) as client, watching(state, "redis") as errors:
        assert state.wait()
        client.config_resetstat()

        def pings() -> int:
            return int(client.info("commandstats").get("cmdstat_ping", {}).get("calls", 0))

        assert until(lambda: errors or pings() >= 3)
        assert errors == [] and state.reloads == 1


def test_an_unreachable_redis_is_an_error_at_once() -> None:
    import redis

    state = redis_state("redis://127.0.0.1:1/0")
    before = time.monotonic()
    with pytest.raises(redis.RedisError):
        get_notifier("redis")(state)
    assert time.monotonic() - before < WAIT


# A kind of one's own


def test_the_kind_that_the_documents_show_works(
    make_app: Callable[..., Flask], postgres_url: str
) -> None:
    text = (Path(__file__).parents[2] / "docs" / "processes.md").read_text()
    (block,) = re.findall(r"^```python\n(import psycopg.*?)^```$", text, re.M | re.S)
    names: dict[str, Any] = {"app": Flask("shop")}
    exec(block.replace("postgresql://shop@db/shop", postgres_url), names)
    confs, kind = {"SITENAME": {"default": "Waffle"}}, names["app"].config["WAFFLE_WATCHTYPE"]
    first, second = (
        make_app(confs, WAFFLE_MULTIPROC=True, WAFFLE_WATCHTYPE=kind) for _ in range(2)
    )
    for name in ("A", "B"):
        first.extensions["waffleconf"].update_db({"SITENAME": name})
        assert until(lambda name=name: second.config["SITENAME"] == name)
    assert second.extensions["waffleconf"].health().trouble is None


def test_the_probe_that_the_documents_show_works(make_app: Callable[..., Flask]) -> None:
    text = (Path(__file__).parents[2] / "docs" / "processes.md").read_text()
    (block,) = re.findall(r"^```python\n(@app.get.*?)^```$", text, re.M | re.S)
    app = make_app({"SITENAME": {"default": "Waffle"}}, WAFFLE_MULTIPROC=True)
    exec(block, {"app": app})
    assert app.test_client().get("/ready").status_code == 200
    app.extensions["waffleconf"].runner.note_failed_reload(OSError("away"))
    answer = app.test_client().get("/ready")
    assert (answer.status_code, answer.json["lags"]) == (503, True)
