"""Requests that Dash would fall over are refused: pages only send what fits their callbacks."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from dash import Dash
from dash.exceptions import DependencyException
from flask import request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, NotFound

from balance.core.rows import Row

UPDATE_PATH = "/_dash-update-component"
_UNKNOWN: Final = "This fits nothing on the page, perhaps as it is of an older version. Reload it."


def register(app: Dash) -> None:
    """Have a request that fits no callback of ``app`` answered with 400, and one for a file of no
    component with 404."""

    @app.server.before_request
    def check() -> None:
        is_update = request.method == "POST" and request.path == UPDATE_PATH
        if is_update and not _fits(app.callback_map, _body()):
            raise BadRequest(_UNKNOWN)

    @app.server.errorhandler(DependencyException)
    def no_such_file(_: DependencyException) -> ResponseReturnValue:
        return app.server.handle_user_exception(NotFound())


def answer_page(app: Dash, path: str, answer: Callable[[Any], Row]) -> None:
    """Have ``app`` answer what a page posts to ``path`` beside Dash; what no page does is refused
    with 400."""

    @app.server.post(path, endpoint=path)
    def view() -> Row:
        try:
            return answer(request.get_json())
        except (KeyError, TypeError, AttributeError) as fault:
            raise BadRequest(_UNKNOWN) from fault


def _body() -> object:
    try:
        return request.get_json(silent=True)
    except RecursionError:
        return None


def _fits(callbacks: Mapping[str, Mapping[str, Any]], body: object) -> bool:
    if not isinstance(body, dict) or not isinstance(body.get("output"), str):
        return False
    callback = callbacks.get(body["output"], {})
    changed = body.get("changedPropIds", [])
    return (
        # the others run in the page
        "callback" in callback
        and _fits_all(callback["inputs"], body.get("inputs"))
        and _fits_all(callback["state"], body.get("state", []))
        and _fits_outputs(callback["output"], body.get("outputs"))
        and isinstance(changed, list)
        and all(isinstance(each, str) for each in changed)
    )


def _fits_outputs(declared: Any, given: object) -> bool:
    if not declared:
        # a callback that only shows a toast, or changes something on the server
        return not given
    if isinstance(declared, list | tuple):
        return _fits_all([each.to_dict() for each in declared], given)
    return _fits_one(declared.to_dict(), given)


def _fits_all(declared: list[dict[str, str]], given: object) -> bool:
    return (
        isinstance(given, list)
        and len(given) == len(declared)
        and all(map(_fits_one, declared, given))
    )


def _fits_one(declared: dict[str, str], given: object) -> bool:
    if '["ALL"]' in declared["id"]:
        # those that there are in the page
        return isinstance(given, list) and all(_is_of(declared, each) for each in given)
    return _is_of(declared, given)


def _is_of(declared: dict[str, str], given: object) -> bool:
    return (
        isinstance(given, dict)
        and _fits_id(declared["id"], given.get("id"))
        # of a duplicate output it ends with a mark
        and str(given.get("property")).partition("@")[0] == declared["property"]
    )


def _fits_id(declared: str, given: object) -> bool:
    if not declared.startswith("{"):
        return given == declared
    pattern = json.loads(declared)
    return (
        isinstance(given, dict)
        and given.keys() == pattern.keys()
        # a wildcard is a list, and what it stands for a plain value
        and all(
            isinstance(given[name], str | int | float)
            if isinstance(part, list)
            else given[name] == part
            for name, part in pattern.items()
        )
    )
