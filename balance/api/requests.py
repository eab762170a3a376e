"""What a request says: its body, its headers and its file, checked and typed."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from flask import Request

from balance.api.encoding import decoded
from balance.api.problems import Problem
from balance.api.schema import Schema, Schemas
from balance.core.errors import InvalidRequest
from balance.core.order_request import LONGEST_KEY
from balance.core.shape import Shape
from balance.core.ticket import MEMBERS
from balance.desk.desk import Action, Desk
from balance.desk.transactions import Conditions

#: No body may be larger, in bytes.
LARGEST_BODY: Final = 64 * 1024

_NUMBERS: Final = frozenset({"number", "integer"})
_TAG: Final = re.compile(r'\s*(W/)?("[^"]*"|[\w.-]+)\s*(?:,|$)', re.ASCII)
_REVISION: Final = re.compile(r'"?(\d{1,15})(?:-[^"]*)?"?', re.ASCII)


class Body:
    """A body in JSON that has the fields of ``shapes`` and no other; none of them is needed where
    it is ``partial``, and no body at all where it is ``optional``. ``keywords`` of JSON Schema say
    what the fields by themselves do not."""

    problems: Sequence[int] = (413, 415, 422)
    described: Sequence[Mapping[str, Any]] = ()

    def __init__(
        self,
        *shapes: Shape,
        partial: bool = False,
        optional: bool = False,
        also: Sequence[str] = (),
        **keywords: Any,
    ) -> None:
        self.is_optional = optional
        self._media_types = ("application/json", *also)
        self._shapes = shapes
        self._partial = partial
        self._keywords = keywords

    def content(self, schemas: Schemas) -> Schema:
        """It as OpenAPI describes it, by its media types; nothing where it may have nothing."""
        schema = self._schema(schemas)
        return {each: {"schema": schema} for each in self._media_types if schema["properties"]}

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
            _check(name, value, self._properties[name])
        return body

    def _schema(self, schemas: Schemas) -> Schema:
        return {**schemas.body(self._shapes, partial=self._partial), **self._keywords}

    @functools.cached_property
    def _properties(self) -> Schema:
        found: Schema = self._schema(Schemas())["properties"]
        return found


class Parameters:
    """Headers or parameters of the query that are described as ``described`` and read together by
    ``read``, which is given the request and the resource."""

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


def _check(name: str, value: object, schema: Schema) -> None:
    """Refuse a text or null where ``schema`` has a number, as a shell or a form would send it; what
    else is wrong, the account itself refuses."""
    named = schema.get("type", [])
    kinds = {named} if isinstance(named, str) else set(named)
    if isinstance(value, dict):
        for each, inner in value.items():
            _check(each, inner, schema.get("additionalProperties") or {})
    elif isinstance(value, str) and kinds & {"number", "integer"} and "string" not in kinds:
        raise InvalidRequest(f"{name} must be a number such as 250 or 12.30, without quotes.")
    elif value is None and kinds and "null" not in kinds:
        raise InvalidRequest(f"{name} must not be null.")


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
    "schema": {"type": "string"},
}

#: The ``Idempotency-Key`` of a request.
Key = Annotated[str | None, Parameters(_key, (422,), _KEY_HEADER)]
#: The conditions of a change of the account, and who makes it; of a resource that has a ``desk``.
Conditional = Annotated[
    Conditions, Parameters(_conditions, (409, 412, 422), _IF_MATCH, _KEY_HEADER)
]
#: Reads a body that has nothing in it, if there is one at all.
NOTHING: Final = Body(optional=True)


#: The members that ``POST /virtual_balance`` takes one of, and what each asks for.
ACTIONS: Final[dict[str, Action]] = {
    "balance": "set_balance",
    "adjust": "adjust",
    "deposit": "deposit",
    "withdraw": "withdraw",
}
_ETAG: Final = re.compile(r'(W/)?"?(\d{1,15})(-[^"]*)?"?', re.ASCII)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A change that a request asks for."""

    action: Action
    amount: object
    note: str


def change_wanted(request: Request) -> Wanted:
    """What the body of ``POST /virtual_balance`` asks for: exactly one of ``ACTIONS``.

    Raises:
        Problem: not JSON, or too large.
        InvalidRequest: JSON that asks for nothing, for two things, or for something else.
    """
    body = body_of(request, ("note", *ACTIONS))
    named = [name for name in ACTIONS if name in body]
    if len(named) != 1:
        raise InvalidRequest(
            f"The body must have exactly one of {', '.join(ACTIONS)}, and may have a note."
        )
    return Wanted(ACTIONS[named[0]], _not_null(body[named[0]], named[0]), body.get("note", ""))


