"""What takes long to draw is brought into the page when its tab is first shown."""

import re
from collections.abc import Collection

from dash import dcc, html
from dash.development.base_component import Component

from layouts.live import everything, ids_ending
from layouts.reading import awaited

LATER = "-later"
# as Dash writes the script of a library of components into the page
_SCRIPT = re.compile(r'<script (src="([^"]*/_dash-component-suites/(\w+)/)[^"]*">)</script>')
# By their libraries: scripts that React fetches when it first draws a component, once. One that did
# not come then never would, and what stands around the component would go with it.
_PARTS = {"dash_ag_grid": "async-community.js"}


def later(id: str, component: Component, *, module: str = "") -> html.Div:
    """A place with the ``id``, which begins with its tab's, that ``component`` comes to when the
    tab is first shown; the other tabs need not wait for its scripts. ``module`` is the path below
    the assets of the script that must be there before, such as that of its cells."""
    component_later = component.to_plotly_json() | {"module": module}
    return html.Div([*awaited(id), dcc.Store(id=f"{id}{LATER}", data=component_later)])


def late_libraries(layout: Component, tab: str) -> frozenset[str]:
    """The libraries, by their namespaces, that only what comes later in ``layout`` is made of, but
    for the tab with the id ``tab``, which begins with its own."""
    found = _stores(layout)
    own = {each.data["namespace"] for each in found if each.id.startswith(f"{tab}-")}
    late = {each.data["namespace"] for each in found}
    return frozenset(late - own - {each._namespace for each in everything(layout)})


def postponed(scripts: str, libraries: Collection[str]) -> str:
    """The ``scripts`` of a page, in HTML, with those of ``libraries`` only named, as is what React
    would fetch of them: the page runs them when they are needed, or when it has nothing else to
    do."""

    def name(found: re.Match[str]) -> str:
        script, folder, library = found.groups()
        whole = f'<script type="text/later" {script}</script>' if library in libraries else found[0]
        part = _PARTS.get(library)
        return whole + (f'<script type="text/later" src="{folder}{part}"></script>' if part else "")

    return _SCRIPT.sub(name, scripts)


def _stores(layout: Component) -> list[dcc.Store]:
    ids = ids_ending(layout, LATER)
    return [each for each in everything(layout) if getattr(each, "id", None) in ids]
