"""Those who hear of every change of something."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Listeners(Generic[T]):
    """Functions that are called with each piece of news; the failure of one is logged, and keeps
    no other from hearing."""

    def __init__(self, subject: str) -> None:
        """``subject`` is what the news is about, for the log."""
        self._subject = subject
        self._listeners: list[Callable[[T], None]] = []

    def add(self, listener: Callable[[T], None]) -> None:
        """Have ``listener`` called from now on."""
        self._listeners.append(listener)

    def publish(self, news: T) -> None:
        """Call all of them with ``news``."""
        for listener in self._listeners:
            try:
                listener(news)
            except Exception:
                _log.exception("a listener of the %s failed", self._subject)
