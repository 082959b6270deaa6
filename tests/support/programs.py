"""Programs that the tests start."""

from __future__ import annotations

import os
import sys


def environment(**variables: str) -> dict[str, str]:
    """The environment in which a program imports what this process imports.

    Neither its folder nor the one in which it is started need be on its path: with a wheel they are
    not, for the sources are there.
    """
    path = os.pathsep.join(filter(None, sys.path))
    return {**os.environ, "PYTHONPATH": path, **variables}
