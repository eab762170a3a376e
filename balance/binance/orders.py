"""The orders in the dialect."""

from __future__ import annotations

from balance.desk.desk import Desk
from balance.keys.keys import Keys


class OrderEndpoints:
    """Orders: place, look up, amend and cancel them."""

    def __init__(self, desk: Desk, keys: Keys) -> None:
        self._desk = desk
        self._keys = keys
