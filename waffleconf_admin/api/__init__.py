"""The JSON API of a settings page: ``WaffleAdmin(api=True)``."""

from __future__ import annotations

from .call import Page, Permissions
from .resources import RESOURCES, respond

__all__ = ["RESOURCES", "Page", "Permissions", "respond"]
