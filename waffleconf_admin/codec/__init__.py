"""Codec: values as the texts that the database holds, and back.

A text is base64 of a pickle, as Flask-WaffleConf 0.3.1 wrote it. Anybody who can write to the
database can write one, so it is read through allow-lists of opcodes, names and types, and within
limits of time and memory.
"""

from .allowed import Allowed
from .pickles import classes_in, deserialize, is_text_of, serialize

__all__ = ["Allowed", "classes_in", "deserialize", "is_text_of", "serialize"]
