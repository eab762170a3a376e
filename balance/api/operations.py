"""Operations: what stands at a route is its path, its parameters, its answer and its description.

A resource is a class whose operations are methods with a route. What an operation takes and
answers are the annotations of its method, and what it does is the docstring::

    class AlertRoutes:
        \"""Alerts: what is watched, and what has fired.\"""

        tag = "alerts"

        def __init__(self, alerts: Alerts) -> None:
            self._alerts = alerts

        @get("/alerts", 422, 503)
        def list_alerts(self, limit: Limit = 50) -> Answer[AlertList]:
            \"""All alerts as they stand, and the newest firings.\"""
            return Answer(self._alerts.listed(limit))

        @put("/alerts/<alert_id>", 404, 503)
        def change_alert(self, alert_id: AlertId, body: ChangedAlert, key: Key) -> Answer[Alert]:
            ...

A parameter that the path names is taken from there; one whose type has a :class:`Source`, such as
the body and the headers of ``balance.api.requests``, from that; any other from the query. An
:class:`Answer` has a record (a ``TypedDict``, see ``balance.core.shape``), to which ``"status":
"success"`` is added; a Flask response is sent as it is. The numbers behind the path are statuses of
problems that don't follow from the parameters.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import (
    Annotated,
    Any,
    Final,
    Generic,
    Literal,
    Protocol,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

from flask import Blueprint, Request, Response, request

from balance.api.encoding import encoded, success
from balance.api.requests import NOTHING
from balance.api.schema import Schema, Schemas
from balance.core.errors import InvalidRequest
from balance.store.kept_file import Done

T = TypeVar("T")
View = Callable[..., Any]
_Reader = Callable[[Request, Any], Any]

_IN_PATH: Final = re.compile(r"<(?:\w+:)?(\w+)>")


class Source(Protocol):
    """What a parameter of an operation is read from, in the annotation of its type."""

    #: The statuses of the problems that there may be with it.
    problems: Sequence[int]
    #: The headers or parameters of the query that it is, as OpenAPI describes them.
    described: Sequence[Mapping[str, Any]]

    #: Whether it is the body, and whether that may be left out.
    is_body: bool
    is_optional: bool

    def content(self, schemas: Schemas) -> Schema:
        """The body as OpenAPI describes it, by media types; empty where it is none."""

    def read(self, request: Request, resource: Any) -> Any:
        """The parameter as ``request`` to ``resource`` has it."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """An answer that goes well: a record of the shape ``T``, with headers."""

    value: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self, status: int = 200) -> Response:
        """It as JSON with ``status``, which nobody may store."""
        body = encoded(success(self.value)) + "\n"
        response = Response(body, status, mimetype="application/json")
        response.headers["Cache-Control"] = "no-store"
        for name, value in self.headers.items():
            response.headers[name] = value
        return response


def done(change: Done) -> Answer[Any]:
    """The answer to ``change``."""
    headers = {"Idempotency-Replayed": "true"} if change.replayed else {}
    return Answer({"message": change.message, **change.members}, headers)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation."""

    name: str
    hint: Any
    # Where it is read from; None: the query, or the path.
    source: Source | None
    is_in_path: bool
    default: Any

    @property
    def problems(self) -> Sequence[int]:
        """The statuses of the problems that there may be with it."""
        if self.source is not None:
            return self.source.problems
        if self.is_in_path:
            return (404,)
        return () if _kind(self.hint) is str else (422,)

    @property
    def reader(self) -> _Reader:
        """What reads it from a request."""
        if self.source is not None:
            return self.source.read
        return functools.partial(
            _read_query, name=self.name, kind=_kind(self.hint), usual=self.default
        )


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one path."""

    method: str
    # As Flask writes it: ``"/alerts/<alert_id>"``.
    rule: str
    view: View
    # Statuses of problems that don't follow from the parameters.
    problems: tuple[int, ...] = ()
    # What a status means here, where that differs; 304 has no body.
    texts: Mapping[int, str] = field(default_factory=dict)
    # The status of an answer that goes well, and the media types that it may have beside JSON.
    status: int = 200
    types: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """What clients call it."""
        return self.view.__name__

    @property
    def path(self) -> str:
        """As OpenAPI writes it: ``"/alerts/{alert_id}"``."""
        return _IN_PATH.sub(r"{\1}", self.rule)

    @property
    def answer(self) -> Any:
        """The shape of what it answers; None: no JSON."""
        hint = get_type_hints(self.view, include_extras=True)["return"]
        answers = [each for each in (hint, *get_args(hint)) if get_origin(each) is Answer]
        return get_args(answers[0])[0] if answers else None

    @functools.cached_property
    def parameters(self) -> list[Parameter]:
        """What it takes, in the order of its method."""
        hints = get_type_hints(self.view, include_extras=True)
        in_path = _IN_PATH.findall(self.rule)
        return [
            Parameter(
                name=name,
                hint=hints[name],
                source=_source(hints[name]),
                is_in_path=name in in_path,
                default=None if each.default is inspect.Parameter.empty else each.default,
            )
            for name, each in inspect.signature(self.view).parameters.items()
            if name != "self"
        ]

    @functools.cached_property
    def takes_nothing(self) -> bool:
        """Whether it is a POST without a body, so that an empty one is all that it may have."""
        sources = [each.source for each in self.parameters]
        return self.method == "POST" and not any(each and each.is_body for each in sources)

    def bound(self, resource: object) -> Callable[..., Response]:
        """The view of Flask that reads the parameters, calls it on ``resource`` and answers."""
        view, status, takes_nothing = self.view, self.status, self.takes_nothing
        readers = [(each.name, each.reader) for each in self.parameters if not each.is_in_path]

        def respond(**arguments: Any) -> Response:
            if takes_nothing:
                NOTHING.read(request)
            for name, read in readers:
                arguments[name] = read(request, resource)
            found = view(resource, **arguments)
            return found.response(status) if isinstance(found, Answer) else found

        return respond


def route(
    method: Literal["GET", "POST", "PUT", "DELETE"], rule: str, *problems: int, **more: Any
) -> Callable[[View], Operation]:
    """Make a method of a resource the operation ``method`` of ``rule``; ``more`` are fields of
    :class:`Operation`."""
    return lambda view: Operation(method=method, rule=rule, view=view, problems=problems, **more)


get = functools.partial(route, "GET")
post = functools.partial(route, "POST")
put = functools.partial(route, "PUT")
delete = functools.partial(route, "DELETE")


def operations_of(resource: type) -> list[Operation]:
    """The operations of the class ``resource``, in their order."""
    return [each for each in vars(resource).values() if isinstance(each, Operation)]


def add_routes(api: Blueprint, *resources: object) -> None:
    """Let ``api`` serve all operations of ``resources``."""
    methods: dict[str, list[str]] = {}
    endpoints: dict[str, str] = {}
    for resource in resources:
        for each in operations_of(type(resource)):
            methods.setdefault(each.rule, ["OPTIONS"]).append(each.method)
            endpoints.setdefault(each.rule, f"{each.id}_options")
            view = each.bound(resource)
            api.add_url_rule(
                each.rule, each.id, view, methods=[each.method], provide_automatic_options=False
            )
    for rule, known in methods.items():
        view = functools.partial(_options, known + ["HEAD"] * ("GET" in known))
        api.add_url_rule(rule, endpoints[rule], view, methods=["OPTIONS"])


def _options(methods: Sequence[str], **_in_path: str) -> Response:
    # Flask itself would name the methods of all rules that fit, as of the page that fits any path.
    return Response(headers={"Allow": ", ".join(methods)})


def _source(hint: Any) -> Source | None:
    sources = [each for each in getattr(hint, "__metadata__", ()) if hasattr(each, "read")]
    return sources[0] if sources else None


def _kind(hint: Any) -> type:
    """What the text of the query is read as: a whole number, true or false, or a text."""
    if get_origin(hint) is Annotated:
        return _kind(hint.__origin__)
    kinds = [each for each in (int, bool) if hint is each or each in get_args(hint)]
    return kinds[0] if kinds else str


def _read_query(request: Request, _: object, *, name: str, kind: type, usual: Any) -> Any:
    texts = request.args.getlist(name)
    if len(texts) > 1:
        raise InvalidRequest(f"{name} may be named only once.")
    text = texts[0] if texts else None
    if text is None or kind is str:
        return usual if text is None else text
    if kind is bool:
        if text not in ("true", "false"):
            raise InvalidRequest(f"{name} must be true or false, not {text[:40]!r}.")
        return text == "true"
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise InvalidRequest(f"{name} must be a whole number, not {text[:40]!r}.")
    return int(text)
