"""A key: the name under which a program of somebody else trades, and what it shows for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from balance.core.errors import InvalidRequest
from balance.core.request import quoted
from balance.core.shape import Name

#: What a name belongs to: a key of the exchange's dialect, or an agent, which needs none.
Kind = Literal["key", "agent"]
#: What a name may be.
NAME: Final = "^[a-z][a-z0-9_-]{0,23}$"
#: How long a key and a secret are, in hexadecimal digits.
LENGTH: Final = 64

# Filters call the person so, and bots are called by what ends in a number.
_PERSON: Final = "you"
_OF_A_BOT: Final = re.compile(r".*-\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key, or an agent."""

    # The owner of what it trades.
    name: Name
    kind: Kind
    # What its requests show, and what they are signed with; both empty of an agent. Neither is for
    # a log, which may have a key as text.
    key: str = field(repr=False)
    secret: str = field(repr=False)
    # Whether it may open nothing; it still reads, cancels and closes.
    is_paused: bool = False
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Activity:
    """One request that was made with a key, or by an agent."""

    time: datetime
    # Such as GET and /fapi/v1/order, or the name of a tool.
    method: str
    path: str
    # The program that made it, as it calls itself; empty where it does not.
    client: str = ""

    @property
    def what(self) -> str:
        """What was requested: ``"GET /fapi/v1/order"``."""
        return f"{self.method} {self.path}".strip()


@dataclass(frozen=True, slots=True)
class RefusedRequest:
    """One request that was refused, and why."""

    time: datetime
    what: str
    reason: str


def check_name(name: object) -> str:
    """``name``, which may be that of a key.

    Raises:
        InvalidRequest: it may not.
    """
    if not isinstance(name, str) or not re.fullmatch(NAME[1:-1], name):
        raise InvalidRequest(
            "The name of a key must be 1 to 24 of the letters a-z, digits, - and _, with a letter "
            f"first, not {quoted(name)}."
        )
    if name == _PERSON:
        raise InvalidRequest(f"{name} is the person in all lists. Name the key otherwise.")
    if _OF_A_BOT.fullmatch(name):
        raise InvalidRequest(
            f"{name} could be the id of a bot, which ends with a hyphen and a number. Name the key "
            "otherwise."
        )
    return name
