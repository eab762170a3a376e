"""Links into History: to a list with its filters, or to what opens over the list that is shown."""

from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from dash import html

_OVER = ("entry", "order")


class Lists(NamedTuple):
    """Where History is, and the list that it shows: the path and the query of its address."""

    path: str
    query: str = ""

    def address(self, **members: object) -> str:
        """The address of the list of the ledger with filters, or of what opens over it."""
        # as a person would write it
        return f"{self.path}?{urlencode(members, safe=',:/')}"

    def link(self, text: str, **filters: object) -> html.A:
        """A link to the list of the ledger, or of another ``table``, with ``filters``."""
        return html.A(text, href=self.address(**filters))

    def over(self, text: str, **one: str) -> html.A:
        """A link to an ``entry`` by its place, or to an ``order`` by its id, open over the list
        that is shown."""
        shown = {name: value for name, value in parse_qsl(self.query) if name not in _OVER}
        return html.A(text, href=self.address(**shown, **one))
