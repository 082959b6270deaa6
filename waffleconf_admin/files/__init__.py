"""Files: settings in JSON or YAML, written, read, compared with the database and imported."""

from __future__ import annotations

from .changes import change_facts
from .document import (
    FORMATS,
    format_of,
    most_bytes,
    pack_document,
    read_document,
    write_document,
    write_json,
)
from .export import Export, export_values
from .plan import ALL, Drift, Plan, Step, import_values, make_plan
from .values import FileValues, find_problems, load_values

__all__ = [
    "ALL",
    "FORMATS",
    "Drift",
    "Export",
    "FileValues",
    "Plan",
    "Step",
    "change_facts",
    "export_values",
    "find_problems",
    "format_of",
    "import_values",
    "load_values",
    "make_plan",
    "most_bytes",
    "pack_document",
    "read_document",
    "write_document",
    "write_json",
]
