"""Endpoints: what stands at a method of a resource is who may call it, and where.

A resource is a class; each endpoint takes the :class:`~balance.binance.call.Call` and returns its
answer, or raises a ``Refusal`` or an error of the account::

    class MarketData:

        @public("GET", "/fapi/v1/time")
        def read_time(self, call: Call) -> Json:
            \"""The time of this machine.\"""
            return {"serverTime": milliseconds(self._clock())}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from balance.binance.call import Call

#: An answer: objects and lists of text, whole numbers, true, false and null. Money is text; a
#: Decimal is written as a number, where clients know one. No float ever.
Json = Mapping[str, Any] | Sequence[Any]
Method = Literal["GET", "POST", "PUT", "DELETE"]
#: Who may call: anyone; who names a key; who signs with its secret.
Security = Literal["public", "keyed", "signed"]
View = Callable[[Any, Call], Json]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of some paths, which are served alike."""

    security: Security
    method: Method
    paths: tuple[str, ...]
    view: View


def endpoint(security: Security, method: Method, *paths: str) -> Callable[[View], Endpoint]:
    """Make a method of a resource the endpoint ``method`` of ``paths``."""
    return lambda view: Endpoint(security, method, paths, view)


public = partial(endpoint, "public")
keyed = partial(endpoint, "keyed")
signed = partial(endpoint, "signed")


def endpoints_of(resource: type) -> list[Endpoint]:
    """The endpoints of the class ``resource``, in their order."""
    return [each for each in vars(resource).values() if isinstance(each, Endpoint)]
