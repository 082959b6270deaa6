"""Meta: what WTForms wants to know of our form."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from markupsafe import Markup

from ..fields import binding
from ..fields.widgets import attributes


class Meta(FlaskForm.Meta):
    """WTForms' options: Flask-WTF's, with the CSRF token left to a form beside this one."""

    csrf = False

    def render_field(self, field: Any, render_kw: dict[str, Any]) -> Any:
        try:
            html = super().render_field(field, render_kw)
        except Exception as error:
            if not hasattr(field, "record"):  # a part of another field, which fails as a whole
                raise
            return binding.unrendered(field, error)
        if isinstance(field, binding.SILENT):
            hidden = attributes({"type": "hidden", "name": field.name, "value": ""})
            html = Markup(f"<input{hidden}>") + html
        return html
