"""The shell: the sidebar, the tabs, the dialogs and the stores that feed them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from layouts.account import money_dialog, reset_dialog, undo_dialog
from layouts.alerts import alerts_button, alerts_dialog
from layouts.amend import amend_dialog
from layouts.auto import auto_dialogs
from layouts.damage import Damage, damage_strip
from layouts.derivation import derivation_dialog
from layouts.entry import entry_dialog
from layouts.help import help_button, help_dialog
from layouts.live import everything, filled
from layouts.order_record import order_record_dialog
from layouts.parts import icon_button
from layouts.position import position_dialog, reverse_dialog
from layouts.settings import settings_button, settings_dialog
from layouts.sidebar import sidebar
from layouts.tab import Place, Tab
from layouts.ticker import ticker
from layouts.ticket import slip_dialog

#: How often a page looks for itself while it has no stream.
INTERVAL_MILLISECONDS = 2_000

#: The store of the newest toast that a callback shows.
TOAST = "toast"
#: The store of what a callback moves the focus to.
FOCUS = "focus"
#: What stands over the tabs, by how the account comes here: ``{time}`` is when it last came.
_LINK_TEXTS: Final = {
    "offline": "The server does not answer. These figures are from {time}; "
    "they follow by themselves when it is back.",
}
#: What stands over the tabs, by the state of the market, where that says nothing itself.
_MARKET_TEXTS: Final = {
    "waiting": "Waiting for the first prices.",
    "stale": "Prices have stopped. Nothing fills on old ones.",
}


def shell(
    tabs: Sequence[Tab],
    store: Mapping[str, Any],
    *,
    starting_balance: str,
    place: Place = Place(),  # noqa: B008 - frozen
    damage: Damage = (),
) -> html.Div:
    """The whole page. ``store`` is what ``balance-store`` begins with: the snapshot as the HTTP
    answer has it, or nothing but the ``fault`` that keeps it from being read. ``damage`` is what is
    damaged beside the account."""
    page = filled(
        html.Div(
            [
                html.A("Skip to content", href="#content", className="skip-link"),
                dcc.Location(id="address", refresh=False),
                dcc.Interval(id="live-price-interval", interval=INTERVAL_MILLISECONDS),
                dcc.Store(id="balance-store", data=store),
                # counts what the stream and the dialogs brought; each count wakes the one callback
                dcc.Store(id="balance-push", data=0),
                # the pages of the tabs by id, for the address line
                dcc.Store(
                    id="tab-paths", data={tab.id: place.base_path + tab.path for tab in tabs}
                ),
                sidebar(),
                html.Main(
                    [
                        # written by the page
                        _note("link-note", _LINK_TEXTS),
                        html.Div(id="fault-note", className="note-strip fault", role="alert"),
                        *damage_strip(damage),
                        _note("market-note", _MARKET_TEXTS),
                        html.Div(id="settings-note", className="note-strip fault", role="alert"),
                        html.Div(id="alerts-note", className="note-strip fault", role="alert"),
                        ticker(place.symbols),
                        _tab_row(tabs, place),
                        html.Div(
                            [_panel(tab, place) for tab in tabs],
                            id="content",
                            className="content",
                            tabIndex="-1",
                        ),
                    ],
                    className="main",
                ),
                reset_dialog(starting_balance),
                undo_dialog(),
                money_dialog(),
                position_dialog(),
                reverse_dialog(),
                amend_dialog(),
                slip_dialog(),
                settings_dialog(),
                alerts_dialog(place),
                derivation_dialog(),
                entry_dialog(),
                order_record_dialog(),
                help_dialog(tabs),
                *auto_dialogs(place),
                # toasts are put here by the page, and how many more there were
                html.Div(
                    html.Div(className="toasts-more"),
                    id="toasts",
                    className="toasts",
                    **{"aria-live": "polite"},
                ),
                # the newest message of a callback in Python
                dcc.Store(id=TOAST),
                dcc.Store(id=FOCUS),
            ],
            id="app-shell",
            className="shell",
        ),
        store,
    )
    for each in everything(page):
        href = getattr(each, "href", None) or ""
        if href.startswith("/"):
            each.href = place.base_path + href
    return page


def _note(id: str, texts: Mapping[str, str]) -> html.Div:
    """What the page says over the tabs, by a state."""
    more = {"role": "status", "data-texts": json.dumps(texts)}
    return html.Div(id=id, className="note-strip", **more)


def _tab_row(tabs: Sequence[Tab], place: Place) -> html.Nav:
    return html.Nav(
        [
            *(dbc.NavLink(_label(tab), href=tab.path, active="exact") for tab in tabs),
            html.Div(
                [
                    alerts_button(place),
                    help_button(tabs),
                    icon_button("theme-btn", "circle-half", "Light or dark"),
                    settings_button(),
                ],
                className="tab-end hstack ms-auto",
            ),
        ],
        className="tab-row",
        **{"aria-label": "Tabs"},
    )


def _label(tab: Tab) -> list[Component | str]:
    """Its name, of which a phone shows the first word, and how much of it is news."""
    first, gap, rest = tab.label.partition(" ")
    name = [first, html.Span(gap + rest, className="tab-more")] if rest else [first]
    # written by the page
    return [*name, html.Span("", id=f"{tab.id}-news", className="tab-news")]


def _panel(tab: Tab, place: Place) -> html.Div:
    # all of them stay in the page, so that a hidden one is as up to date as the shown one
    return html.Div(tab.build(place), id=f"{tab.id}-panel", hidden=tab.path != "/")
