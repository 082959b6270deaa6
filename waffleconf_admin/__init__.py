"""Settings that a running Flask app can change.

Declare them in ``WAFFLE_CONFS``, keep them in the app's own database, edit them at
``/admin/config``, read them as ``current_app.config["KEY"]`` where they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .core import WaffleConf
from .exceptions import BusyError, ConflictError, InvalidValue, StoreError, WaffleError
from .models import WaffleChangeMixin, WaffleMixin
from .signals import ChangeEvent, conf_changed
from .state.conf import conf
from .store import WaffleStore

if TYPE_CHECKING:
    from .admin import Can, WaffleAdmin, anyone, blueprint
    from .forms import SettingsForm
    from .settings.setting import Setting
    from .state.change import Change
    from .state.form import build_form
    from .state.history import History
    from .state.save import Saved
    from .state.state import State
    from .store import AlchemyWaffleStore as AlchemyWaffleStore
    from .store import PeeweeWaffleStore as PeeweeWaffleStore
    from .sync.health import Health

# Without the stores of the two ORMs: "import *" must work where only one is installed.
__all__ = [
    "BusyError",
    "Can",
    "Change",
    "ChangeEvent",
    "ConflictError",
    "Health",
    "History",
    "InvalidValue",
    "Saved",
    "Setting",
    "SettingsForm",
    "State",
    "StoreError",
    "WaffleAdmin",
    "WaffleChangeMixin",
    "WaffleConf",
    "WaffleError",
    "WaffleMixin",
    "WaffleStore",
    "anyone",
    "blueprint",
    "build_form",
    "conf",
    "conf_changed",
]


#: Modules of the other names, each imported at the first use of one: a command or a task needs no
#: page, and the ORM of a store need not be installed.
_MODULES = {
    "AlchemyWaffleStore": "store",
    "Can": "admin",
    "Change": "state.change",
    "Health": "sync.health",
    "History": "state.history",
    "PeeweeWaffleStore": "store",
    "Saved": "state.save",
    "Setting": "settings.setting",
    "SettingsForm": "forms",
    "State": "state.state",
    "WaffleAdmin": "admin",
    "anyone": "admin",
    "blueprint": "admin",
    "build_form": "state.form",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
