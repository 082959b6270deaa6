"""Util: the stored format, under the module name of Flask-WaffleConf 0.3.1."""

from __future__ import annotations

from .codec import deserialize, serialize

__all__ = ["deserialize", "serialize"]
