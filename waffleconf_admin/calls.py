"""Calls: how every function of the app is called, wherever it was given to us.

That is `can`, `actor`, `validate`, the functions of `choices` and `confirm`, validators, makers of
fields and the receivers of `conf_changed`. Each runs inside the app's own context, and one that is
asynchronous is awaited as Flask awaits views.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from functools import partial
from importlib.util import find_spec
from types import NoneType
from typing import TypeVar, cast

from flask import Flask
from werkzeug.local import LocalProxy

from .contexts import context_of

T = TypeVar("T")

#: The types of most results, which can't be awaited.
_USUAL = (bool, NoneType, str, list, tuple, dict)


class NotAwaited(TypeError):
    """A function that is not asynchronous has returned a coroutine, or another awaitable.

    Its text is ours and holds no value, so it can be logged.
    """


def call(
    app: Flask, function: Callable[..., T | Awaitable[T]], *args: object, **kwargs: object
) -> T:
    """Return what a function of the app returns, called inside its context and awaited.

    :raises NotAwaited: it is not asynchronous, and returns an awaitable.
    :raises RuntimeError: it is asynchronous, and asgiref is missing.
    :raises Exception: whatever the function raises.
    """
    with context_of(app):
        return cast("T", await_result(app, function, function(*args, **kwargs)))


def await_result(app: Flask, function: Callable[..., object], result: object) -> object:
    """Return the result of a function, awaited where that is needed. The second half of `call`, for
    callers that are inside the app's context and call thousands of times.
    """
    if isinstance(result, LocalProxy):  # such as `current_user`; each looks like an awaitable
        result = result._get_current_object()
    if type(result) in _USUAL or not inspect.isawaitable(result):
        return result
    try:
        # A decorated one returns what the function inside returns.
        if is_async(function) or is_async(inspect.unwrap(function)):
            return _wait(app, result)
        raise NotAwaited(
            f"{_name(function)} returned an awaitable: write it as an async function, or let it "
            "return the value"
        )
    finally:
        if inspect.iscoroutine(result):
            result.close()  # or Python would warn of it later, at some other place


def call_directly(function: Callable[..., object], *args: object, **kwargs: object) -> object:
    """Call a function of no app."""
    return function(*args, **kwargs)


def caller(app: Flask) -> Callable[..., object]:
    """Return `call` for one app, without keeping the app alive."""
    known = weakref.ref(app)

    def call_of_app(function: Callable[..., object], *args: object, **kwargs: object) -> object:
        app = known()
        assert app is not None  # its functions are called while it lives  # nosec B101 # for the type checker
        return call(app, function, *args, **kwargs)

    return call_of_app


def check(app: Flask, function: object, name: str) -> None:
    """Refuse, at the start, a function that could never be called.

    :param name: what the app calls it, such as ``can=``.
    :raises TypeError: it is asynchronous, and asgiref is missing; or it yields.
    """
    if inspect.isasyncgenfunction(function):
        raise TypeError(f"{name} is an async function that yields: let it return a list")
    flasks = all(
        getattr(getattr(app, method), "__func__", None) is getattr(Flask, method)
        for method in ("ensure_sync", "async_to_sync")
    )
    if is_async(function) and flasks and find_spec("asgiref") is None:
        raise TypeError(
            f"{name} is an async function, which Flask can't await without asgiref: run "
            'pip install "Flask[async]", or write a function without async'
        )


def describe_error(error: Exception) -> str:
    """Return what may be logged of an error where the function may know a secret."""
    return str(error) if isinstance(error, NotAwaited) else type(error).__name__


def is_async(function: object) -> bool:
    """Whether a function, a partial one or a callable object has to be awaited."""
    while isinstance(function, partial):
        function = function.func
    called = vars(type(function)).get("__call__")
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)


def _wait(app: Flask, result: Awaitable[object]) -> object:
    async def awaited() -> object:
        return await result

    def wait() -> object:
        return app.ensure_sync(awaited)()

    # Only apps with asynchronous functions import these.
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return wait()
    # In an async view: another thread has no event loop of its own yet. The function is made there
    # too: asgiref before 3.9 runs it in the loop of the thread that makes it, which is blocked.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(copy_context().run, wait).result()


def _name(function: object) -> str:
    return str(getattr(function, "__qualname__", type(function).__qualname__))
