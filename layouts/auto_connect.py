"""How a program without a key takes part: lines to copy that work as they stand."""

import shlex
from dataclasses import replace

from dash import html

from layouts.parts import copy_button
from layouts.tab import Place


def programs(place: Place) -> html.Details:
    """What a program without a key can do, for who is at ``place``; closed at first."""
    return html.Details(
        [
            html.Summary("Programs without a key"),
            html.P(
                "What they do is yours: they trade as you, book their results, or give signals to "
                "the bots above.",
                className="lead-words",
            ),
            html.Div(
                [
                    _snippet(
                        "signal",
                        "Send a signal",
                        "Running bots of the symbol with the strategy Signals from outside "
                        "follow it: buy, sell or close, and how sure you are, from 0 to 1.",
                        _signal_text(place),
                    ),
                    _snippet(
                        "order",
                        "Place an order",
                        "At market, worth 500 USDT; it fills at the feed's price.",
                        _order_text(place),
                    ),
                    _snippet(
                        "http",
                        "Over HTTP",
                        "Say what the balance is now; the difference counts as P&L.",
                        _http_text(place),
                    ),
                    _snippet(
                        "python",
                        "From Python",
                        "The same account, also while this server is stopped.",
                        _python_text(place),
                    ),
                    _snippet(
                        "shell",
                        "From a shell",
                        "In this program's folder or environment: book a gain of 12.30.",
                        _shell_text(place),
                    ),
                ],
                className="snippets",
            ),
        ],
        id="auto-programs",
        className="programs mt-2 pt-2 border-top",
    )


def curl_parts(place: Place, path: str, body: str) -> list[str]:
    """A request with ``body`` as a line for a shell, in parts, for who is at ``place``."""
    return [
        f"curl {place.address}{path}",
        *(["-H 'Authorization: Bearer TOKEN'"] if place.needs_token else []),
        "-H 'Content-Type: application/json'",
        f"-d '{body}'",
    ]


def _signal_text(place: Place) -> str:
    secret = ', "secret": "SECRET"' if place.needs_secret else ""
    body = f'{{"symbol": "{_symbol(place)}", "side": "buy", "confidence": 0.8{secret}}}'
    return _curl(replace(place, needs_token=place.needs_token and not secret), "/signals", body)


def _order_text(place: Place) -> str:
    return _curl(
        place, "/orders", f'{{"symbol": "{_symbol(place)}", "side": "buy", "notional": 500}}'
    )


def _http_text(place: Place) -> str:
    return _curl(place, "/virtual_balance", '{"balance": 10012.30}')


def _python_text(place: Place) -> str:
    return (
        "from balance import open_account\n\n"
        f"account = open_account({repr(place.data_dir) if place.data_dir else ''})\n"
        'account.adjust(12.30, note="my bot won")\n'
        "print(account.snapshot().portfolio_value)"
    )


def _shell_text(place: Place) -> str:
    folder = f" --data-dir {shlex.quote(place.data_dir)}" if place.data_dir else ""
    return f"python -m balance adjust 12.30 --note 'my bot won a trade'{folder}"


def _symbol(place: Place) -> str:
    return place.symbols[0] if place.symbols else "BTC/USDT"


def _curl(place: Place, path: str, body: str) -> str:
    return " \\\n  ".join(curl_parts(place, path, body))


def _snippet(name: str, title: str, words: str, text: str) -> html.Div:
    target = f"auto-snippet-{name}"
    return html.Div(
        [
            html.H3(title, className="part-title"),
            copy_button(target, title),
            html.P(words, className="snippet-words"),
            html.Pre(text, id=target, className="snippet", tabIndex=0),
        ],
        className="snippet-card",
    )
