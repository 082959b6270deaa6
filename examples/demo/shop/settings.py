"""What can be changed about the shop while it runs."""

from __future__ import annotations

import os
import re
from typing import Any

from wtforms import ValidationError
from wtforms.validators import Regexp

from .catalogue import SLUGS

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def opening_hours(form: Any, field: Any) -> None:
    """Days with a list of [from, to] each."""
    for day, spans in field.data.items():
        if day not in DAYS:
            raise ValidationError(f"{day} is not a day. The days are {', '.join(DAYS)}.")
        for span in spans if isinstance(spans, list) else [None]:
            if not (isinstance(span, list) and len(span) == 2 and all(map(is_time, span))):
                raise ValidationError(f'{day} needs a list like [["09:00", "18:00"]].')


def is_time(text: Any) -> bool:
    return isinstance(text, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text) is not None


def known_products(form: Any, field: Any) -> None:
    unknown = [slug for slug in field.data if slug not in SLUGS]
    if unknown:
        raise ValidationError(f"There is no product {unknown[0]}. There are {', '.join(SLUGS)}.")


CONFS: dict[str, dict[str, Any]] = {
    "SITENAME": {
        "desc": "Shop name",
        "default": "Waffle",
        "help": "In the header and in the title of every page.",
        "group": "Storefront",
        "min": 1,
        "max": 40,
    },
    "TAGLINE": {
        "desc": "Tagline",
        "default": "Irons, mixes and toppings for slow mornings",
        "group": "Storefront",
    },
    "THEME": {
        "desc": "Theme",
        "default": "honey",
        "help": "The colours of the shop.",
        "group": "Storefront",
        "choices": [("honey", "Honey"), ("mint", "Mint"), ("berry", "Berry"), ("night", "Night")],
    },
    "BANNER": {
        "desc": "Banner",
        "default": "Sunday is waffle day: everything ships on Friday",
        "help": "One line above the header. Blank hides it.",
        "group": "Storefront",
    },
    "WELCOME": {
        "desc": "Welcome text",
        "default": "We have baked waffles since 1987.\nEverything here is what we use ourselves.",
        "group": "Storefront",
        "multiline": True,
    },
    "OPENING_HOURS": {
        "desc": "Opening hours",
        "default": {
            "Tue": [["09:00", "12:30"], ["14:00", "18:00"]],
            "Fri": [["09:00", "18:00"]],
            "Sat": [["10:00", "14:00"]],
        },
        "help": "A list of [from, to] for each day that we are open.",
        "group": "Storefront",
        "validators": [opening_hours],
    },
    "PAGE_SIZE": {
        "desc": "Products per page",
        "default": 8,
        "group": "Catalogue",
        "min": 1,
        "max": 48,
    },
    "SORT_BY": {
        "desc": "Order of the products",
        "default": "name",
        "group": "Catalogue",
        "choices": [("name", "Name"), ("cheapest", "Cheapest first"), ("best", "Best rated first")],
    },
    "FEATURED": {
        "desc": "Featured products",
        "default": ["liege-iron", "maple-syrup"],
        "help": "Shown large, above the others.",
        "group": "Catalogue",
        "validators": [known_products],
    },
    "CURRENCY": {
        "desc": "Currency",
        "default": "EUR",
        "group": "Catalogue",
        "choices": ["EUR", "GBP", "CHF"],
    },
    "TAX_PERCENT": {
        "desc": "Tax",
        "default": 21.0,
        "help": "Per cent, added to every price.",
        "group": "Catalogue",
        "min": 0.0,
        "max": 100.0,
    },
    "FREE_DELIVERY_FROM": {
        "desc": "Free delivery from",
        "default": 45,
        "help": "In the shop's currency; 0 for never.",
        "group": "Catalogue",
        "min": 0,
    },
    "MAINTENANCE": {
        "desc": "Maintenance mode",
        "default": False,
        "help": "Visitors see a notice instead of the shop.",
        "group": "Features",
    },
    "MAINTENANCE_TEXT": {
        "desc": "Maintenance notice",
        "default": "We are cleaning the irons and will be back soon.",
        "group": "Features",
        "multiline": True,
    },
    "SEARCH": {"desc": "Search", "default": True, "group": "Features"},
    "SHOW_STARS": {"desc": "Show ratings", "default": True, "group": "Features"},
    "SHOW_STOCK": {"desc": "Show what is in stock", "default": True, "group": "Features"},
    "LOW_STOCK": {
        "desc": "Low stock",
        "default": 5,
        "help": "At this many or fewer, visitors see how many are left.",
        "group": "Features",
        "min": 0,
    },
    "NEWSLETTER": {"desc": "Newsletter box", "default": False, "group": "Features"},
    "PAYMENT_KEY": {
        "desc": "Payment key",
        "default": "",
        "help": "Key of the payment service. Without one, nothing can be bought.",
        "group": "Integrations",
        "secret": True,
    },
    "CONTACT_EMAIL": {
        "desc": "Contact address",
        "default": "hello@waffle.example",
        "group": "Integrations",
        "validators": [Regexp(r"[^@\s]+@[^@\s]+$", message="This is not an e-mail address.")],
    },
    "ANALYTICS_ID": {
        "desc": "Analytics id",
        "default": None,
        "help": "Blank: visitors are not counted.",
        "group": "Integrations",
    },
    "REGION": {
        "desc": "Region",
        "default": os.environ.get("SHOP_REGION", "eu-west-1"),
        "help": "Where the shop runs: the environment variable SHOP_REGION.",
        "group": "Integrations",
        "readonly": True,
    },
}
