"""Settings: a class that declares settings, and reads them with their types."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Self, TypeVar, cast, dataclass_transform, get_type_hints

from flask import has_app_context

from ..exceptions import InvalidValue
from ..snapshot import snapshot
from .constraints import annotated_attributes, is_class_variable
from .declaration import Attributes, Declaration

if TYPE_CHECKING:
    from typing import Unpack

T = TypeVar("T")


class _SettingsType(type):
    """The type of classes of settings, whose settings can't be replaced by accident."""

    if not TYPE_CHECKING:  # to type checkers it would allow to set any name

        def __setattr__(cls, key: str, value: object) -> None:
            if not key.startswith("_") and key in _readers(cls):
                raise AttributeError(
                    f"{cls.__name__}.{key} is a setting: save it with "
                    f"state.update_db({{{key!r}: …}}), or override it in a test with override_conf"
                )
            super().__setattr__(key, value)


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Settings(metaclass=_SettingsType):
    """Settings of an app, declared as attributes of a class of its own.

    ::

        class Shop(Settings):
            SITENAME: str = setting("Waffle", desc="Name of the site")

        app.config["WAFFLE_CONFS"] = Shop
        Shop.now().SITENAME  # in a view

    A subclass has the settings of its parents; what it declares again replaces theirs. Methods and
    properties may read settings of ``self``.

    :raises InvalidValue: when the class is made: a declaration is wrong; ``.errors`` says by key
        what, and what to do.
    """

    def __init_subclass__(cls, **arguments: object) -> None:
        super().__init_subclass__(**arguments)
        for key, declared in _declare(cls).items():
            type.__setattr__(cls, key, _Reader(cls, key, declared))

    @classmethod
    def now(cls) -> Self:
        """Return what reads the current app's settings, as `conf` does, with their types.

        In a request all reads see the values as they stood at the first one; elsewhere the newest.
        """
        return cls()

    if not TYPE_CHECKING:  # to type checkers it would allow to set any name

        def __setattr__(self, key: str, value: object) -> None:
            raise AttributeError(
                f"{type(self).__name__}.now() is read-only: save with "
                f"state.update_db({{{key!r}: …}})"
            )

        def __getattr__(self, name: str) -> object:
            for key, reader in _readers(type(self)).items():
                was = reader.entry.get("was", ())
                if name in ([was] if isinstance(was, str) else was):
                    written = f"{type(self).__name__}.now().{key}"
                    raise AttributeError(f"{name} is called {key} now: write {written}")
            return object.__getattribute__(self, name)  # raises the error that led here


def setting(default: T, **attributes: Unpack[Attributes]) -> T:
    """Declare a setting of a `Settings` class.

    To type checkers it returns the default, so that they compare it with the annotation.

    :param default: its value until somebody saves another one; of the annotated type.
    :param attributes: those of a declaration in WAFFLE_CONFS.
    """
    return cast("T", _Declared({**attributes, "default": default}))


def as_declarations(confs: object) -> object:
    """Return WAFFLE_CONFS as a dict of declarations.

    :param confs: a `Settings` class, a dict, or a list of these; anything else is returned as is.
    :raises InvalidValue: two of them declare the same key; the message names both.
    """
    listed = confs if isinstance(confs, (list, tuple)) else [confs]
    parts = [part for each in listed if (part := _declarations(each)) is not None]
    if isinstance(confs, Mapping) or len(parts) < len(listed):
        return confs
    found: dict[str, object] = {}
    owners: dict[str, object] = {}
    errors: dict[str, str] = {}
    for part in parts:
        for key, (owner, entry) in part.items():
            if key in owners and owners[key] is not owner:
                names = f"{_name(owners[key])} and {_name(owner)}"
                errors[str(key)] = f"{names} both declare it: rename one"
            owners[key], found[key] = owner, entry
    if errors:
        raise InvalidValue(errors)
    return found


class _Declared:
    """What `setting` returns, until its class is made."""

    def __init__(self, entry: Declaration) -> None:
        self.entry = entry

    def __set_name__(self, owner: type, key: str) -> None:
        if not issubclass(owner, Settings):
            raise TypeError(f"{owner.__name__}.{key}: setting() needs a class of Settings: write "
                            f"class {owner.__name__}(Settings)")  # fmt: skip


