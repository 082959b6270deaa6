"""The OpenAPI document, and whether all answers are as it says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import every_type
import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from jsonschema_rs import Draft202012Validator
from pages import change_can, state_of

from waffleconf_admin import InvalidValue, WaffleAdmin
from waffleconf_admin.api.schemas import value_schema
from waffleconf_admin.files import FileValues

MakeApp = Callable[..., Flask]
URL = "/admin/config/api/openapi.json"


@pytest.fixture
def whole_app(make_app: MakeApp) -> Flask:
    """An app with a setting of every type, a secret, and a history."""
    confs = every_type.CONFS | {
        "TOKEN": {"default": "", "secret": True},
        "REGION": {"default": "eu", "readonly": True},
    }
    app = make_app(confs, history=True, WAFFLE_STORE_DEFAULTS=False)
    app.register_blueprint(WaffleAdmin(api=True))
    return app


def schemas(app: Flask) -> dict[str, Any]:
    document: dict[str, Any] = app.test_client().get(URL).json
    return document["components"]["schemas"]


def value_schemas(app: Flask) -> dict[str, Any]:
    found: dict[str, Any] = schemas(app)["Changes"]["properties"]["settings"]["properties"]
    return found


def test_every_value_fits_the_schema_of_its_setting(whole_app: Flask) -> None:
    state = state_of(whole_app)
    with whole_app.test_request_context():
        for key in every_type.CONFS:
            check_values(state, key)
            values, setting = FileValues(state.app, state.settings), state.settings[key]
            validator = Draft202012Validator(value_schema(values, setting))
            assert validator.is_valid(values.dump(key, setting.default)), key


def check_values(state: Any, key: str) -> None:
    values = FileValues(state.app, state.settings)
    validator = Draft202012Validator(value_schema(values, state.settings[key]))

    @settings(max_examples=5, deadline=None, database=None, phases=[Phase.generate])
    @given(every_type.VALUES[key])
    def check(value: Any) -> None:
        with suppress(InvalidValue):  # no file can hold it
            written = values.dump(key, value)
            assert validator.is_valid(written), (key, written)

    check()


SCHEMAS: list[tuple[str, dict[str, Any]]] = [
    ("BOOL", {"type": "boolean"}),
    ("INT_LIMITED", {"type": "integer", "minimum": 1, "maximum": 99}),
    ("INT_OR_NONE", {"type": ["integer", "null"]}),
    ("FLOAT", {"type": "number"}),
    ("FLOAT_ENDLESS", {"type": ["number", "string"]}),
    ("DECIMAL_LIMITED", {"type": ["string", "integer"]}),
    ("STR", {"type": "string"}),
    ("CHOICE_MANY", {"enum": list("abcdef")}),
    ("CHOICE_OR_NONE", {"enum": [*"abcdef", None]}),
    ("SEVERAL_SET", {"type": "array", "items": {"enum": list("abcdef")}, "uniqueItems": True}),
    ("ENUM", {"type": "string", "enum": ["LIGHT", "DARK", "HIGH_CONTRAST"]}),
    ("FLAG", {"type": "array", "items": {"enum": ["READ", "WRITE", "DELETE"]}}),
    ("DATE", {"type": "string", "format": "date"}),
    ("DURATION", {"type": "string"}),
    ("LIST", {"type": "array"}),
    ("DICT", {"type": "object"}),
    ("URL", {"type": "string", "format": "uri"}),
    ("FILE_SIZE", {"type": ["integer", "string"]}),
    ("RANGE", {"type": "integer", "minimum": 0, "maximum": 10}),
    ("RANGE_FLOAT", {"type": "number", "minimum": 0, "maximum": 1}),
    ("TOKEN", {"title": "Token", "type": "string", "writeOnly": True}),
]


def test_a_schema_is_made_of_the_declaration(whole_app: Flask) -> None:
    found = value_schemas(whole_app)
    keywords = {"minimum", "maximum", "minLength", "maxLength", "enum", "default"}
    for key, schema in SCHEMAS:
        assert found[key] | schema == found[key]
        limits = keywords & (found[key].keys() - {"default"})
        assert limits == keywords & schema.keys(), key
    assert found["TOKEN"] == dict(SCHEMAS)["TOKEN"]


def test_the_document_has_what_its_reader_may_see(whole_app: Flask) -> None:
    change_can(
        whole_app, lambda action, s: s.key != "INT" and (action == "view") >= (s.key == "STR")
    )
    document = whole_app.test_client().get(URL).json
    keys = document["paths"]["/settings/{key}"]["parameters"][0]["schema"]["enum"]
    assert "INT" not in keys and {"STR", "REGION", "TOKEN"} <= {*keys}
    editable = value_schemas(whole_app).keys()
    assert not editable & {"INT", "STR", "REGION"} and "TOKEN" in editable


def test_choices_that_can_not_be_listed_are_no_failure(make_app: MakeApp) -> None:
    def choices() -> Any:
        raise ConnectionError("needle")

    declared = {"default": "a", "choices": choices}
    app = make_app({"PICK": declared, "SECRET": {**declared, "secret": True}})
    app.register_blueprint(WaffleAdmin(api=True))
    assert value_schemas(app) == {
        "PICK": {"title": "Pick"},
        "SECRET": {"title": "Secret", "writeOnly": True},
    }
    client, url = app.test_client(), URL.replace("openapi.json", "settings")
    answer = client.get(url)
    assert answer.status_code == 200 and "value" not in answer.json["settings"]["PICK"]
    answer = client.patch(url, json={"settings": {"PICK": "a", "SECRET": "b"}})
    assert answer.status_code == 422 and {*answer.json["errors"]} == {"PICK", "SECRET"}
    assert "at the moment" in answer.text and "needle" not in answer.text


def test_every_reference_resolves(whole_app: Flask) -> None:
    document = whole_app.test_client().get(URL)
    for path in set(re.findall(r'"\$ref": "#/([^"]+)"', document.text)):
        found = document.json
        for name in path.split("/"):
            found = found[name]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_answer_is_a_failure_and_every_answer_is_documented(
    app: Flask, record_property: Callable[[str, object], None]
) -> None:
    # Not at the top: each worker would import it, for one test.
    import schemathesis
    from schemathesis import GenerationMode, checks
    from schemathesis.config import SchemathesisConfig

    answers: Counter[str] = Counter()
    state = state_of(app)
    saves = [state.update_db({"PAGE_SIZE": number}).change_set for number in range(2, 5)]
    schema = schemathesis.openapi.from_wsgi(URL, app, config=SchemathesisConfig())
    wanted = [
        checks.not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_headers_conformance,
        checks.response_schema_conformance,
    ]
    for result in schema.get_all_operations():
        operation = result.ok()
        right, wrong = (operation.as_strategy(generation_mode=mode) for mode in GenerationMode)

        @seed(1)
        @settings(
            max_examples=20,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=right | wrong)
        def check(case: Any) -> None:
            if case.operation.label.startswith("POST") and isinstance(case.body, dict):
                case.body["change_set"] = saves[len(str(case.body)) % 3]
            response = case.call()
            answers[f"{case.operation.label} {response.status_code}"] += 1
            case.validate_response(response, checks=wanted)

        check()
    summary = ", ".join(f"{what}: {count}" for what, count in sorted(answers.items()))
    record_property("schemathesis", summary)
    print(summary)
    assert {what.split()[-1] for what in answers} >= {"200", "422"}
