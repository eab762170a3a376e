"""The bell, and the dialog behind it: the alerts, the form of one, and what has fired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from balance.alerts.readings import FIGURES
from balance.alerts.rules import LONGEST_NOTE, LONGEST_URL
from balance.alerts.settings import origin
from balance.core.instruments import label
from layouts.dialogs import dialog
from layouts.elements import Elements
from layouts.live import live_figure, live_price, live_text
from layouts.parts import (
    button,
    empty_state,
    field,
    icon_button,
    moment,
    number_entry,
    pressing,
    row_button,
    select,
    unit_field,
)
from layouts.tab import Place

#: The members of the form, each in a field with the id ``alerts-…``; ``every`` is ``once`` the
#: other way round.
FIELDS: Final = (
    *("what", "symbol", "direction", "threshold"),
    *("every", "toast", "notify", "comment", "url"),
)
#: The classes of what is said of what a button did.
SAID: Final = "alerts-said m-0"
_DIRECTIONS: Final = {"above": "rises to", "below": "falls to"}
_FLAGS: Final = {
    "every": "Every time, not only once",
    "toast": "Show a toast",
    "notify": "Sound and notify",
}
_RULE: Final = (
    "It fires when the figure comes to this from the other side. Where it is there already, it "
    "waits until it has been back."
)
_URL_HINT: Final = "The web address of a program that takes each firing as JSON, here or elsewhere."
_EMPTY: Final = (
    "An alert tells you when a price, your P&L or your equity comes to a threshold, also while no "
    "page is open if it is posted to an address. Begin with a price that you wait for."
)
# What the buttons of a row do: the icon of each, and its label.
_VERBS: Final = {
    "arm": ("arrow-repeat", "Arm again"),
    "off": ("bell-slash", "Switch off"),
    "edit": ("pencil", "Edit"),
    "test": ("send", "Test"),
    "delete": ("trash", "Delete"),
}

#: The stores of what was pressed: what is done to an alert, and which is edited.
PRESSED: Final = "alerts-pressed"
EDITED: Final = "alerts-edit"

Row = Mapping[str, Any]


def alerts_button(place: Place) -> html.Button:
    """The bell with the count of the firings that nobody has seen."""
    # What has fired before this page was opened.
    known = {"data-last": str(place.last_firing)}
    count = html.Span(
        className="alerts-count badge position-absolute top-0 end-0", **{"aria-hidden": "true"}
    )
    return icon_button("alerts-btn", "bell", "Alerts", children=count, **known)


def alerts_dialog(place: Place) -> dbc.Modal:
    """The alerts, their form and what has fired."""
    stores = ("drawn", "list-key", "edited", "watched", "suggested")
    return dialog(
        "alerts",
        "Alerts",
        [
            html.Div(
                [
                    html.Div(_list(), id="alerts-listed", className="stack"),
                    html.Div(_form(place), id="alerts-making", hidden=True),
                    # Which rows are drawn, and the key of what their buttons send; the alert that
                    # the form edits, what its threshold is meant of, and which direction the page
                    # has suggested for that.
                    *(dcc.Store(id=f"alerts-{each}") for each in stores),
                    dcc.Store(id=PRESSED),
                    dcc.Store(id=EDITED),
                ],
                id="alerts-place",
            )
        ],
        [],
        size="lg",
        centered=False,
    )


def alert_rows(listed: Row) -> list[Component]:
    """The alerts that are ``listed``, as ``GET /alerts`` answers, as rows; what they are for where
    there is none, and nothing where they are not known."""
    can_change = listed["can_change"]
    if listed["fault"] and not can_change:
        return []
    if not listed["alerts"]:
        return [empty_state("bell", "No alerts yet", _EMPTY)]
    rows = [_row(each, can_change=can_change) for each in listed["alerts"]]
    return [html.Ul(rows, className="list-unstyled m-0")]


def firing_rows(firings: Sequence[Row]) -> list[Component]:
    """What has fired, newest first; nothing where there is none."""
    if not firings:
        return []
    return [
        html.H3("What has fired", className="part-title mb-2"),
        html.Ul([_firing(each) for each in firings], className="list-unstyled m-0"),
    ]


def field_values(
    what: str,
    symbol: str | None,
    *,
    direction: str = "above",
    threshold: Decimal | None = None,
    once: bool = True,
    toast: bool = True,
    notify: bool = True,
    note: str = "",
    url: str | None = None,
) -> tuple[Any, ...]:
    """What stands in the fields of the form for an alert, in the order of :data:`FIELDS`."""
    typed = "" if threshold is None else _typed(threshold)
    return what, symbol, direction, typed, not once, toast, notify, note, url or ""


def reading_hint(what: str, symbol: str, text: str) -> list[Component | str]:
    """What the figure ``what`` is now, and goes on to be: ``text``, or that there is none where
    that is empty."""
    figure = FIGURES[what]
    if not text:
        is_of_position = figure.has_symbol and what != "price"
        return ["No open position now." if is_of_position else "Not known now."]
    if not figure.has_symbol:
        live: Component = live_text(figure.now, id="alerts-now")
    elif what == "price":
        live = live_price(figure.now, symbol, id="alerts-now")
    else:
        live = live_figure("positions", symbol, figure.now, id="alerts-now")
    live.children = text
    return ["Now ", live, "."]


def _typed(number: Decimal) -> str:
    """``number`` as one types it: every digit, and none that does not count."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _list() -> list[Component]:
    return [
        html.P(id="alerts-words", className="warning", role="status"),
        html.Div(button("New alert", "alerts-new", "plus-lg", color="primary", outline=False)),
        html.P(id="alerts-said", className=SAID, role="status"),
        # The shape of some rows until the first are drawn.
        Elements(id="alerts-list", **{"aria-busy": "true"}),
        Elements(id="alerts-log"),
    ]


