"""Settings that a running Flask app can change.

Declare them in ``WAFFLE_CONFS``, keep them in the app's own database, edit them at
``/admin/config``, read them as ``current_app.config["KEY"]`` where they are used.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .admin import WaffleAdmin, blueprint
    from .core import WaffleConf
    from .exceptions import BusyError, ConflictError, InvalidValue, StoreError, WaffleError
    from .forms import SettingsForm
    from .models import WaffleChangeMixin, WaffleMixin, WaffleWorkerMixin
    from .permissions import Can, anyone
    from .settings.declaration import Declaration
    from .settings.setting import Setting
    from .settings.typed import Settings, setting
    from .signals import ChangeEvent, conf_changed
    from .state.change import Change
    from .state.conf import conf
    from .state.form import build_form
    from .state.history import History
    from .state.save import Saved
    from .state.state import State
    from .store import AlchemyWaffleStore as AlchemyWaffleStore
    from .store import PeeweeWaffleStore as PeeweeWaffleStore
    from .store import WaffleStore
    from .sync.health import Health

__version__ = "1.0.0.dev0"

__all__ = [
    "BusyError",
    "Can",
    "Change",
    "ChangeEvent",
    "ConflictError",
    "Declaration",
    "Health",
    "History",
    "InvalidValue",
    "Saved",
    "Setting",
    "Settings",
    "SettingsForm",
    "State",
    "StoreError",
    "WaffleAdmin",
    "WaffleChangeMixin",
    "WaffleConf",
    "WaffleError",
    "WaffleMixin",
    "WaffleStore",
    "WaffleWorkerMixin",
    "anyone",
    "blueprint",
    "build_form",
    "conf",
    "conf_changed",
    "setting",
]
# "import *" imports each of these names, so a store is one of them where its ORM is installed.
if find_spec("sqlalchemy"):
    __all__ += ["AlchemyWaffleStore"]
if find_spec("peewee"):
    __all__ += ["PeeweeWaffleStore"]

#: The module of each name, imported at the first use of one: a command or a task needs no page, the
#: ORM of a store need not be installed, and pytest imports our plugin in runs that use none of it.
_MODULES = {
    "AlchemyWaffleStore": "store",
    "BusyError": "exceptions",
    "Can": "permissions",
    "Change": "state.change",
    "ChangeEvent": "signals",
    "ConflictError": "exceptions",
    "Declaration": "settings.declaration",
    "Health": "sync.health",
    "History": "state.history",
    "InvalidValue": "exceptions",
    "PeeweeWaffleStore": "store",
    "Saved": "state.save",
    "Setting": "settings.setting",
    "Settings": "settings.typed",
    "SettingsForm": "forms",
    "State": "state.state",
    "StoreError": "exceptions",
    "WaffleAdmin": "admin",
    "WaffleChangeMixin": "models",
    "WaffleConf": "core",
    "WaffleError": "exceptions",
    "WaffleMixin": "models",
    "WaffleStore": "store",
    "WaffleWorkerMixin": "models",
    "anyone": "permissions",
    "blueprint": "admin",
    "build_form": "state.form",
    "conf": "state.conf",
    "conf_changed": "signals",
    "setting": "settings.typed",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = found  # the next time it costs nothing: `waffleconf_admin.conf` may be hot
    return found
