"""tests/support/served.py after gevent's patches, as in an app that applies them itself."""

from gevent import monkey

monkey.patch_all()

from served import app  # noqa: E402

__all__ = ["app"]
