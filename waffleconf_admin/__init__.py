"""Settings that a running Flask app can change.

Declare them in ``WAFFLE_CONFS``, keep them in the app's own database, edit them at
``/admin/config``, read them as ``current_app.config["KEY"]`` where they are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import store
from .admin import Can, WaffleAdmin, anyone, blueprint
from .core import WaffleConf
from .exceptions import BusyError, ConflictError, InvalidValue, StoreError, WaffleError
from .forms import SettingsForm
from .models import WaffleChangeMixin, WaffleMixin
from .settings.setting import Setting
from .signals import conf_changed
from .state.change import Change
from .state.conf import conf
from .state.form import build_form
from .state.save import Saved
from .store import WaffleStore
from .sync.health import Health

if TYPE_CHECKING:
    from .store import AlchemyWaffleStore as AlchemyWaffleStore
    from .store import PeeweeWaffleStore as PeeweeWaffleStore

# Without the stores of the two ORMs: "import *" must work where only one is installed.
__all__ = [
    "BusyError",
    "Can",
    "Change",
    "ConflictError",
    "Health",
    "InvalidValue",
    "Saved",
    "Setting",
    "SettingsForm",
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


def __getattr__(name: str) -> Any:
    if name in ("AlchemyWaffleStore", "PeeweeWaffleStore"):
        return getattr(store, name)  # imports its ORM, which need not be installed
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
