"""Plain elements: parts of the page that no callback has as its Input, State or Output.

Each component of Dash costs time at every change of anything in the page, and again when it comes
into it. ``Elements`` is one component, whatever it shows: its ``content``, made of ``dash.html`` as
any layout is, is drawn as elements of which Dash knows nothing. Where a callback draws it anew, the
elements that stay the same stay, with the focus, with what is open and how far it is scrolled; a
row stays the same row by its ``key``.
"""

from __future__ import annotations

from typing import Any, Final

from dash.development.base_component import Component

#: The property that a callback draws anew: ``Output("mine-rows", CONTENT)``.
CONTENT: Final = "content"


class Elements(Component):
    """The ``content`` within a ``div`` that has the ``id`` and ``more``, such as ``className``;
    without an id, the content alone. Ids in it are texts, for the page's own scripts and styles;
    its live figures and its buttons with ``pressing`` work."""

    _namespace = "desk"
    _type = "Elements"

    def __init__(self, *content: Component | str, **more: Any) -> None:
        self._prop_names = ["id", CONTENT, "className", "role", "tabIndex"]
        self._valid_wildcard_attributes = ["data-", "aria-"]
        self.available_properties = self._prop_names
        self.available_wildcard_properties = self._valid_wildcard_attributes
        super().__init__(content=list(content), **more)
