"""The settings page: a blueprint, and a module for each of its pages."""

from __future__ import annotations

from .blueprints import WaffleAdmin

__all__ = ["WaffleAdmin", "blueprint"]

#: A page for apps that name their `can` in the configuration, as WAFFLE_CAN.
blueprint = WaffleAdmin()
