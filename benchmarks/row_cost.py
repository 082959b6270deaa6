"""What a row of the settings page costs, part by part: the picture in docs/performance.md.

    python benchmarks/row_cost.py measure > after.json
    python benchmarks/row_cost.py draw before=before.json after=after.json

`measure` profiles a GET of the page and prints how many function calls each part of the code takes
for one row. Calls, not times: they are the same on a busy machine and on a quiet one. `draw` writes
docs/images/performance-row.svg, a bar for each measurement.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import plot
from measure import ROOT

SETTINGS = 1000
IMAGE = ROOT / "docs" / "images" / "performance-row.svg"

#: Parts by what the path of a file has in it; the first that fits counts.
PARTS = {
    "escapes": ("markupsafe/",),
    "templates": ("templates/", "jinja2/"),
    "fields and controls": ("waffleconf_admin/fields/", "waffleconf_admin/settings/", "wtforms/"),
    "form and tokens": ("waffleconf_admin/forms/", "waffleconf_admin/codec/"),
    "page": ("waffleconf_admin/admin/", "waffleconf_admin/calls.py"),
    "translations": ("waffleconf_admin/i18n.py", "flask_babel/"),
}
OTHERS = "all else"  #: reading the settings, Flask, Werkzeug

Function = tuple[str, int, str]


def main() -> None:
    what, *measured = sys.argv[1:]
    if what == "measure":
        print(json.dumps({"bare": calls("/bare"), "page": calls("/admin/config")}))
        return
    read = {
        name: json.loads(Path(file).read_text()) for name, file in (m.split("=") for m in measured)
    }
    bars = {name: of["page"] for name, of in read.items()}
    bars["bare WTForms"] = next(iter(read.values()))["bare"]
    IMAGE.write_text(plot.stacked(bars, [*PARTS, OTHERS], "function calls a row"))


def calls(url: str) -> dict[str, float]:
    """The calls by part that a GET takes for each setting."""
    from render import make_app

    client = make_app(SETTINGS).test_client()
    client.get(url)
    profile = cProfile.Profile()
    profile.runcall(client.get, url)
    stats: Mapping[Function, Any] = vars(pstats.Stats(profile))["stats"]
    found: Counter[str] = Counter()
    for function, (_, count, _, _, callers) in stats.items():
        if function[0] == "~" or not part_of(function):
            # Built-in functions and the standard library count for their callers.
            for caller, numbers in callers.items():
                found[part_of(caller) or OTHERS] += numbers[1]
        else:
            found[part_of(function)] += count
    return {part: found[part] / SETTINGS for part in [*PARTS, OTHERS]}


def part_of(function: Function) -> str:
    paths = ((part, path) for part, paths in PARTS.items() for path in paths)
    return next((part for part, path in paths if path in function[0]), "")


if __name__ == "__main__":
    main()
