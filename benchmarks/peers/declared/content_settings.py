"""The settings, as django-content-settings wants them declared."""

from content_settings.types.basic import SimpleInt, SimpleString
from shared import DEFAULTS

for key, value in DEFAULTS.items():
    declared = SimpleString if isinstance(value, str) else SimpleInt
    globals()[key] = declared(str(value), help=key)
