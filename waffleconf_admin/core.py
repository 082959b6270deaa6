"""Core: the extension; the state that it gives each app is in state/state.py."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from flask import Flask, current_app, has_app_context

from . import calls, hooks
from .defaults import DEFAULTS, check, fill
from .state.handlers import Handler, Handlers, check_handler
from .store import WaffleStore

if TYPE_CHECKING:
    from .state.save import Validate
    from .state.state import State
    from .state.state import State as _WaffleState  # noqa: F401 # where 0.3.1 has it

__all__ = ["DEFAULTS", "WaffleConf"]

H = TypeVar("H", bound=Handler)


class WaffleConf:
    """Settings that a running Flask app can change.

    One extension serves any number of apps; each app's state is in
    ``app.extensions["waffleconf"]``.

    :param app: initialise this app at once; otherwise call `init_app`.
    :param configstore: where values are kept, such as ``AlchemyWaffleStore(db, Conf)``.
    :param validate: rules across settings. Called with all values as they would be after a save;
        returns ``{key: message}``, empty when all is well. Holds on every way in.
    """

    #: The state made last, of any extension, for `waffleconf_admin.testing`. Weak: a suite may make
    #: an app for each test.
    latest: ClassVar[weakref.ref[State] | None] = None

    def __init__(
        self,
        app: Flask | None = None,
        configstore: WaffleStore | None = None,
        *,
        validate: Validate | None = None,
    ) -> None:
        self._configstore = configstore
        self._validate = validate
        self._handlers = Handlers()
        self._last: State | None = None
        if app is not None:
            self.init_app(app, configstore)

    def init_app(self, app: Flask, configstore: WaffleStore | None = None) -> None:
        """Initialise *app*; runs no query.

        :raises InvalidValue: a mistake in WAFFLE_CONFS, in a variable of the environment, or in a
            key of `on_change`.
        :raises ValueError: another WAFFLE_* setting can't be used.
        :raises RuntimeError: the app was initialised before, or there is no store.
        :raises ImportError: there are WAFFLE_ENCRYPTION_KEYS, and cryptography is missing.
        :raises TypeError: the store is not a store, or a function is asynchronous and
            asgiref is missing.
        """
        # Here, so that `import waffleconf_admin` is quick, and all at once: a request waits for no
        # import, and a fork during one would leave half a module to the child.
        from . import cli, watcher
        from .settings.typed import as_declarations
        from .state.state import State

        if "waffleconf" in app.extensions:
            raise RuntimeError("WaffleConf is initialised on this app already: call it once.")
        configstore = configstore or self._configstore
        if configstore is None:
            raise RuntimeError(
                "WaffleConf needs a store: WaffleConf(app, AlchemyWaffleStore(db=db, model=Conf))."
            )
        _check_store(configstore)
        fill(app.config)
        app.config["WAFFLE_CONFS"] = as_declarations(app.config["WAFFLE_CONFS"])
        check(app.config)
        if not (self._validate is None or callable(self._validate)):
            raise TypeError(f"validate={self._validate!r}: write a function")
        calls.check(app, self._validate, "validate=")
        calls.check(app, app.config["WAFFLE_CAN"], "WAFFLE_CAN")
        state = State(app, configstore, validate=self._validate, handlers=self._handlers)
        self._handlers.check(app, state.settings, state.names)
        state.extension = self
        app.extensions["waffleconf"] = state
        hooks.install(app, state.loader.follow)
        app.cli.add_command(cli.waffle)
        if app.config["WAFFLE_MULTIPROC"]:
            watcher.warn_of_replaced()
        state.synchronizer.start()
        self._last = state
        WaffleConf.latest = weakref.ref(state)

    def on_change(self, *keys: str) -> Callable[[H], H]:
        """Return a decorator: the function is called with a `ChangeEvent` after settings have
        changed, in every process, for every app of this extension.

        It may be used before `init_app`. The function is called inside the app's context, also when
        the first load of a process finds other values than the declared defaults.

        :param keys: when one of these settings has changed; none: any setting.
        :raises TypeError: the keys are missing their parentheses, or the function can't be called.
        :raises InvalidValue: a key is not declared; before `init_app`, that raises it.
        """
        if not all(isinstance(key, str) for key in keys):
            raise TypeError('Write @waffle.on_change("KEY"), or @waffle.on_change() for all.')

        def add(handler: H) -> H:
            if (state := self._last) is not None:  # one that is refused is not added
                check_handler(handler, keys, state.app, state.settings, state.names)
            self._handlers.add(handler, keys)
            return handler

        return add

    @property
    def state(self) -> State:
        """The current app's state; outside a context that of the app initialised last.

        Before any `init_app` it is None; its type leaves that out, so that no caller has to check.

        :raises RuntimeError: the current app was not initialised with this extension.
        """
        if self._last is None or not has_app_context():
            return cast("State", self._last)
        state: State | None = current_app.extensions.get("waffleconf")
        if state is None or state.extension is not self:
            raise RuntimeError(
                f"WaffleConf was not initialised on {current_app!r}: call init_app(app, store)."
            )
        return state


def _check_store(store: object) -> None:
    if not isinstance(store, WaffleStore):
        given = f"the class {store.__name__}" if isinstance(store, type) else repr(store)
        raise TypeError(
            f"WaffleConf needs a store, and {given} is none: write AlchemyWaffleStore(db=db, "
            "model=Conf) or PeeweeWaffleStore(model=Conf), or subclass WaffleStore."
        )
    store.check_arguments()


def __getattr__(name: str) -> object:
    if name == "_WaffleState":
        from .state.state import State

        return State
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