def reset_wanted(request: Request) -> Wanted:
    """What the body of ``POST /virtual_balance/reset`` asks for; it may be empty.

    Raises:
        Problem: not JSON, or too large.
        InvalidRequest: JSON that asks for something else.
    """
    body = body_of(request, ("note", "balance")) if bytes_of(request) else {}
    balance = _not_null(body["balance"], "balance") if "balance" in body else None
    return Wanted("reset", balance, body.get("note", ""))


def undo_wanted(request: Request) -> Wanted:
    """What the body of ``POST /virtual_balance/reset/undo`` asks for; it may be empty.

    Raises:
        Problem: not JSON, or too large.
        InvalidRequest: JSON that asks for something else.
    """
    body = body_of(request, ("note",)) if bytes_of(request) else {}
    return Wanted("undo_reset", None, body.get("note", ""))


def order_wanted(request: Request) -> dict[str, Any]:
    """The members of the order that the body of ``POST /orders`` asks for.

    Raises:
        Problem: not JSON, or too large.
        InvalidRequest: JSON that asks for something else.
    """
    body = body_of(request, MEMBERS)
    for name, value in body.items():
        if name not in ("symbol", "side", "type", "reduce_only"):
            _not_null(value, name)
        elif value is None:
            raise InvalidRequest(f"{name} must not be null; leave it out instead.")
    return body


def size_wanted(request: Request) -> dict[str, Any]:
    """How much the body of a close asks for, ``quantity`` or ``percent``; it may be empty.

    Raises:
        Problem: not JSON, or too large.
        InvalidRequest: JSON that asks for something else.
    """
    body = body_of(request, ("quantity", "percent")) if bytes_of(request) else {}
    return {name: _not_null(value, name) for name, value in body.items()}


def conditions(request: Request) -> Conditions:
    """``If-Match`` and ``Idempotency-Key`` of ``request``, and who asks.

    Raises:
        Problem: ``If-Match`` is neither ``*`` nor one revision or ETag.
    """
    # browsers say where a request comes from; programs do not
    source = "screen" if "Sec-Fetch-Site" in request.headers else "http"
    return Conditions(
        if_match=_if_match(request.headers.get("If-Match")),
        idempotency_key=key_of(request),
        source=source,
    )


def whole_number(request: Request, name: str) -> int | None:
    """The query parameter ``name`` as a whole number; None where it is not given.

    Raises:
        InvalidRequest: it is something else.
    """
    text = request.args.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise InvalidRequest(f"{name} must be a whole number, not {text[:40]!r}.")
    return int(text)


def true_or_false(request: Request, name: str) -> bool:
    """The query parameter ``name``, ``true`` or ``false``; false where it is not given.

    Raises:
        InvalidRequest: it is something else.
    """
    text = request.args.get(name, "false")
    if text not in ("true", "false"):
        raise InvalidRequest(f"{name} must be true or false, not {text[:40]!r}.")
    return text == "true"


def key_of(request: Request) -> str | None:
    """The ``Idempotency-Key`` of ``request``; None where it has none."""
    return request.headers.get("Idempotency-Key")


def _if_match(header: str | None) -> int | None:
    if header is None or header.strip() == "*":
        return None
    match = _ETAG.fullmatch(header.strip())
    if match is None:
        raise Problem(400, 'If-Match must be one revision, such as "42", or *.')
    # a weak tag never matches strongly (RFC 9110, 13.1.1); no revision is 0
    return 0 if match[1] else int(match[2])


def body_of(request: Request, members: Sequence[str]) -> dict[str, Any]:
    """The JSON object in the body of ``request``, which has nothing but ``members``.

    Raises:
        Problem: not JSON, or too large.
        InvalidRequest: JSON that is no object, or has another member.
    """
    return with_only(json_object(request), members)


def with_only(body: dict[str, Any], members: Sequence[str]) -> dict[str, Any]:
    """``body``, where it has nothing but ``members``.

    Raises:
        InvalidRequest: it has another one.
    """
    unknown = sorted(set(body) - set(members))
    if unknown:
        known = ", ".join(members) or "nothing"
        raise InvalidRequest(f"The body may have {known}, but not {unknown[0][:40]!r}.")
    return body


def _not_null(value: object, name: str) -> object:
    if value is None or isinstance(value, str):
        raise InvalidRequest(f"{name} must be a number such as 250 or 12.30.")
    return value
