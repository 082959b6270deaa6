"""Resources: the addresses of the API, their methods, and how a request is answered."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import NamedTuple

from flask import Response, request
from werkzeug.exceptions import HTTPException

from ..exceptions import StoreError
from . import ends, history, openapi, settings, workers
from .body import check_content_type
from .call import Call
from .problem import NO_ACCESS, Problem, problem_of_http_error, problem_of_store

#: In addresses; no variable of the app's own has this name.
KEY = "setting_key"

SAFE_METHODS = ("GET",)


class Resource(NamedTuple):
    """What has an address, below that of the page."""

    rule: str
    methods: Mapping[str, Callable[..., Response]]  #: functions of a `Call`, and of a key
    parameters: Mapping[str, Container[str]] = {}  #: those of the address, by method; else none

    @property
    def allowed(self) -> str:
        """The header Allow."""
        return ", ".join([*self.methods, *(["HEAD"] if "GET" in self.methods else []), "OPTIONS"])


#: The resources by endpoint.
RESOURCES = {
    "api_settings": Resource(
        "/api/settings", {"GET": settings.get_all, "PATCH": settings.patch_all}
    ),
    "api_setting": Resource(
        f"/api/settings/<path:{KEY}>",
        {"GET": settings.get_one, "PATCH": settings.patch_one, "DELETE": settings.delete_one},
        {"DELETE": settings.PARAMETERS},
    ),
    "api_history": Resource(
        "/api/history", {"GET": history.get_history}, {"GET": history.PARAMETERS}
    ),
    "api_undo": Resource("/api/history/undo", {"POST": history.undo}),
    "api_ends": Resource("/api/ends", {"GET": ends.get_ends}),
    "api_keep": Resource("/api/ends/keep", {"POST": ends.keep}),
    "api_go_back": Resource("/api/ends/go-back", {"POST": ends.go_back}),
    "api_workers": Resource("/api/workers", {"GET": workers.get_workers}),
    "api_openapi": Resource("/api/openapi.json", {"GET": openapi.get_document}),
}


def respond(call: Call, endpoint: str, variables: Mapping[str, object]) -> Response:
    """Return the answer to a request; all that is wrong with it is a problem in JSON.

    :param endpoint: without the name of the blueprint.
    :param variables: those of the address.
    """
    resource, method = RESOURCES[endpoint], request.method
    method = "GET" if method == "HEAD" else method
    if method == "OPTIONS":
        return Response(status=204, headers={"Allow": resource.allowed})
    try:
        function = resource.methods.get(method)
        if function is None:
            headers = {"Allow": resource.allowed}
            raise Problem(405, f"The methods are {resource.allowed}.", headers=headers)
        key = [variables[KEY]] if KEY in variables else []
        _admit(call, method)
        _check_parameters(resource.parameters.get(method, ()))
        return function(call, *key)
    except Problem as problem:
        return problem.response()
    except HTTPException as error:
        return problem_of_http_error(error).response()
    except StoreError as error:
        return problem_of_store(error).response()


def _check_parameters(known: Container[str]) -> None:
    """Refuse parameters of the address that the resource does not have, such as misspelt ones.

    :raises Problem: there are some; the first is named.
    """
    for name in request.args:
        if name not in known:
            raise Problem(400, f"There is no parameter {name[:60]!r} here.")


def _admit(call: Call, method: str) -> None:
    """Refuse a call of who may see no setting, or of another site. Nothing has read the body yet.

    :raises Problem: it is one of these.
    """
    if not call.permissions.viewable:
        raise Problem(403, call.permissions.remedy() or NO_ACCESS)
    if method not in SAFE_METHODS:
        check_content_type()
    if refusal := call.refusal():
        raise Problem(403, refusal)
