"""Setting: one declared setting, and what its declaration says of a value."""

from __future__ import annotations

import copy
import dataclasses
import logging
from collections.abc import Callable
from enum import Enum
from typing import Any, Literal

from ..calls import call_directly, describe_error
from ..i18n import gettext, mark
from ..plain import plain
from . import value_types
from .choices import Choice, ChoiceSet, choice_list
from .limits import Limited, Limits
from .needs import Need
from .notation import PYTHON, Notation
from .type_rule import CHOSEN_TWICE, IS_NO_CHOICE, ITEM_IS_NO_CHOICE, SEVERAL, TypeRule

log = logging.getLogger(__name__)

SET_BY = mark("Set by the environment variable %(name)s. It can't be changed here.")

_ABSENT = object()
Type = type  # within Setting, "type" is an attribute
#: What is served: the stored value, a converted one, the default, what the environment holds, or
#: what a test overrides it with.
Served = Literal["stored", "converted", "default", "environment", "override"]


@dataclasses.dataclass(frozen=True, repr=False, eq=False, slots=True)
class EnvironmentValue:
    """What an environment variable gives a setting. It is in force while the process runs."""

    variable: str
    value: object

    def __repr__(self) -> str:
        return f"<EnvironmentValue of {self.variable}>"  # the value may be a secret

    @property
    def reason(self) -> str:
        """Why nobody can change the setting."""
        return gettext(SET_BY, name=self.variable)


