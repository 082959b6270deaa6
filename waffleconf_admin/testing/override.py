"""override_conf: other values of settings, for tests."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator, Mapping
from types import FunctionType
from typing import TypeVar

from flask import Flask, current_app, has_app_context

from ..core import WaffleConf
from ..state.overrides import Override
from ..state.state import State

#: A function or a class.
D = TypeVar("D", bound=Callable[..., object])

_NO_APP = "override_conf finds no app with a WaffleConf: make it first, or name it with app=."


class override_conf:
    """Gives settings other values for a while: a context manager and a decorator, for tests.

    In this process the values hold for the app, in all threads; nothing is stored, and nobody is
    notified. A class is decorated as `unittest.mock.patch` does it: each of its test methods is.

    :param values: ``{key: value}``, beside those that are given by name.
    :param app: as a rule the current app; outside a context the app initialised last.
    :raises InvalidValue: a setting is not declared, or a save would refuse its value.
    :raises RuntimeError: there is no app with the extension; or another thread overrides the same
        setting.
    """

    def __init__(
        self,
        values: Mapping[str, object] | None = None,
        /,
        *,
        app: Flask | None = None,
        **settings: object,
    ) -> None:
        if values is not None and not isinstance(values, Mapping):
            raise TypeError(f"Write override_conf(SITENAME=…), not override_conf({values!r:.50}).")
        self._values = {**(values or {}), **settings}
        self._app = app
        self._active: list[tuple[State, Override]] = []

    def __enter__(self) -> None:
        state = _state_of(self._app)
        self._active.append((state, state.overrides.add(self._values)))

    def __exit__(self, *error: object) -> None:
        state, override = self._active.pop()
        state.overrides.remove(override)

    def __call__(self, decorated: D) -> D:
        if isinstance(decorated, type):
            for name in dir(decorated):
                method = inspect.getattr_static(decorated, name)
                if name.startswith("test") and isinstance(method, FunctionType):
                    setattr(decorated, name, self(method))
            return decorated
        wrapper: D = functools.wraps(decorated)(self._wrapped(decorated))  # type: ignore[assignment]
        return wrapper

    def _wrapped(self, function: Callable[..., object]) -> Callable[..., object]:
        """A function of the same sort, which runs with the values."""
        if inspect.isasyncgenfunction(function):
            raise TypeError(f"{function.__qualname__}: write `with override_conf(…):` inside it.")
        if inspect.iscoroutinefunction(function):

            async def call_async(*args: object, **options: object) -> object:
                with self._again():
                    return await function(*args, **options)

            return call_async
        if inspect.isgeneratorfunction(function):

            def generate(*args: object, **options: object) -> Generator[object, object, object]:
                with self._again():
                    return (yield from function(*args, **options))

            return generate

        def call(*args: object, **options: object) -> object:
            with self._again():
                return function(*args, **options)

        return call

    def _again(self) -> override_conf:
        """The same for one call: a function may be called in several threads."""
        return override_conf(self._values, app=self._app)


def _state_of(app: Flask | None) -> State:
    if app is None and has_app_context():
        app = current_app
    state: State | None = None
    if app is not None:
        state = app.extensions.get("waffleconf")
    elif WaffleConf.latest is not None:
        state = WaffleConf.latest()
    if state is None:
        raise RuntimeError(_NO_APP)
    return state