class _Reader:
    """An attribute of a class or of its `now()`: the current value of a setting."""

    def __init__(self, owner: type, key: str, entry: dict[str, object]) -> None:
        self.owner = owner
        self.key = key
        self.entry = entry

    def __get__(self, instance: object, owner: type) -> object:
        try:
            return snapshot()[self.key]
        except KeyError:
            raise AttributeError(
                f"{self.key} is not declared in this app: add {owner.__name__} to WAFFLE_CONFS"
            ) from None
        except RuntimeError as error:
            if has_app_context():
                raise
            name = f"{owner.__name__}.now().{self.key}"
            raise RuntimeError(
                f"{name} needs an app: read it where it is used, in a view or a task, so that "
                "it follows changes"
            ) from error


def _declare(cls: type[Settings]) -> dict[str, dict[str, object]]:
    """Return the declarations in the body of a class.

    :raises InvalidValue: some are wrong.
    """
    annotations = inspect.get_annotations(cls)
    found: dict[str, dict[str, object]] = {}
    errors: dict[str, str] = {}
    for key in dict.fromkeys([*vars(cls), *annotations]):
        if key.startswith("__") and key.endswith("__"):
            continue
        try:
            declared = _declaration(cls, key, annotations.get(key, _NOTHING))
        except ValueError as error:
            errors[key] = str(error)
        else:
            if declared is not None:
                found[key] = declared
    if errors:
        raise InvalidValue(errors)
    return found


def _declaration(cls: type[Settings], key: str, annotation: object) -> dict[str, object] | None:
    """Return the declaration of an attribute of a class; None: it is no setting.

    :raises ValueError: it is wrong; the message says what to write.
    """
    value = vars(cls).get(key, _NOTHING)
    if annotation is not _NOTHING:
        annotation = _resolve(cls, key, annotation)
        if is_class_variable(annotation):
            return None
    if key == "now" or key.startswith(("_", "WAFFLE_")):
        raise ValueError("now, and names that begin with _ or WAFFLE_, are reserved: rename it")
    if annotation is not _NOTHING:
        if value is _NOTHING:
            raise ValueError("it has no default: write = setting(…) behind its type")
        entry = value.entry if isinstance(value, _Declared) else {"default": value}
        return annotated_attributes(annotation, dict(entry))
    is_method = callable(value) or hasattr(type(value), "__get__")
    if is_method and key not in _readers(cls):
        return None
    raise ValueError(f"it has no type: write {key}: str = setting(…), or whatever type it has")


def _resolve(cls: type[Settings], name: str, annotation: object) -> object:
    """Return an annotation whose strings are replaced by what they mean.

    :raises ValueError: a name in it can't be found.
    """
    module = inspect.getmodule(cls)
    nested = {n: value for n, value in vars(cls).items() if isinstance(value, type)}
    holder = type(cls.__name__, (), {"__annotations__": {name: annotation}})
    names = vars(module) if module else {}
    try:
        return get_type_hints(holder, names, nested, include_extras=True)[name]
    except Exception as error:
        raise ValueError(
            f"its type can't be read ({error}): define it above the class, at the top of the "
            "module, or leave out `from __future__ import annotations`"
        ) from error


def _readers(cls: type) -> dict[str, _Reader]:
    """The settings of a class and of its parents."""
    return {
        key: reader
        for base in reversed(cls.__mro__)
        for key, reader in vars(base).items()
        if isinstance(reader, _Reader)
    }


def _declarations(part: object) -> dict[str, tuple[object, object]] | None:
    """What a class or a dict declares: by key whose declaration it is, and the declaration; None:
    it is neither.
    """
    if isinstance(part, Mapping):
        return {key: (part, entry) for key, entry in part.items()}
    if isinstance(part, type) and issubclass(part, Settings):
        return {key: (reader.owner, dict(reader.entry)) for key, reader in _readers(part).items()}
    return None


def _name(owner: object) -> str:
    return owner.__name__ if isinstance(owner, type) else "a dict"


_NOTHING = object()
