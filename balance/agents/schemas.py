"""JSON Schemas of tools, made from the operations of the HTTP interface and their shapes.

An agent writes a number as JSON has it or as text, and gets every exact number as text: its client
may read JSON numbers through a float.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from balance.api.account import Changed
from balance.api.operations import Operation, Parameter
from balance.api.requests import Conditional, Key
from balance.api.schema import Schema, Schemas, not_null
from balance.core.request import LONGEST_KEY
from balance.core.shape import Field, fields_of
from balance.core.snapshot import Snapshot
from balance.desk.transactions import LONGEST_NOTE

#: What an exact number looks like, without an exponent.
DECIMAL: Final = r"^-?[0-9]+(\.[0-9]+)?$"
#: What an agent gets of the snapshot after a change; the tools that read have the rest.
AFTER_A_CHANGE: Final = (
    *("revision", "as_of", "balance", "portfolio_value", "available_balance", "used_margin"),
)

_PLACE: Final = "#/$defs/"
_TEXT: Final[Mapping[str, Any]] = {"type": "string", "pattern": DECIMAL}
# Keywords that some clients refuse in what they send; the account itself checks these rules.
_RULES: Final = ("if", "then", "else", "allOf", "anyOf", "oneOf", "dependentSchemas")
_OF_NUMBERS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_KEY: Final[Schema] = {
    "type": "string",
    "description": "A name of your own for this request. Repeated with the same arguments, it gets "
    "the first answer and changes nothing: use it to try again after a timeout.",
    "minLength": 1,
    # The name of the agent stands before it.
    "maxLength": LONGEST_KEY // 2,
}
_NOTE: Final[Schema] = {
    "type": "string",
    "description": "Why, in a sentence. It stands in the ledger, where people read it.",
    "maxLength": LONGEST_NOTE,
}
_REVISION: Final[Schema] = {
    "type": "integer",
    "description": "Refuse the change unless the account is at this revision.",
    "minimum": 1,
}


def arguments_schema(operation: Operation, without: Sequence[str] = ()) -> Schema:
    """The schema of what a tool for ``operation`` takes: all of its parameters in one object, but
    for those in ``without``."""
    properties: dict[str, Schema] = {}
    required: list[str] = []
    for each in operation.parameters:
        found, needed = arguments_of(each)
        properties |= {name: _input(schema) for name, schema in found.items()}
        required += needed
    properties = {name: each for name, each in properties.items() if name not in without}
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in required if name in properties],
        "additionalProperties": False,
    }


def answer_schema(operation: Operation, without: Sequence[str] = ()) -> Schema:
    """The schema of what a tool for ``operation`` answers, but for the members in ``without``."""
    schemas, shape = Schemas(_TEXT, _PLACE), operation.answer
    fields = {name: each for name, each in fields_of(shape).items() if name not in without}
    if fields_of(Changed).keys() <= fields.keys():
        left_out = fields_of(Snapshot).keys() - {*AFTER_A_CHANGE}
        fields = {name: each for name, each in fields.items() if name not in left_out}
    if changes_something(operation):
        fields["replayed"] = Field(bool)
    record = _output(_record(schemas, fields))
    definitions = {name: _output(each) for name, each in sorted(schemas.components.items())}
    return {**record, **({"$defs": definitions} if definitions else {})}


def changes_something(operation: Operation) -> bool:
    """Whether ``operation`` is a change that may be repeated with a key."""
    return any(each.hint in (Conditional, Key) for each in operation.parameters)


def arguments_of(parameter: Parameter) -> tuple[dict[str, Schema], list[str]]:
    """The schemas by name of the arguments that make ``parameter``, and those that are needed."""
    if parameter.hint == Conditional:
        return {"note": _NOTE, "if_match": _REVISION, "idempotency_key": _KEY}, []
    if parameter.hint == Key:
        return {"idempotency_key": _KEY}, []
    source = parameter.source
    if source is None:
        schema = not_null(Schemas().of(parameter.hint))
        if parameter.default is not None:
            schema["default"] = parameter.default
        return {parameter.name: schema}, [parameter.name] if parameter.is_in_path else []
    if source.is_body:
        (media, *_) = source.content(Schemas()).values()
        body = media["schema"]
        return body["properties"], list(body.get("required", ()))
    return {
        each["name"]: {"description": each["description"], **each["schema"]}
        for each in source.described
    }, []


def _input(schema: Schema) -> Schema:
    """``schema`` as it is for arguments: no number without a text, no null, no rules between
    members."""
    found = {name: each for name, each in not_null(schema).items() if name not in _RULES}
    kinds = found.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "number" in kinds:
        found |= {"type": ["number", "string"], "pattern": DECIMAL}
    if isinstance(default := found.get("default"), Decimal):
        found["default"] = int(default) if default == int(default) else f"{default:f}"
    if "properties" in found:
        found["properties"] = {name: _input(each) for name, each in found["properties"].items()}
    return _within(found, _input)


def _within(schema: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """``schema`` with ``change`` of those of its items and of its members of any name."""
    places = ("items", "additionalProperties")
    inner = {name: change(schema[name]) for name in places if isinstance(schema.get(name), dict)}
    return {**schema, **inner}


def _record(schemas: Schemas, fields: Mapping[str, Field]) -> Schema:
    return {
        "type": "object",
        "properties": {name: schemas.of(each.hint) for name, each in fields.items()},
        "required": [name for name, each in fields.items() if not each.is_optional],
    }


def _output(schema: Schema) -> Schema:
    """``schema`` without texts for people, and without the limits of numbers that are texts."""
    found = dict(schema)
    if found.get("pattern") == DECIMAL:
        found = {name: each for name, each in found.items() if name not in _OF_NUMBERS}
        # A whole number of the account is exact as well.
        found["type"] = ["string", "null"] if "null" in found["type"] else "string"
    if "properties" in found:
        found["properties"] = {
            name: _output(each) for name, each in found["properties"].items() if name != "display"
        }
        found["required"] = [name for name in found.get("required", ()) if name != "display"]
    found = _within(found, _output)
    if "anyOf" in found:
        found["anyOf"] = [_output(each) for each in found["anyOf"]]
    return found
