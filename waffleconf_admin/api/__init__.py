"""The JSON API of a settings page: ``WaffleAdmin(api=True)``."""

from __future__ import annotations

from .page import Access, Page
from .resources import RESOURCES, respond

__all__ = ["RESOURCES", "Access", "Page", "respond"]
