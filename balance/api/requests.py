"""What a request says: its body, its headers and its file, checked and typed."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final

from flask import Request
from werkzeug.test import EnvironBuilder

from balance.api.encoding import decoded, quoted_number, shown
from balance.api.problems import Problem
from balance.api.schema import Schema, Schemas, not_null
from balance.core.errors import InvalidRequest
from balance.core.request import LONGEST_KEY
from balance.core.shape import Shape, fields_of
from balance.desk.desk import Desk
from balance.desk.transactions import Conditions

#: No body may be larger, in bytes.
LARGEST_BODY: Final = 64 * 1024

_TAG: Final = re.compile(r'\s*(W/)?("[^"]*"|\d{1,15}(?:-[^",\s]*)?)\s*(?:,|$)', re.ASCII)
_ETAG: Final = '(W/)?"[^"]*"'
_REVISION: Final = re.compile(r'"?(\d{1,15})(?:-[^"]*)?"?', re.ASCII)


class Body:
    """A body in JSON that has the fields of ``shapes`` and no other; none of them is needed where
    it is ``partial``, and no body at all where it is ``optional``. With ``only`` it has these
    fields, and none of them may be null. ``keywords`` of JSON Schema say what the fields by
    themselves do not."""

    problems: Sequence[int] = (413, 415, 422)
    described: Sequence[Mapping[str, Any]] = ()
    is_body = True

    def __init__(
        self,
        *shapes: Shape,
        partial: bool = False,
        optional: bool = False,
        only: Sequence[str] = (),
        also: Sequence[str] = (),
        **keywords: Any,
    ) -> None:
        self.is_optional = optional
        self._media_types = ("application/json", *also)
        self._shapes = shapes
        self._partial = partial
        self._only = only
        self._keywords = keywords

    def content(self, schemas: Schemas) -> Schema:
        """It as OpenAPI describes it, by its media types."""
        schema = self.schema(schemas)
        return {each: {"schema": schema} for each in self._media_types}

    def read(self, request: Request, _: object = None) -> dict[str, Any]:
        """The members that the body of ``request`` has.

        Raises:
            Problem: not JSON, or too large.
            InvalidRequest: JSON that is no object, or has another member, or a text or nothing for
                a number.
        """
        if self.is_optional and not bytes_of(request):
            return {}
        body = json_object(request, self._media_types)
        unknown = sorted(set(body) - set(self._properties))
        if unknown:
            known = ", ".join(self._properties) or "nothing"
            raise InvalidRequest(f"The body may have {known}, but not {unknown[0][:40]!r}.")
        for name, value in body.items():
            body[name] = _read(name, value, self._properties[name])
            if self._only and value is None:
                raise InvalidRequest(f"{name} must be a value, not null; leave it out instead.")
        return body

    def schema(self, schemas: Schemas) -> Schema:
        """The schema of its object, whose records are among ``schemas``."""
        fields = {name: each for shape in self._shapes for name, each in fields_of(shape).items()}
        if not self._only:
            return {**schemas.body(fields, partial=self._partial), **self._keywords}
        body = schemas.body({name: fields[name] for name in self._only}, partial=self._partial)
        properties = {name: not_null(each) for name, each in body["properties"].items()}
        return {**body, "properties": properties, **self._keywords}

    @functools.cached_property
    def _properties(self) -> Schema:
        found: Schema = self.schema(Schemas())["properties"]
        return found


class Parameters:
    """Headers or parameters of the query that are described as ``described`` and read together by
    ``read``, which is given the request and the resource."""

    is_body = False
    is_optional = True

    def __init__(
        self,
        read: Callable[[Request, Any], Any],
        problems: Sequence[int],
        *described: Mapping[str, Any],
    ) -> None:
        self.read = read
        self.problems = problems
        self.described = described

    def content(self, _: Schemas) -> Schema:
        """Parameters are no body."""
        return {}


def request_with(path: str, body: str | None) -> Request:
    """The request of ``path``, which may have a query, with ``body`` as JSON, if there is one: for
    parameters that come another way than over HTTP."""
    kind = None if body is None else "application/json"
    return Request(EnvironBuilder(path, data=body, content_type=kind).get_environ())


def json_object(
    request: Request, media_types: Sequence[str] = ("application/json",)
) -> dict[str, Any]:
    """The JSON object in the body of ``request``, which must be declared as JSON, or as one of
    ``media_types``.

    Raises:
        Problem: not JSON, or too large.
        InvalidRequest: JSON that is no object.
    """
    text, kind = bytes_of(request), request.mimetype
    if kind not in media_types and not kind.endswith("+json"):
        raise Problem(415, "The body must be JSON: send Content-Type: application/json.")
    try:
        body = decoded(text)
    except ValueError as fault:
        raise Problem(400, str(fault)) from fault
    if not isinstance(body, dict):
        raise InvalidRequest('The body must be an object such as {"deposit": 250}.')
    return body


def bytes_of(request: Request, most: int = LARGEST_BODY) -> bytes:
    """The body of ``request``, of at most ``most`` bytes; more is answered with 413."""
    request.max_content_length = most
    return request.get_data()


def _read(name: str, value: Any, schema: Schema) -> Any:
    """``value``, which the member ``name`` has, with its numbers as numbers where ``schema`` has
    such and they are sent in quotes; what else is wrong, the account itself refuses.

    Raises:
        InvalidRequest: a text that is no number, or null, where the schema has a number.
    """
    named = schema.get("type", [])
    kinds = {named} if isinstance(named, str) else set(named)
    is_null = value is None and "null" not in kinds
    is_text = isinstance(value, str) and "string" not in kinds
    if kinds & {"number", "integer"} and (is_null or is_text):
        found = quoted_number(value) if is_text else None
        if found is None:
            raise InvalidRequest(
                f"{name} must be a number such as 250 or 12.30, not {shown(value)}."
            )
        return found
    if isinstance(value, dict):
        properties, others = schema.get("properties", {}), schema.get("additionalProperties")
        return {
            each: _read(each, inner, properties.get(each) or others or {})
            for each, inner in value.items()
        }
    if isinstance(value, list):
        return [_read(name, inner, schema.get("items", {})) for inner in value]
    return value


def _key(request: Request, _: object = None) -> str | None:
    return request.headers.get("Idempotency-Key")


def _conditions(request: Request, resource: Any) -> Conditions:
    # Browsers say where a request comes from; programs do not.
    source = "screen" if "Sec-Fetch-Site" in request.headers else "http"
    return Conditions(
        if_match=_revision(request.headers.get("If-Match"), resource.desk),
        idempotency_key=_key(request),
        source=source,
    )


def _revision(header: str | None, desk: Desk) -> int | None:
    """The revision that ``header``, an If-Match (RFC 9110, 13.1.1), lets the account be at; None
    for any. Weak tags and those of no revision match none, which is 0."""
    if header is None or header.strip() == "*":
        return None
    tags = list(_TAG.finditer(header))
    if not tags or "".join(each[0] for each in tags) != header:
        raise Problem(400, 'If-Match must be revisions or ETags, such as "42", or *.')
    matches = [_REVISION.fullmatch(each[2]) for each in tags if not each[1]]
    revisions = {int(each[1]) for each in matches if each}
    if len(revisions) > 1:
        _, current = desk.version
        return current if current in revisions else max(revisions)
    return revisions.pop() if revisions else 0


_KEY_HEADER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A repeated key gets the first answer and changes nothing.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
}
_IF_MATCH: Final = {
    "name": "If-Match",
    "in": "header",
    "description": "Refuse unless the account is at this revision: a number, ETags, or *.",
    "schema": {"type": "string", "pattern": rf"^(\*|[0-9]{{1,15}}|{_ETAG}(, *{_ETAG})*)$"},
}

#: The ``Idempotency-Key`` of a request.
Key = Annotated[str | None, Parameters(_key, (422,), _KEY_HEADER)]
#: The conditions of a change of the account, and who makes it; of a resource that has a ``desk``.
Conditional = Annotated[
    Conditions, Parameters(_conditions, (409, 412, 422), _IF_MATCH, _KEY_HEADER)
]
#: Reads a body that has nothing in it, if there is one at all.
NOTHING: Final = Body(optional=True)
