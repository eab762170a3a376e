"""Whether an answer is what the description of the HTTP interface says of it."""

from __future__ import annotations

import re
from typing import Any

from jsonschema import Draft202012Validator
from werkzeug.test import TestResponse

from balance.api.routes import description


def schema_of(description: Any, path: str, method: str, status: str, kind: str) -> Any:
    """The schema of one answer, with what it refers to."""
    schema = description["paths"][path][method]["responses"][status]["content"][kind]["schema"]
    return {**schema, "components": description["components"]}


def undescribed(value: Any, schema: Any, description: Any, where: str = "") -> list[str]:
    """The members of ``value``, all the way down, that only it or only ``schema`` has."""
    schemas = [_resolved(schema, description)]
    for each in schemas:
        schemas += [_resolved(part, description) for part in each.get("allOf", ())]
        schemas += [
            _resolved(part, description)
            for part in each.get("anyOf", ())
            if Draft202012Validator({**description, **part}).is_valid(value)
        ]
    if isinstance(value, list):
        (items,) = (each["items"] for each in schemas if "items" in each)
        return [
            wrong
            for number, item in enumerate(value)
            for wrong in undescribed(item, items, description, f"{where}[{number}]")
        ]
    if not isinstance(value, dict):
        return []
    any_name = [each["additionalProperties"] for each in schemas if "additionalProperties" in each]
    members: dict[str, Any] = dict.fromkeys(value, any_name[0]) if any_name else {}
    for each in schemas:
        members |= each.get("properties", {})
    wrong = [f"{where}.{name}" for name in set(value) ^ set(members)]
    for name in set(value) & set(members):
        wrong += undescribed(value[name], members[name], description, f"{where}.{name}")
    return wrong


def _resolved(schema: Any, description: Any) -> Any:
    if "$ref" not in schema:
        return schema
    return description["components"]["schemas"][schema["$ref"].rpartition("/")[2]]


def check(answer: TestResponse, method: str, path: str) -> None:
    """Prove that ``answer`` to a request of ``path`` is as described, member by member."""
    described = described_path(path.partition("?")[0], method)
    status, kind = str(answer.status_code), answer.mimetype
    responses = description()["paths"][described][method.lower()]["responses"]
    assert status in responses, (method, path, answer.text)
    schema = schema_of(description(), described, method.lower(), status, kind)
    told = answer.get_json()
    Draft202012Validator(schema).validate(told)
    if answer.status_code < 400:
        assert undescribed(told, schema, description()) == []


def described_path(path: str, method: str) -> str:
    """The path of the description that ``path`` is of; one without parameters comes first."""
    found = [
        each
        for each, methods in description()["paths"].items()
        if method.lower() in methods and re.fullmatch(re.sub(r"{\w+}", "[^/]+", each), path)
    ]
    return min(found, key=lambda each: each.count("{"))
