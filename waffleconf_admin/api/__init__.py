"""The JSON API of a settings page: ``WaffleAdmin(api=True)``."""

from __future__ import annotations

from .call import Call
from .resources import RESOURCES, respond

__all__ = ["RESOURCES", "Call", "respond"]
