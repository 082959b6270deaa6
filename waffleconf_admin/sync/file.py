"""Watch type 'file': the processes of one host change a file, and check it before each request."""

from __future__ import annotations

import logging
import os
import time

from ..defaults import DEFAULTS
from ..i18n import mark
from .health import Severity, Trouble
from .watch_type import AT_ONCE, AppState, Heartbeat, Reload, WatchType
from .watchfile import file_stamp, file_trouble, touch_file, trouble_error

log = logging.getLogger(__name__)

FILE_NOT_SHARED = Trouble(
    Severity.CHANGES_MISSED,
    mark(
        "Changes were found that the watch file had not announced, so they came up to %(seconds)s "
        "seconds late. WAFFLE_WATCHTYPE 'file' is for the processes of one host that share "
        "WAFFLE_WATCHER_FILE; for several hosts or containers set 'redis', 'postgresql' or "
        "'database'. Or somebody changed the table without this package."
    ),
)


class FileWatch(WatchType):
    """Compares the watch file with what it was at the last good reload."""

    name = "file"
    default_interval = 0.25
    checks_requests = True
    missed = FILE_NOT_SHARED
    after_save = AT_ONCE

    def __init__(self, state: AppState) -> None:
        super().__init__(state)
        self.path = str(os.fspath(self.setting("WAFFLE_WATCHER_FILE")))
        self._stamp = file_stamp(self.path)
        self._retry_at = 0.0
        self._trouble: Trouble | None = None

    def prepare(self) -> None:
        """Make the file where it is missing. What prevents that is logged, and no error."""
        if self.path == DEFAULTS["WAFFLE_WATCHER_FILE"]:
            log.warning(
                "WAFFLE_WATCHER_FILE is %s, which other apps and users may share: set it to a "
                "path of this app's own.",
                self.path,
            )
        elif not os.path.isabs(self.path):
            log.warning(
                "WAFFLE_WATCHER_FILE is %s, a relative path: a process that is started in another "
                "folder, by cron say, watches another file. Write an absolute path.",
                self.path,
            )
        try:
            touch_file(self.path, mode=self._mode)
        except OSError as error:
            if self.trouble() is None:
                log.error("Changes come late. %s", error)
        self._stamp = file_stamp(self.path)

    def watch(self, reload: Reload, heartbeat: Heartbeat) -> None:
        seconds = self.interval
        while heartbeat.pause(seconds):
            self.reload_if_changed(reload)

    def notify(self) -> None:
        touch_file(self.path, b".", self._mode)

    def changed(self) -> bool:
        """Whether the file has changed, and no reload has failed within the interval."""
        return file_stamp(self.path) != self._stamp and time.monotonic() >= self._retry_at

    def reload_if_changed(self, reload: Reload) -> None:
        """Reload if the file has changed; a failed reload is tried again after the interval."""
        if not self.changed():
            return
        now = file_stamp(self.path)  # before the reload: what changes meanwhile counts
        if reload() is False:
            self._retry_at = time.monotonic() + self.interval
        else:
            self._stamp = now

    def max_delay(self) -> float:
        return self.interval

    def is_listening(self) -> bool:
        return file_stamp(self.path) is not None

    def trouble(self) -> Trouble | None:
        """Return what keeps this process from changing the file; log it when it begins."""
        found, known = file_trouble(self.path), self._trouble
        self._trouble = found
        if found is not None and found is not known:
            log.error("%s", trouble_error(found, self.path))
        return found

    @property
    def _mode(self) -> int:
        return int(self.setting("WAFFLE_WATCHER_MODE"))
