"""Watch type 'file': what its file says, what may be in its place, and who may use it."""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import socket
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, current_app
from fleet import WAIT, Process, until
from required import MISSING
from watching import State, watching

from waffleconf_admin.exceptions import WatchFileError
from waffleconf_admin.sync import watchfile
from waffleconf_admin.sync.file import FileWatch
from waffleconf_admin.sync.watchfile import file_stamp, touch_file

CONFS = {"SITENAME": {"default": "Waffle"}}
MakeApp = Callable[..., Flask]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "watch.txt"


def make(make_app: MakeApp, path: Path, **config: Any) -> tuple[Flask, Any]:
    app = make_app(CONFS, WAFFLE_MULTIPROC=True, WAFFLE_WATCHER_FILE=str(path), **config)
    app.add_url_rule("/", view_func=lambda: current_app.config["SITENAME"])
    return app, app.extensions["waffleconf"]


def ends(work: Callable[[], Any]) -> bool:
    """Whether something ends; a thread that it hangs in ends with the tests."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(WAIT)
    return not thread.is_alive()


# Notifications


def watch_of(path: Path, interval: float = 0.02) -> tuple[State, FileWatch]:
    state = State(WAFFLE_WATCHER_FILE=str(path), WAFFLE_WATCH_INTERVAL=interval)
    return state, FileWatch(state)


def test_a_notification_makes_the_file_and_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "watch.txt"
    watch_of(path)[1].notify()
    assert path.stat().st_size == 1


def test_every_notification_changes_the_mark(path: Path) -> None:
    _, watch_type = watch_of(path)
    marks = {file_stamp(str(path))}
    for _ in range(50):
        watch_type.notify()
        marks.add(file_stamp(str(path)))
    assert len(marks) == 51


def test_making_the_file_is_no_notification(path: Path) -> None:
    touch_file(str(path))
    mark = file_stamp(str(path))
    touch_file(str(path))
    assert file_stamp(str(path)) == mark


def test_the_file_does_not_grow_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchfile, "MAX_FILE", 10)
    for _ in range(25):
        before = file_stamp(str(path))
        touch_file(str(path), b".")
        assert file_stamp(str(path)) != before
    assert path.stat().st_size <= 10


def test_a_notification_is_seen_though_the_disk_is_full(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(handle: int, text: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    touch_file(str(path))
    marks = {file_stamp(str(path))}
    monkeypatch.setattr(os, "write", write)
    for _ in range(20):  # several within a tick of the kernel's clock
        touch_file(str(path), b".")
        marks.add(file_stamp(str(path)))
    assert len(marks) == 21


def replace(path: Path) -> None:
    """Put a file of the same size and time in the place of *path*."""
    new, stat = path.parent / "new", path.stat()
    new.write_text("x" * stat.st_size)
    os.utime(new, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    os.replace(new, path)


CHANGES: dict[str, Callable[[Path], Any]] = {
    "notification": lambda path: touch_file(str(path), b"."),
    "older": lambda path: os.utime(path, (1, 1)),  # as 0.3.1 may, and a clock set back
    "removed": lambda path: path.unlink(),
    "replaced": replace,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_any_change_of_the_file_is_a_notification(
    path: Path, change: Callable[[Path], Any]
) -> None:
    touch_file(str(path), b".")
    state, watch_type = watch_of(path)
    watch_type.reload_if_changed(state.update_conf)
    assert state.reloads == 0
    change(path)
    watch_type.reload_if_changed(state.update_conf)
    watch_type.reload_if_changed(state.update_conf)
    assert state.reloads == 1
    with watching(watch_type):
        touch_file(str(path), b".")
        assert until(lambda: state.reloads == 2)


@pytest.mark.parametrize(("interval", "reloads"), [(1e-9, 3), (60.0, 1)])
def test_a_failed_reload_is_tried_again_after_the_interval(
    path: Path, interval: float, reloads: int
) -> None:
    state, watch_type = watch_of(path, interval)
    touch_file(str(path), b".")
    state.results = [False, False]
    for _ in range(5):
        watch_type.reload_if_changed(state.update_conf)
    assert state.reloads == reloads


# What is no regular file


def make_socket(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(path)


def make_device(path: str) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))  # as /dev/null
    except PermissionError:
        os.symlink("/dev/null", path)  # root's, so it is followed


THINGS: dict[str, Callable[[str], Any]] = {
    "fifo": os.mkfifo,
    "device": make_device,
    "folder": os.mkdir,
    "socket": make_socket,
    "link to a fifo": lambda path: os.mkfifo(path + "2") or os.symlink(path + "2", path),
}
things = pytest.mark.parametrize("thing", THINGS.values(), ids=THINGS)


def errors_of_touching(path: Path) -> list[WatchFileError]:
    """What a notification raises, which has to end."""
    errors: list[WatchFileError] = []

    def touch() -> None:
        try:
            touch_file(str(path), b".")
        except WatchFileError as error:
            errors.append(error)

    assert ends(touch)
    return errors


@things
def test_what_is_no_regular_file_is_an_error_and_stays_as_it_is(
    path: Path, thing: Callable[[str], Any]
) -> None:
    thing(str(path))
    before = path.stat()
    (error,) = errors_of_touching(path)
    assert "WAFFLE_WATCHER_FILE" in str(error) and str(path) in str(error)
    after = path.stat()
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    assert file_stamp(str(path)) is None


def test_a_fifo_that_somebody_reads_is_an_error_too(path: Path) -> None:
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(WatchFileError):
            touch_file(str(path), b".")
        assert os.read(reader, 10) == b""
    finally:
        os.close(reader)


@pytest.mark.parametrize("is_read", [False, True])
def test_what_takes_the_place_of_the_file_while_it_is_opened_is_an_error(
    path: Path, monkeypatch: pytest.MonkeyPatch, is_read: bool
) -> None:
    monkeypatch.setattr("waffleconf_admin.sync.watchfile.file_trouble", lambda path: None)
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK) if is_read else None
    assert errors_of_touching(path)
    if reader is not None:
        assert os.read(reader, 10) == b""
        os.close(reader)


@things
def test_an_app_starts_serves_and_saves_though_there_is_something_else(
    make_app: MakeApp, path: Path, thing: Callable[[str], Any], caplog: pytest.LogCaptureFixture
) -> None:
    thing(str(path))
    made: list[Any] = []

    def run() -> None:
        app, state = make(make_app, path)
        made.append(state)
        state.update_db({"SITENAME": "A"})
        assert app.test_client().get("/").text == "A"

    assert ends(run) and made
    assert "not a regular file" in made[0].health().trouble
    assert caplog.text.count("not a regular file") == 1


@things
def test_a_save_stands_though_something_else_has_come(
    make_app: MakeApp, path: Path, thing: Callable[[str], Any], caplog: pytest.LogCaptureFixture
) -> None:
    _app, state = make(make_app, path)
    assert state.health().trouble is None
    path.unlink()
    thing(str(path))
    assert ends(lambda: state.update_db({"SITENAME": "A"}))
    assert state.parse_conf() == {"SITENAME": "A"}
    assert "not a regular file" in state.health().trouble
    assert caplog.text.count("not a regular file") == 1


def test_once_it_is_removed_all_is_well_again(make_app: MakeApp, path: Path) -> None:
    os.mkfifo(path)
    _app, state = make(make_app, path)
    state.update_db({"SITENAME": "A"})
    path.unlink()  # the notification is sent again, and makes the file
    assert until(lambda: state.health().trouble is None)
    assert path.is_file()


# Links and files of other users


def test_a_symbolic_link_of_one_s_own_is_followed(path: Path, tmp_path: Path) -> None:
    path.symlink_to(tmp_path / "real")
    touch_file(str(path), b".")
    assert (tmp_path / "real").read_bytes() == b"."


def test_the_symbolic_link_of_another_user_is_not_followed(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.symlink_to(tmp_path / "precious")
    if os.getuid() == 0:
        os.chown(path, 12345, 12345, follow_symlinks=False)
    else:  # who can't give a link away is somebody else
        somebody = os.getuid() + 1
        monkeypatch.setattr(os, "getuid", lambda: somebody)
    with pytest.raises(OSError, match="symbolic"):
        touch_file(str(path), b".")
    assert not (tmp_path / "precious").exists()


def test_a_file_of_another_user_that_can_be_written_is_touched(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch_file(str(path), b".")
    utime, before = os.utime, file_stamp(str(path))

    def refused(where: Any, *args: Any, **kwargs: Any) -> None:
        if args or kwargs:  # only the owner may choose the time
            raise PermissionError
        utime(where)

    monkeypatch.setattr(os, "utime", refused)
    touch_file(str(path), b".")
    assert file_stamp(str(path)) != before


# Its mode and its group


@pytest.fixture(params=[0o077, 0o022, 0o002, 0])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mode", [0o664, 0o600, 0o666])
def test_a_new_file_has_the_mode_of_the_setting_whatever_the_umask(
    make_app: MakeApp, path: Path, umask: int, mode: int
) -> None:
    make(make_app, path, WAFFLE_WATCHER_MODE=mode)
    assert mode_of(path) == mode


def test_its_group_may_write_it_unless_told_otherwise(
    make_app: MakeApp, path: Path, umask: int
) -> None:
    _app, state = make(make_app, path)
    assert mode_of(path) == 0o664
    path.unlink()
    state.update_db({"SITENAME": "A"})
    assert mode_of(path) == 0o664


def test_a_file_that_is_there_keeps_its_mode(make_app: MakeApp, path: Path) -> None:
    path.touch()
    path.chmod(0o640)
    _app, state = make(make_app, path)
    state.update_db({"SITENAME": "A"})
    assert mode_of(path) == 0o640


def test_a_new_file_gets_the_group_of_its_folder(path: Path) -> None:
    others = [group for group in os.getgroups() if group != os.getegid()]
    if os.geteuid() == 0:
        others = [max(group.gr_gid for group in grp.getgrall())]
    if not others:
        pytest.skip("needs a user who is in a second group")
    os.chown(path.parent, -1, others[0])
    touch_file(str(path))
    assert path.stat().st_gid == others[0]


@pytest.mark.parametrize("mode", ["0664", "0o664", 664, 0o1664, -1, 0, 0o466, 0o060, None, True])
def test_a_mode_that_is_none_is_an_error(make_app: MakeApp, mode: Any) -> None:
    with pytest.raises(ValueError, match=r"WAFFLE_WATCHER_MODE is .* 0o664"):
        make_app(CONFS, WAFFLE_WATCHER_MODE=mode)


# Two users

#: Anybody but root, and a group.
USER, GROUP = 54321, 54322
READ_ONLY = "may not write the watch file"


@pytest.fixture
def start() -> Iterator[Callable[..., Process]]:
    """A function that starts a process which shares its database with others.

    `user` is who it is from then on, as a worker of `gunicorn --user` is. The folder belongs to
    root, and to a group of that user.
    """
    if os.geteuid() != 0:
        pytest.skip(f"{MISSING}root (who alone can start processes of two users)")
    umask = os.umask(0o022)
    with (
        tempfile.TemporaryDirectory(prefix="waffle-users-") as name,
        contextlib.ExitStack() as ends,
    ):
        folder = Path(name)
        os.chown(folder, 0, GROUP)
        folder.chmod(0o775)
        (folder / "test.db").touch()
        (folder / "test.db").chmod(0o666)

        def start(user: int = 0, **config: Any) -> Process:
            process = Process(
                {
                    "SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder / 'test.db'}",
                    "WAFFLE_CONFS": CONFS,
                    "WAFFLE_MULTIPROC": True,
                    "WAFFLE_WATCHER_FILE": str(folder / "watch.txt"),
                    **config,
                }
            )
            ends.callback(lambda: process.popen.poll() is None and process.end())
            if user:
                process.do("become", user, GROUP)
            return process

        yield start
    os.umask(umask)


def test_a_file_that_root_has_made_is_shared_with_the_group_of_its_folder(
    start: Callable[..., Process],
) -> None:
    root, worker = start(), start(USER)
    assert worker.do("request") == "Waffle"
    root.do("save", "A")
    assert worker.do("request") == "A"
    worker.do("save", "B")
    assert root.do("request") == "B"
    assert worker.do("health")["trouble"] == "None"


def test_who_may_not_write_it_says_so_before_and_after_a_save(
    start: Callable[..., Process],
) -> None:
    root, worker = start(WAFFLE_WATCHER_MODE=0o644), start(USER)
    worker.do("request")
    assert READ_ONLY in worker.do("health")["trouble"]
    worker.do("save", "A")
    assert READ_ONLY in worker.do("health")["trouble"]
    path = Path(worker.config["WAFFLE_WATCHER_FILE"])
    assert root.do("health")["trouble"] == "None"
    path.chmod(0o664)  # as the remedy says
    assert root.comes_to_serve("A")
    assert until(lambda: worker.do("health")["trouble"] == "None")
    assert worker.end().count(READ_ONLY) == 1


def test_who_may_not_write_it_follows_all_the_same(start: Callable[..., Process]) -> None:
    root, worker = start(WAFFLE_WATCHER_MODE=0o600), start(USER)
    assert worker.do("request") == "Waffle"
    root.do("save", "A")
    assert worker.do("request") == "A"
    root.do("save", "B")
    assert worker.comes_to_serve("B")
