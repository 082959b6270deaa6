"""Plain values: what a value is to us that a template or a library for numbers has made."""

from __future__ import annotations

from typing import cast

_Several = list[object] | tuple[object, ...] | set[object] | frozenset[object]
_SEVERAL = (list, tuple, set, frozenset)
#: Of these no text tells what to pass.
_PYTHONS = (str, int, float)
#: The kinds of NumPy's scalars that Python has the same of: truth, integers, floats, texts.
_KINDS = frozenset("biufU")


def plain(value: object) -> object:
    """Return a value of Python's own for Markup and for a number of NumPy, alone or within lists,
    tuples, sets and dicts; any other value itself.
    """
    try:
        return _plain(value, {})
    except RecursionError:  # deeper than what can be stored
        return value


def plain_expression(value: object) -> str:
    """Return the Python that makes a plain value of one whose class is none of ours; "" for others.

    It stands in messages.
    """
    if type(value) in _PYTHONS:
        return ""
    if isinstance(value, str) or is_lazy(value):
        return "str(value)"
    if _is_scalar(value):
        return "value.item()"
    number = next((cls for cls in (int, float) if isinstance(value, cls)), None)
    return f"{number.__name__}(value)" if number else ""


def is_lazy(value: object) -> bool:
    """Whether a value is a lazy translation: another text in each language."""
    texts = all(hasattr(type(value), name) for name in ("__html__", "__mod__"))
    return texts and not isinstance(value, str)


def _plain(value: object, done: dict[int, object]) -> object:
    """Return what `plain` does.

    :param done: what was made of each container, by its id; itself until that is known.
    """
    if type(value) not in (dict, *_SEVERAL):
        return _plain_item(value)
    if id(value) in done:
        return done[id(value)]
    done[id(value)] = value
    items = [*cast("_Several", value)]  # of a dict the keys
    if isinstance(value, dict):
        items += value.values()
    made = [_plain(item, done) for item in items]
    if any(item is not each for item, each in zip(items, made, strict=True)):
        done[id(value)] = _filled(type(value), made)
    return done[id(value)]


def _filled(made_of: type, items: list[object]) -> object:
    """A container with these items; a dict with the keys first."""
    if made_of is dict:
        return dict(zip(items[: len(items) // 2], items[len(items) // 2 :], strict=True))
    return cast("type[_Several]", made_of)(items)


def _plain_item(value: object) -> object:
    if isinstance(value, str) and hasattr(value, "__html__"):
        return str.__str__(value)
    return value.item() if _is_scalar(value) else value  # type: ignore[attr-defined]


def _is_scalar(value: object) -> bool:
    """Whether a value is a scalar of NumPy that Python has the same of.

    The item of a longdouble is a longdouble: no type of Python can hold it.
    """
    if not hasattr(type(value), "dtype"):
        return False
    dtype, ndim = (getattr(value, name, None) for name in ("dtype", "ndim"))
    if getattr(dtype, "kind", "") not in _KINDS or ndim != 0 or not hasattr(value, "item"):
        return False
    return not hasattr(type(value.item()), "dtype")
