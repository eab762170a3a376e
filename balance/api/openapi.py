"""The description of the HTTP interface (OpenAPI 3.1), made from the operations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from balance.api.operations import Operation, Parameter, operations_of
from balance.api.problems import ProblemDetails
from balance.api.requests import NOTHING
from balance.api.schema import Schemas, not_null, one_line

#: What every problem's status means, whichever route answers it.
PROBLEMS: Final = {
    400: "Not JSON, or an unknown Host",
    401: "The token is missing (only where the server was started with one)",
    403: "A page of another site sent the request",
    404: "There is no such path, open order, position, bot, alert or backtest",
    409: "The Idempotency-Key is being worked on, or was booked and its answer is lost, or no "
    "reset can be undone",
    412: "If-Match names another revision",
    413: "The body is over 64 KiB",
    415: "The body is not declared as JSON",
    422: "JSON that makes no sense: negative, too large, insufficient funds, a key used before",
    503: "The account can't be read or written now, or the symbol has no live price",
}
# What may be answered to any request, and to one that changes something.
_ALWAYS: Final = {400, 401, 503}
_TO_CHANGES: Final = {403}


def description_of(resources: Iterable[type]) -> dict[str, Any]:
    """What the operations of ``resources``, classes as ``balance.api.operations`` has them, take
    and answer."""
    schemas = Schemas()
    paths: dict[str, Any] = {}
    tags: list[dict[str, str]] = []
    for resource in resources:
        tag = getattr(resource, "tag", "")
        if tag not in [each["name"] for each in tags]:
            tags.append({"name": tag, "description": one_line(resource.__doc__ or "")})
        for each in operations_of(resource):
            described = _Operation(each, schemas).described(tag)
            paths.setdefault(each.path, {})[each.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Virtual Balance",
            "version": "1",
            "description": "One virtual balance for paper trading, in sync everywhere. Numbers "
            "may be sent in quotes.",
        },
        "servers": [{"url": "/"}],
        "tags": tags,
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.components.items()))},
    }


class _Operation:
    """One operation as the description has it."""

    def __init__(self, operation: Operation, schemas: Schemas) -> None:
        self._operation = operation
        self._schemas = schemas
        self._parameters = operation.parameters

    def described(self, tag: str) -> dict[str, Any]:
        summary, _, rest = (self._operation.view.__doc__ or "").partition("\n\n")
        parameters = [found for each in self._parameters for found in self._parameter(each)]
        return {
            "operationId": self._operation.id,
            "tags": [tag],
            "summary": one_line(summary).removesuffix("."),
            **({"description": one_line(rest)} if rest.strip() else {}),
            **({"parameters": parameters} if parameters else {}),
            **self._body(),
            "responses": {**self._success(), **self._problems()},
        }

    def _parameter(self, parameter: Parameter) -> list[dict[str, Any]]:
        if parameter.source is not None:
            return [dict(each) for each in parameter.source.described]
        # What is left out of a query is left out; there is no null.
        schema = not_null(self._schemas.of(parameter.hint))
        found: dict[str, Any] = {"name": parameter.name, "in": "query"}
        if "description" in schema:
            found["description"] = schema.pop("description")
        if parameter.is_in_path:
            return [{**found, "in": "path", "required": True, "schema": schema}]
        if parameter.default is not None:
            schema["default"] = parameter.default
        return [{**found, "schema": schema}]

    def _body(self) -> dict[str, Any]:
        for each in (parameter.source for parameter in self._parameters):
            if each is not None and each.is_body:
                content = each.content(self._schemas)
                return {"requestBody": {"required": not each.is_optional, "content": content}}
        return {}

    def _success(self) -> dict[str, Any]:
        operation = self._operation
        content: dict[str, Any] = {}
        if operation.answer is not None:
            schema = self._schemas.answer(operation.answer)
            content["application/json"] = {"schema": schema}
        for each in operation.types:
            kind = "object" if each == "application/json" else "string"
            content[each] = {"schema": {"type": kind}}
        found: dict[str, Any] = {str(operation.status): {"description": "Done", "content": content}}
        if 304 in operation.texts:
            found["304"] = {"description": operation.texts[304]}
        return found

    def _problems(self) -> dict[str, Any]:
        operation = self._operation
        statuses = _ALWAYS | (_TO_CHANGES if operation.method != "GET" else set())
        statuses |= {*operation.problems}
        for each in self._parameters:
            statuses |= {*each.problems}
        if operation.takes_nothing:
            statuses |= {*NOTHING.problems}
        schema = self._schemas.of(ProblemDetails)
        return {
            str(status): {
                "description": operation.texts.get(status, PROBLEMS[status]),
                "content": {"application/problem+json": {"schema": schema}},
            }
            for status in sorted(statuses)
        }
