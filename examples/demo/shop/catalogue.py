"""What the shop sells, and at what price."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from flask import current_app


@dataclass(frozen=True)
class Product:
    slug: str
    name: str
    text: str
    shape: str  # a symbol of static/shapes.svg
    net: float  # in euros, without tax
    stock: int
    stars: float


_PRODUCTS = [
    Product("liege-iron", "Liège iron", "Deep pockets, cast aluminium", "iron", 74.0, 12, 4.8),
    Product("heart-iron", "Heart iron", "Five thin hearts at a time", "iron", 39.5, 3, 4.4),
    Product("stove-iron", "Stove-top iron", "Cast iron, for gas and fire", "iron", 52.0, 7, 4.6),
    Product("buttermilk-mix", "Buttermilk mix", "Ready in two minutes, 500 g", "bag", 5.4, 80, 4.5),
    Product("rye-mix", "Rye mix", "Dark and hearty, 500 g", "bag", 5.9, 41, 4.1),
    Product("spelt-flour", "Spelt flour", "Stone-milled, 1 kg", "bag", 4.2, 65, 4.7),
    Product("pearl-sugar", "Pearl sugar", "For crisp Liège waffles, 250 g", "jar", 3.3, 120, 4.9),
    Product("maple-syrup", "Maple syrup", "Amber, 250 ml", "bottle", 9.8, 34, 4.9),
    Product("birch-syrup", "Birch syrup", "Smoky, from the far north", "bottle", 14.5, 2, 4.3),
    Product("cherry-jam", "Sour cherry jam", "Little sugar, much fruit", "jar", 4.6, 58, 4.6),
    Product("hazelnut-cream", "Hazelnut cream", "Half of it is hazelnuts", "jar", 6.7, 0, 4.8),
    Product("salted-caramel", "Salted caramel", "With salt from the coast", "jar", 6.2, 22, 4.7),
    Product("vanilla", "Vanilla extract", "From whole pods, 50 ml", "bottle", 8.9, 19, 4.4),
    Product("batter-bowl", "Batter bowl", "Stoneware with a lip, 2 l", "bowl", 21.0, 9, 4.5),
    Product("whisk", "Beech whisk", "Stirs without foam", "whisk", 7.5, 44, 4.2),
    Product("cooling-rack", "Cooling rack", "Keeps twelve waffles crisp", "rack", 13.0, 16, 4.3),
]

SLUGS = tuple(product.slug for product in _PRODUCTS)

_ORDERS: dict[str, Callable[[Product], Any]] = {
    "name": lambda product: product.name,
    "cheapest": lambda product: product.net,
    "best": lambda product: -product.stars,
}


class Currency(NamedTuple):
    rate: float  # units for one euro
    text: str


_CURRENCIES = {
    "EUR": Currency(1.0, "€{:.2f}"),
    "GBP": Currency(0.86, "£{:.2f}"),
    "CHF": Currency(0.95, "CHF {:.2f}"),
}


def products(search: str, order: str) -> list[Product]:
    """The products whose name or text holds the search, sorted by name, cheapest or best."""
    words = search.casefold()
    found = [p for p in _PRODUCTS if words in f"{p.name} {p.text}".casefold()]
    return sorted(found, key=_ORDERS[order])


def featured(slugs: Iterable[str]) -> list[Product]:
    """The products of these names, in the order given."""
    by_slug = {product.slug: product for product in _PRODUCTS}
    return [by_slug[slug] for slug in slugs]


def money(amount: float) -> str:
    """An amount in the shop's currency, as the visitor reads it."""
    return _CURRENCIES[current_app.config["CURRENCY"]].text.format(amount)


def price(product: Product) -> str:
    """What the product costs in the shop's currency, with its tax."""
    rate = _CURRENCIES[current_app.config["CURRENCY"]].rate
    return money(product.net * rate * (1 + current_app.config["TAX_PERCENT"] / 100))
