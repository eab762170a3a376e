"""Outside bots: their rows, and the dialogs that make, show and revoke keys."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

from dash import Dash, Input, Output, State, no_update
from dash.development.base_component import Component

from balance.api.services import Services
from balance.core.errors import BalanceError
from balance.keys.details import key_details
from balance.keys.keys import Keys
from callbacks.clicks import clicked
from callbacks.toasts import show_toast
from layouts.auto_keys import HIDDEN, PRESSED, key_rows
from layouts.elements import CONTENT
from layouts.parts import option_list

#: What of a key the dialog shows, by the parts of its ids, each with a button that copies it.
_FACTS: Final = {"api": "key", "secret": "secret", "rest": "rest", "stream": "stream"}


def register(app: Dash, services: Services) -> None:
    """Let the rows be drawn from what the page knows, and their buttons change the keys of
    ``services``."""
    _register_rows(app, services)
    _register_dialog(app, services)
    _register_details(app, services)
    _register_switch(app, services)
    _register_revoke(app, services)


def _register_rows(app: Dash, services: Services) -> None:
    @app.callback(Output("auto-keys-list", CONTENT), Input("keys-drawn", "data"))
    def draw(_: str) -> Component:
        return key_rows(services.keys.listed())


def _register_dialog(app: Dash, services: Services) -> None:
    @app.callback(
        Output("key-dialog", "is_open"),
        Output("key-shown", "data"),
        Output("key-key", "data"),
        Output("key-name", "value"),
        Output("key-error", "children"),
        Output("key-show", "n_clicks"),
        Input("auto-new-key", "n_clicks"),
        Input(PRESSED["connect"], "data"),
        Input("key-make", "n_clicks"),
        Input("key-name", "n_submit"),
        State("key-name", "value"),
        State("key-kind", "value"),
        State("key-key", "data"),
    )
    def open_or_make(*given: Any) -> tuple[Any, ...]:
        name, kind, request = given[-3:]
        trigger = clicked()
        if trigger is None:
            return (no_update,) * 6
        if trigger == "auto-new-key":
            return True, None, uuid4().hex, "", "", 0
        if trigger == PRESSED["connect"]:
            # the field of the name may have the focus before it is hidden
            show_toast("", focus="key-dialog")
            return True, given[1]["name"], no_update, no_update, "", 0
        name = (name or "").strip()
        try:
            done = services.keys.add(name, kind, f"{request}-{kind}-{name}")
        except BalanceError as fault:
            return (*(no_update,) * 4, str(fault), no_update)
        show_toast(done.message, focus="key-dialog")
        return no_update, name, no_update, no_update, "", 0


def _register_details(app: Dash, services: Services) -> None:
    @app.callback(
        Output("key-title", "children"),
        Output("key-making", "hidden"),
        Output("key-details", "hidden"),
        Output("key-make", "hidden"),
        Output("key-show", "children"),
        *(Output(f"key-{each}", "children") for each in _FACTS),
        *(Output(f"key-{each}-text", "children") for each in _FACTS),
        *(Output(f"key-{each}-row", "hidden") for each in _FACTS),
        Output("key-client", "options"),
        Output("key-client", "value"),
        Output("key-words", "children"),
        Output("key-snippet", "children"),
        Output("key-snippet-text", "children"),
        Input("key-shown", "data"),
        Input("key-client", "value"),
        Input("key-show", "n_clicks"),
        State("address", "href"),
    )
    def show(name: str | None, client: str, clicks: int, address: str) -> tuple[Any, ...]:
        found = None
        if name is not None:
            with suppress(BalanceError):
                found = services.keys.named(name)
        if found is None:
            return "New key", False, True, False, *(no_update,) * 18
        place = urlsplit(address)
        root = f"{place.scheme}://{place.netloc}{app.config.requests_pathname_prefix}"
        details = key_details(found, services.keys.addresses.seen_from(root), services.keys.folder)
        is_shown = bool((clicks or 0) % 2)
        # an agent is on the folder, and needs none of them
        is_agent = found.kind == "agent"
        facts = ["" if is_agent else str(details[each]) for each in _FACTS.values()]  # type: ignore[literal-required]
        secret = details["secret"]

        def seen(text: str) -> str:
            return text if is_shown or not secret else text.replace(secret, HIDDEN)

        snippets = {each["client"]: each for each in details["snippets"]}
        chosen = client if client in snippets else next(iter(snippets))
        snippet = snippets[chosen]
        return (
            f"Connect {found.name}",
            True,
            False,
            True,
            "Hide" if is_shown else "Show",
            *map(seen, facts),
            *facts,
            *(not each for each in facts),
            option_list({client: each["label"] for client, each in snippets.items()}),
            chosen,
            snippet["words"],
            seen(snippet["text"]),
            snippet["text"],
        )


def _register_switch(app: Dash, services: Services) -> None:
    @app.callback(
        Output("auto-keys-request", "data"),
        Input(PRESSED["switch"], "data"),
        State("auto-keys-request", "data"),
    )
    def switch(pressed: Mapping[str, str], request: str) -> str:
        verb, name = pressed["verb"], pressed["name"]
        change = services.keys.pause if verb == "pause" else services.keys.resume
        done = change(name, f"{request}-{verb}-{name}")
        if not done.replayed:
            show_toast(done.message)
        return uuid4().hex


def _register_revoke(app: Dash, services: Services) -> None:
    @app.callback(
        Output("revoke-dialog", "is_open"),
        Output("revoke-name", "data"),
        Output("revoke-key", "data"),
        Output("revoke-title", "children"),
        Output("revoke-words", "children"),
        Output("revoke-confirm", "children"),
        Output("revoke-error", "children"),
        Input(PRESSED["revoke"], "data"),
        Input("revoke-confirm", "n_clicks"),
        State("revoke-name", "data"),
        State("revoke-key", "data"),
    )
    def revoke(
        pressed: Mapping[str, str], _clicks: int, name: str, request: str
    ) -> tuple[Any, ...]:
        try:
            if clicked() == PRESSED["revoke"]:
                name = pressed["name"]
                words, confirm = _question(services.keys, name)
                return True, name, uuid4().hex, f"Revoke {name}", words, confirm, ""
            # what it has opened since the question is closed as well, as that was the question
            done = services.keys.revoke(name, close=True, idempotency_key=request)
        except BalanceError as fault:
            return (*(no_update,) * 6, str(fault))
        show_toast(done.message, focus="auto-new-key")
        return (False, *(no_update,) * 5, "")


def _question(keys: Keys, name: str) -> tuple[str, str]:
    """What is asked before the key called ``name`` is revoked, and the answer that does it."""
    open_now = next(
        (each["display"]["open"] for each in keys.listed()["keys"] if each["name"] == name), ""
    )
    found = keys.named(name)
    after = f"Every request of {name} is refused then, and its key can't be brought back."
    if found is not None and found.kind == "agent":
        after = (
            f"The next session of {name} makes it anew, as it has no key. Paused instead, it opens "
            "nothing in later sessions either."
        )
    if not open_now:
        return f"It has nothing open. {after}", "Revoke"
    return (
        f"First, what it has open is cancelled and closed at market: {open_now}. {after}",
        "Close all and revoke",
    )
