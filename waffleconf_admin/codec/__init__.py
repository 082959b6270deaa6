"""Codec: values as the texts that the database holds, and back.

A text is JSON, or base64 of a pickle as Flask-WaffleConf 0.3.1 wrote it. Anybody who can write to
the database can write one, so both are read through allow-lists of names and types, and within
limits of time and memory.
"""

from .allowed import Allowed
from .pickles import classes_in  # nosec B403 # our module
from .texts import FORMATS, Format, deserialize, format_of, is_text_of, serialize

__all__ = [
    "FORMATS",
    "Allowed",
    "Format",
    "classes_in",
    "deserialize",
    "format_of",
    "is_text_of",
    "serialize",
]