def _row(alert: Row, *, can_change: bool) -> html.Li:
    display, alert_id = alert["display"], alert["id"]
    posted = f"posted to {_host(alert['url'])}" if alert["url"] else ""
    how = ("once" if alert["once"] else "every time", posted, alert["note"])
    status = html.Span(
        display["status"],
        className="alert-status",
        **{"data-status": alert["status"] if alert["is_live"] else "old"},
    )
    figures = [
        live_figure("alerts", alert_id, each, text=display[each]) for each in ("value", "distance")
    ]
    is_known = alert["value"] is not None
    now = [" ", html.Span([figures[0], ", ", figures[1]], className="alert-below")]
    buttons = {"switch": "off" if alert["active"] else "arm"}
    buttons |= {each: each for each in ("edit", "test", "delete")}
    return html.Li(
        [
            html.Div(
                [
                    html.Div(display["condition"], className="fw-semibold"),
                    html.Div(" \N{MIDDLE DOT} ".join(filter(None, how)), className="alert-below"),
                ],
            ),
            html.Div(
                [
                    html.Div([status, *(now if is_known else ())]),
                    html.Div(_fired(alert), className="alert-below"),
                ],
            ),
            html.Div(
                [
                    _action(place, verb, alert_id, display["condition"], off=not can_change)
                    for place, verb in buttons.items()
                ],
                className="d-flex flex-wrap gap-1",
            ),
        ],
        className="alert-row",
        key=alert_id,
    )


def _fired(alert: Row) -> list[Component | str]:
    if alert["fired_at"] is None:
        return []
    count = alert["fired"]
    return [f"Fired {count} times, last " if count > 1 else "Fired ", moment(alert["fired_at"])]


def _action(place: str, verb: str, alert: str, condition: str, *, off: bool) -> html.Button:
    icon, text = _VERBS[verb]
    # What does harm is pressed twice.
    asks = {"data-ask": "Delete?", "color": "danger"} if verb == "delete" else {}
    # The button that switches an alert off and on is one, and goes on having the focus.
    target = f"alert-{place}-{alert}"
    store = EDITED if verb == "edit" else PRESSED
    # what the button says is done, whatever the alert is by then
    named = {**asks, **pressing(store, verb=verb, alert=alert)}
    return row_button(target, icon, text, f"{text}: {condition}", disabled=off, **named)


def _firing(firing: Row) -> html.Li:
    delivery = firing["delivery"]
    sent = f" \N{MIDDLE DOT} {_host(delivery['url'])}: {delivery['words']}" if delivery else ""
    return html.Li(
        [
            html.Div(firing["words"]),
            html.Div([moment(firing["time"]), sent], className="alert-below"),
        ],
        className="alert-firing",
    )


def _host(url: str) -> str:
    """The server of an address: what follows it may be a secret."""
    return origin(url).partition("://")[2]


def _form(place: Place) -> dbc.Form:
    whats = {what: each.label for what, each in FIGURES.items()}
    symbols = {each: label(each) for each in place.symbols}
    flags = [dbc.Checkbox(id=f"alerts-{name}", label=text) for name, text in _FLAGS.items()]
    unit = dbc.InputGroupText(id="alerts-unit")
    note = dbc.Input(id="alerts-comment", maxLength=LONGEST_NOTE, autocomplete="off")
    url = dbc.Input(id="alerts-url", type="url", maxLength=LONGEST_URL, autocomplete="off")
    return dbc.Form(
        [
            html.H3(id="alerts-heading", className="part-title mb-2"),
            html.Div(
                [
                    field("Watch", select("alerts-what", whats), className="words"),
                    field("Symbol", select("alerts-symbol", symbols), className="words"),
                    field(
                        "Fires when it", select("alerts-direction", _DIRECTIONS), className="words"
                    ),
                    unit_field("Threshold", number_entry("alerts-threshold"), unit, ""),
                    html.P(_RULE, className="dialog-words whole"),
                    html.Div(
                        # The page says there what keeps a firing from being noticed.
                        [*flags, html.P(id="alerts-silence", className="hint w-100 m-0")],
                        className="whole d-flex flex-wrap column-gap-4",
                    ),
                    field("Note (optional)", note, className="words whole"),
                    field("Post to (optional)", url, _URL_HINT, className="words whole"),
                ],
                className="field-pairs mb-2",
            ),
            html.Div(
                [
                    button("Cancel", "alerts-cancel"),
                    button("Create", "alerts-save", color="primary", outline=False, type="submit"),
                ],
                className="d-flex justify-content-end gap-2 mt-3",
            ),
        ],
        id="alerts-form",
        prevent_default_on_submit=True,
    )
