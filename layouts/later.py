"""What takes long to draw is brought into the page when its tab is first looked at."""

from dash import dcc, html
from dash.development.base_component import Component

LATER = "-later"


def later(id: str, component: Component, className: str = "") -> html.Div:
    """A place with the ``id``, which begins with its tab's, that ``component`` comes to when the
    tab is first looked at; the other tabs need not wait for its scripts."""
    return html.Div(
        [
            html.Div(id=id, className=className),
            dcc.Store(id=f"{id}{LATER}", data=component.to_plotly_json()),
        ],
        className=className,
    )
