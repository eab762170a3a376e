"""Calls of tools: arguments become the parameters of an operation, its answer one for an agent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote, urlencode

from balance.agents.schemas import arguments_of
from balance.agents.tool import Tool
from balance.api.encoding import encoded, quoted_number, shown
from balance.api.operations import Parameter
from balance.api.requests import LARGEST_BODY, Conditional, Key, request_with
from balance.api.schema import Schema
from balance.core.errors import InvalidRequest
from balance.core.figures import plain
from balance.core.request import check_key
from balance.core.shape import members
from balance.desk.transactions import Conditions

# What JSON calls the values that Python reads from it.
_KINDS: Final[Mapping[str, type]] = {
    "string": str,
    "boolean": bool,
    "object": dict,
    "array": list,
}


@dataclass(frozen=True)
class Call:
    """A call of ``tool`` by the agent ``owner``, with arguments that fit its schema."""

    tool: Tool
    arguments: Mapping[str, Any]
    owner: str
    # Called once nobody else can change the account any more: refuses the change by raising.
    check: Callable[[], None] = lambda: None

    @property
    def key(self) -> str | None:
        """Its idempotency key, which is another than one of another agent."""
        key = self.arguments.get("idempotency_key")
        if key is None:
            return None
        check_key(key)
        return f"{self.owner}:{key}"

    @property
    def path(self) -> str:
        """The path and the query of the operation over HTTP."""
        path, query = self.tool.operation.path, dict[str, str]()
        for each in self.tool.operation.parameters:
            if each.is_in_path:
                text = quote(str(self.arguments[each.name]), safe="")
                path = path.replace(f"{{{each.name}}}", text)
            elif each.hint not in (Conditional, Key) and not _is_body(each):
                query |= {name: _text(value) for name, value in self._named(each).items()}
        return f"{path}?{urlencode(query)}" if query else path

    @property
    def body(self) -> str | None:
        """The body of the operation over HTTP; None: it has none."""
        for each in self.tool.operation.parameters:
            if each.source is not None and each.source.is_body:
                members = self._named(each)
                return encoded(members) if members or not each.source.is_optional else None
        return None

    def answered_by(self, resource: object) -> dict[str, Any]:
        """The answer of ``resource``, which has the operation of the tool.

        Raises:
            BalanceError, Problem: the operation refuses it.
        """
        operation, request = self.tool.operation, request_with(self.path, self.body)
        parameters = {
            each.name: self._parameter(each, request, resource) for each in operation.parameters
        }
        found = operation.view(resource, **parameters)
        return self.shown(found.value, is_replayed="Idempotency-Replayed" in found.headers)

    def shown(self, value: Mapping[str, Any], *, is_replayed: bool) -> dict[str, Any]:
        """``value``, what the operation answers, as the agent gets it."""
        names = self.tool.answer["properties"]
        found = {name: for_agent(each) for name, each in value.items() if name in names}
        return {**found, "replayed": is_replayed} if self.tool.changes else found

    def _parameter(self, parameter: Parameter, request: Any, resource: object) -> Any:
        if parameter.hint == Key:
            return self.key
        if parameter.hint == Conditional:
            return Conditions(
                if_match=self.arguments.get("if_match"),
                idempotency_key=self.key,
                note=self.arguments.get("note", ""),
                owner=self.owner,
                check=self.check,
            )
        if parameter.is_in_path:
            return self.arguments[parameter.name]
        return parameter.reader(request, resource)

    def _named(self, parameter: Parameter) -> dict[str, Any]:
        """The arguments that make ``parameter``."""
        names, _ = arguments_of(parameter)
        return {name: self.arguments[name] for name in names if name in self.arguments}


def call_of(tool: Tool, arguments: Mapping[str, Any], owner: str) -> Call:
    """The call of ``tool`` with ``arguments`` as they came.

    Raises:
        InvalidRequest: they don't fit its schema, or are too large.
    """
    size = len(json.dumps(arguments, default=str))
    if size > LARGEST_BODY:
        raise InvalidRequest(
            f"The arguments have {size:,} characters: at most {LARGEST_BODY:,} are taken."
        )
    return Call(tool, _members(tool.name, arguments, tool.arguments), owner)


def for_agent(value: Any) -> Any:
    """``value`` of an answer as JSON without texts for people, with exact numbers as texts."""
    if isinstance(value, Decimal):
        return plain(value)
    if is_dataclass(value):
        return for_agent(members(value))
    if isinstance(value, Mapping):
        return {name: for_agent(each) for name, each in value.items() if name != "display"}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [for_agent(each) for each in value]
    return value


def _members(where: str, value: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """The members of ``value`` but for those that are null, as good as left out."""
    given = {name: each for name, each in value.items() if each is not None}
    properties, others = schema.get("properties", {}), schema.get("additionalProperties")
    names = ", ".join(properties) or "nothing"
    if others is False and (unknown := sorted(given.keys() - properties.keys())):
        raise InvalidRequest(f"{where} takes {names}, but not {unknown[0]!r:.60}.")
    if missing := [name for name in schema.get("required", ()) if name not in given]:
        raise InvalidRequest(f"{where} needs {' and '.join(missing)}. It takes {names}.")
    return {
        name: _value(name[:60], each, properties.get(name) or others or {})
        for name, each in given.items()
    }


def _value(name: str, value: Any, schema: Schema) -> Any:
    """``value`` of the argument ``name``, with a Decimal wherever ``schema`` has a number.

    Raises:
        InvalidRequest: it is nothing that ``schema`` allows.
    """
    kinds = schema.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "number" in kinds or "integer" in kinds:
        return _number(name, value, is_whole="number" not in kinds)
    if kinds and not isinstance(value, tuple(_KINDS[each] for each in kinds)):
        raise InvalidRequest(f"{name} must be of the type {kinds[0]}, not {shown(value)}.")
    if "enum" in schema and value not in schema["enum"]:
        allowed = ", ".join(map(str, schema["enum"]))
        raise InvalidRequest(f"{name} must be one of {allowed}, not {shown(value)}.")
    if isinstance(value, dict):
        return _members(name, value, schema)
    if isinstance(value, list):
        return [_value(name, each, schema.get("items", {})) for each in value]
    return value


def _number(name: str, value: Any, *, is_whole: bool) -> Decimal | int:
    # A float is written with the fewest digits that mean it.
    number = quoted_number(value if isinstance(value, str) else repr(value))
    if number is None:
        raise InvalidRequest(f"{name} must be a number such as 250 or 12.30, not {shown(value)}.")
    if not is_whole:
        return number
    if number != int(number):
        raise InvalidRequest(f"{name} must be a whole number, not {shown(value)}.")
    return int(number)


def _is_body(parameter: Parameter) -> bool:
    return parameter.source is not None and parameter.source.is_body


def _text(value: Any) -> str:
    """``value`` as the query has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
