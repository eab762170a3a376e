"""The account in the dialect."""

from __future__ import annotations

from balance.desk.desk import Desk
from balance.keys.keys import Keys


class AccountEndpoints:
    """The account: its money, positions, trades and income."""

    def __init__(self, desk: Desk, keys: Keys) -> None:
        self._desk = desk
        self._keys = keys
