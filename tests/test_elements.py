"""Plain elements: what stands in them is found, filled and sent as in any layout."""

from __future__ import annotations

import json

import pytest
from dash import html
from plotly.utils import PlotlyJSONEncoder

from layouts.elements import Elements
from layouts.live import everything, filled, live_text


def test_what_stands_in_it_is_found_and_filled_as_in_any_layout() -> None:
    whole = html.Div(Elements(html.P(live_text("balance", id="mine")), id="place"))
    filled(whole, {"display": {"balance": "$12.30"}})
    (figure,) = (each for each in everything(whole) if getattr(each, "id", None) == "mine")
    assert figure.children == "$12.30"


def test_the_page_gets_all_of_it_in_one_component() -> None:
    found = json.loads(json.dumps(Elements("a", html.B("b"), id="x"), cls=PlotlyJSONEncoder))
    bold = {"namespace": "dash_html_components", "type": "B", "props": {"children": "b"}}
    props = {"id": "x", "content": ["a", bold]}
    assert found == {"namespace": "desk", "type": "Elements", "props": props}


def test_it_takes_what_a_div_takes_and_nothing_else() -> None:
    shown = Elements(id="x", className="scroller", role="region", tabIndex=0, **{"aria-label": "X"})
    assert getattr(shown, "aria-label") == "X"
    with pytest.raises(TypeError, match="n_clicks"):
        Elements(id="x", n_clicks=0)
