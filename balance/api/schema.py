"""JSON Schema of types and of shapes (``balance.core.shape``)."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from balance.core.shape import Doc, Field, Shape, fields_of, is_record

Schema = dict[str, Any]

_KINDS: Final = {str: "string", bool: "boolean", int: "integer", float: "number"}
_NUMBER: Final[Mapping[str, Any]] = {"type": "number"}


class Schemas:
    """The schemas of types; those of records are collected by the names of their classes."""

    def __init__(
        self, decimal: Mapping[str, Any] = _NUMBER, place: str = "#/components/schemas/"
    ) -> None:
        """``decimal`` is the schema of an exact number, and ``place`` where the document that they
        are for has those of records."""
        self._decimal = decimal
        self._place = place
        #: The schemas of all records among the types so far, by name.
        self.components: dict[str, Schema] = {}
        # The class of each, and whether it is an answer.
        self._shapes: dict[str, tuple[type, bool]] = {}

    def of(self, hint: Any) -> Schema:
        """The schema of what ``hint``, a type annotation, allows."""
        origin, inner = get_origin(hint), get_args(hint)
        if origin is Annotated:
            docs = [each for each in hint.__metadata__ if isinstance(each, Doc)]
            shapes = [each.shape for each in docs if each.shape is not None]
            return _described(self.of(shapes[0] if shapes else hint.__origin__), docs)
        if origin in (Union, types.UnionType):
            return self._union(inner)
        if origin is Literal:
            return {"type": _KINDS[type(inner[0])], "enum": list(inner)}
        if hint is Any:
            return {}
        if is_record(hint):
            return self._component(hint)
        if hint is Decimal:
            return dict(self._decimal)
        if hint in _KINDS:
            return {"type": _KINDS[hint]}
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": self.of(inner[1])}
        if isinstance(origin, type) and issubclass(origin, Sequence):
            return {"type": "array", "items": self.of(inner[0])}
        raise TypeError(f"There is no schema of {hint}.")

    def record(self, *shapes: Shape) -> Schema:
        """The schema of an object that has all fields of ``shapes``."""
        fields = {name: each for shape in shapes for name, each in fields_of(shape).items()}
        return {
            "type": "object",
            "properties": {name: self.of(each.hint) for name, each in fields.items()},
            "required": [name for name, each in fields.items() if not each.is_optional],
        }

    def answer(self, shape: type) -> Schema:
        """The schema of an answer that goes well: a record, of which ``status`` says so."""
        return self._component(shape, is_answer=True)

    def body(self, fields: Mapping[str, Field], *, partial: bool) -> Schema:
        """The schema of a request's body that may have ``fields`` and no other; those without a
        default are needed, unless it is ``partial``."""
        properties = {name: self.of(each.hint) for name, each in fields.items()}
        if not partial:
            for name, each in fields.items():
                if each.default is not None:
                    properties[name] = {**properties[name], "default": each.default}
        needed = [
            name
            for name, each in fields.items()
            if not (partial or each.is_optional or each.has_default)
        ]
        return {
            "type": "object",
            "properties": properties,
            **({"required": needed} if needed else {}),
            "additionalProperties": False,
        }

    def _component(self, shape: type, *, is_answer: bool = False) -> Schema:
        name = shape.__name__
        if self._shapes.setdefault(name, (shape, is_answer)) != (shape, is_answer):
            raise TypeError(f"Two records are called {name}, or it is an answer and a part of one.")
        if name not in self.components:
            status = [{"status": Literal["success"]}] if is_answer else []
            self.components[name] = self.record(*status, shape)
            if text := one_line((shape.__doc__ or "").partition("\n\n")[0]):
                self.components[name]["description"] = text
        return {"$ref": f"{self._place}{name}"}

    def _union(self, hints: Sequence[Any]) -> Schema:
        schemas = [self.of(each) for each in hints if each is not types.NoneType]
        if len(schemas) < len(hints):
            if len(schemas) == 1 and "type" in schemas[0]:
                return _or_null(schemas[0])
            schemas.append({"type": "null"})
        if all(set(each) == {"type"} for each in schemas):
            # Every integer is a number.
            kinds = {each["type"] for each in schemas}
            kinds -= {"integer"} if "number" in kinds else set()
            return {"type": sorted(kinds) if len(kinds) > 1 else kinds.pop()}
        return {"anyOf": schemas}


def one_line(text: str) -> str:
    """``text`` of a docstring without its line breaks and marks."""
    return " ".join(text.split()).replace("``", "")


def not_null(schema: Schema) -> Schema:
    """``schema`` without null."""
    if not isinstance(schema.get("type"), list):
        return schema
    kinds = [each for each in schema["type"] if each != "null"]
    found = {**schema, "type": kinds if len(kinds) > 1 else kinds[0]}
    if "enum" in found:
        found["enum"] = [each for each in found["enum"] if each is not None]
    return found


def _described(schema: Schema, docs: Sequence[Doc]) -> Schema:
    """``schema`` with what ``docs`` say, the innermost first."""
    texts = [each.text for each in reversed(docs) if each.text]
    if schema.get("description"):
        texts.append(schema["description"])
    found = dict(schema)
    for each in docs:
        found |= each.keywords
        if each.names:
            properties = dict.fromkeys(each.names, found.pop("additionalProperties"))
            found |= {"properties": properties, "required": list(each.names)}
    return {**found, "description": " ".join(texts)} if texts else found


def _or_null(schema: Schema) -> Schema:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    nullable = {**schema, "type": [*kinds, "null"]}
    return {**nullable, "enum": [*schema["enum"], None]} if "enum" in schema else nullable