@dataclasses.dataclass(frozen=True, init=False, repr=False, eq=False)
class Setting:
    """One declared setting; what `declare` made of an entry of WAFFLE_CONFS.

    What is not declared is an attribute of the class, and takes no memory: an app may have
    thousands of settings.
    """

    key: str
    label: object  #: may be a lazy translation
    default: Any  #: of any type: users read it, as they do min and max
    type: Type | None = None  #: only where it was declared
    annotation: object = None  #: what was declared where it is more than a class: list[str]
    nullable: bool = False  #: whether None was declared to be a value
    help: object = ""
    group: str = ""  #: the name of its group, the same in every language: `can` may go by it
    group_label: object = ""  #: what people read of it; may be a lazy translation
    choices: list[Choice] | Callable[[], object] | None = None
    validators: tuple[Callable[[object, object], object], ...] = ()
    min: Limited = None  #: of numbers the least value, of what has a length the least length
    max: Limited = None
    secret: bool = False
    readonly: bool = False
    confirm: bool = False  #: whether a change of it is always reviewed
    #: What the review says of a change: a text, or a function of the old and the new value.
    confirm_text: object | Callable[[object, object], object] = ""
    keywords: tuple[object, ...] = ()  #: more that the search finds; may be lazy translations
    needs: tuple[Need, ...] = ()  #: without them it has no effect
    restart: bool = False  #: whether processes take its value at their start
    multiline: bool = False
    unit: object = ""  #: what its number counts, such as seconds; may be a lazy translation
    #: A WTForms field class, or a function of the Setting.
    field: Callable[..., object] | None = None
    was: tuple[str, ...] = ()  #: its former names, the newest first
    #: Makes a value of a stored one that does not fit the declared type.
    convert: Callable[[object], object] | None = None
    #: Calls the functions above, as their app needs it.
    call: Callable[..., object] = staticmethod(call_directly)  # noqa: RUF009  # no method of it
    environment: EnvironmentValue | None = None  #: what the environment holds of it; None: nothing
    # Of the few settings that not every value fits.
    _known_choices: ChoiceSet | None = dataclasses.field(init=False, default=None)
    _type_rule: TypeRule | None = dataclasses.field(init=False, default=None)  #: None: all fit

    def __init__(self, key: str, label: object, default: object, **declared: object) -> None:
        for name, value in {"key": key, "label": label, "default": default, **declared}.items():
            if value is not getattr(Setting, name, _ABSENT):
                object.__setattr__(self, name, value)
        if all(each is None for each in (self.type, self.choices, self.min, self.max)):
            return
        choices = ChoiceSet(self.choices if isinstance(self.choices, list) else ())
        rule = TypeRule(self.type, self.default, choices, self.limits, self.annotation)
        object.__setattr__(self, "_known_choices", choices)
        object.__setattr__(self, "_type_rule", rule)

    def __repr__(self) -> str:
        # Nothing of the default: it may be a secret, and this ends up in logs.
        return f"<Setting {self.key!r} {self.value_type.__name__}>"

    @property
    def value_type(self) -> Type:
        """The declared type, else that of the default."""
        return self.type or type(self.default)

    @property
    def optional(self) -> bool:
        """Whether None is a value that it may have."""
        return self.default is None or self.nullable

    @property
    def asks_the_app(self) -> bool:
        """Whether functions of the app decide about its values, or show them."""
        functions = (self.choices, self.confirm_text, self.field)
        return bool(self.validators) or any(map(callable, functions))

    @property
    def search_words(self) -> str:
        """What the search finds it by, and its row does not have: keywords and former names."""
        return " ".join(map(str, (*self.keywords, *self.was)))

    @property
    def several(self) -> bool:
        """Whether its value holds several of the choices, not one."""
        return issubclass(self.value_type, SEVERAL)

    @property
    def limits(self) -> Limits:
        """What ``min`` and ``max`` say."""
        return Limits(self.value_type, self._least, self.max)

    @property
    def _least(self) -> object:
        """The declared ``min``; 0 of a file size, unless the default says that it may be less."""
        if self.min is None and self.value_type is value_types.FileSize:
            return None if isinstance(self.default, int) and self.default < 0 else 0
        return self.min

    @property
    def members(self) -> list[object]:
        """The members of an Enum; empty for another type."""
        value_type = self.value_type
        return [*value_type] if issubclass(value_type, Enum) else []

    def copy_default(self) -> object:
        """Return the default, as a copy that the caller may change."""
        return copy.deepcopy(self.default)

    def list_choices(self, notation: Notation = PYTHON) -> list[Choice] | None:
        """Return the choices, asked now if they are a function, each with a label; None: any.

        :param notation: of numbers in labels.
        """
        choices = self._choices_now()
        return choices and [
            Choice(choice.value, value_types.label(choice.value, notation), choice.group)
            if choice.label is None
            else choice
            for choice in choices
        ]

    def _choices_now(self) -> list[Choice] | None:
        return choice_list(self.call(self.choices)) if callable(self.choices) else self.choices

    # What may be served, and saved

    def serve(self, value: object) -> tuple[object, Served]:
        """Return what is served of a stored value, and which that is.

        A value of another type than is declared is converted, by ``convert`` if that is declared,
        else where nothing is lost by it. If that fails the default is served. What breaks only
        limits, choices or validators was allowed when it was saved.
        """
        if self._type_rule is None or self.type_problem(value) is None:
            return value, "stored"
        convert = self._type_rule.convert if self.convert is None else self._call_convert
        try:
            return convert(value), "converted"
        except ValueError:
            return self.copy_default(), "default"

    def _call_convert(self, value: object) -> object:
        """Return what ``convert`` makes of a value.

        :raises ValueError: it fails, or the result is of the wrong type.
        """
        assert self.convert is not None  # nosec B101 # for the type checker
        try:
            made = self.call(self.convert, copy.deepcopy(value))
        except Exception as error:
            # What is raised about a secret may quote it.
            what = describe_error(error) if self.secret else type(error).__name__
            cause = None if self.secret else error
            log.error("%s: its function convert failed (%s)", self.key, what, exc_info=cause)
            raise ValueError("convert failed") from None
        if problem := self.type_problem(made):
            name = type(made).__name__
            log.error("%s: its function convert returned the wrong type: %s", self.key, name)
            raise ValueError(problem)
        return made

    def plain(self, value: object) -> object:
        """Return the value to check and save for one from code: of Python's own class for Markup
        and a number of NumPy, unless any value is allowed.
        """
        return value if self._type_rule is None else plain(value)

    def problem(self, value: object, notation: Notation = PYTHON) -> str | None:
        """Return how *value* breaks the declared type, choices or limits; None when it doesn't.

        Validators are not asked: they need a form.

        :param notation: of numbers in the message.
        """
        if self._type_rule is None or (value is None and self.optional):
            return None
        problem = self.type_problem(value) or self.choice_problem(value)
        return problem or self.limits.problem(value, notation)

    def stored_problem(self, value: object) -> str | None:
        """Return the same of a stored value, without asking any function of the app.

        Of a secret only that it breaks something.
        """
        if self._type_rule is None or (value is None and self.optional):
            return None
        problem = self.type_problem(value)
        if not (problem or callable(self.choices)):
            problem = self.choice_problem(value)
        problem = problem or self.limit_problem(value)
        return gettext("No more is said about a secret.") if problem and self.secret else problem

    def type_problem(self, value: object) -> str | None:
        """Return how *value* breaks the declared type, so that it is neither served nor saved."""
        if self._type_rule is None or (value is None and self.optional):
            return None
        return self._type_rule.problem(value)

    def class_problem(self, value: object) -> str | None:
        """Return how *value* is of another Python class than declared, whatever its shape."""
        if self._type_rule is None or (value is None and self.optional):
            return None
        return self._type_rule.class_problem(value)

    def choice_problem(self, value: object) -> str | None:
        """Return how *value* breaks the declared choices."""
        try:
            choices = self._choices_now()
        except Exception as error:
            # What is raised about the choices of a secret may quote it.
            what = describe_error(error) if self.secret else type(error).__name__
            cause = None if self.secret else error
            log.error("%s: no choices (%s)", self.key, what, exc_info=cause)
            return gettext(
                "Its choices can't be listed at the moment (%(error)s).", error=type(error).__name__
            )
        if choices is None:
            return None
        known = self._known_choices or ChoiceSet(choices)  # of a function none are known
        if value in known:
            return None
        if self.several and isinstance(value, SEVERAL):
            if not all(item in known for item in value):
                return gettext(ITEM_IS_NO_CHOICE)
            return gettext(CHOSEN_TWICE) if known.has_twice(value) else None
        return gettext(IS_NO_CHOICE)

    def limit_problem(self, value: object) -> str | None:
        """Return how *value*, of the declared type, breaks the declared limits."""
        return None if self._type_rule is None else self.limits.problem(value)
