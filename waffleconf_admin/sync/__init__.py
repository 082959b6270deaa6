"""Sync: how the processes of an app follow each other.

Who calls whom, from the top down:

- A save: ``Synchronizer.notify``, ``Notifier.send``, the watch type's ``notify``.
- A notification: the watch type's ``watch``, in the ``WatcherThread``, calls ``Synchronizer``
  back, which lets the state reload.
- Each heartbeat of that thread (its watch type calls ``beat`` or ``pause``):
  ``Synchronizer.do_what_is_due`` reads (``ResyncSchedule``), sends again (``Notifier``), and judges
  what was found (``MissedNotifications``).
- Each request: ``Synchronizer.check``, and if something has changed the watch type's
  ``reload_if_changed``, once for all threads of the process (``SingleFlight``).
- Each fork: ``forks``, ``WatcherThread.ensure_after_fork``, ``Synchronizer.reset_after_fork``.
"""
