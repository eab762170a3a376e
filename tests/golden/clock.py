"""A clock that stands still, for every module of the product."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
from typing import Any

import pytest

_PACKAGES = ("balance", "app", "layouts", "callbacks")


class _OfAnyDatetime(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


class Clock:
    """A wall clock that shows ``time`` until it is set otherwise."""

    def __init__(self, time: datetime) -> None:
        self.time = time

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Have ``datetime.now`` tell this clock's time in all modules of the product that are
        imported by now; timeouts and pauses go on by the monotonic clock."""
        clock = self

        class Stopped(datetime, metaclass=_OfAnyDatetime):
            def __new__(cls, *parts: Any, **named: Any) -> Any:
                return datetime(*parts, **named)  # noqa: DTZ001 - as the caller has it

            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Any:
                return clock.time.astimezone(tz)

            @classmethod
            def __get_pydantic_core_schema__(cls, _source: Any, handler: Any) -> Any:
                return handler(datetime)

        with pytest.MonkeyPatch.context() as patch:
            for name, module in list(sys.modules.items()):
                is_ours = name.partition(".")[0] in _PACKAGES
                if is_ours and getattr(module, "datetime", None) is datetime:
                    patch.setattr(module, "datetime", Stopped)
            yield
