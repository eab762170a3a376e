"""Auto Trading: the balance for programs, and how to connect one."""

import shlex

from dash import html
from dash.development.base_component import Component

from layouts.cards import summary_row
from layouts.parts import card, copy_button
from layouts.tab import Place, Tab


def _build(place: Place) -> Component:
    return html.Div(
        [
            summary_row(
                "auto",
                balance_id="auto-balance-display",
                pnl_id="auto-pnl-display",
                equity_id="auto-total-balance",
                available_id="auto-available-balance",
            ),
            card(
                "Trade this balance with your own program",
                html.P(
                    "Any program on this machine can book its results here, and every tab of "
                    "every browser shows them at once. Copy one of these to begin.",
                    className="lead-words",
                ),
                html.Div(
                    [
                        _snippet(
                            "shell",
                            "From a shell",
                            "In this program's folder: book a gain of 12.30.",
                            _shell_text(place),
                        ),
                        _snippet(
                            "http",
                            "Over HTTP",
                            "Say what the balance is now; the difference counts as P&L.",
                            _http_text(place),
                        ),
                        _snippet(
                            "order",
                            "Place an order",
                            "At market, worth 500 USDT; it fills at the feed's price.",
                            _order_text(place),
                        ),
                        _snippet(
                            "python",
                            "From Python",
                            "The same account, also while this server is stopped.",
                            _python_text(place),
                        ),
                    ],
                    className="snippets",
                ),
            ),
        ],
        className="tab-body",
    )


def _shell_text(place: Place) -> str:
    folder = f" --data-dir {shlex.quote(place.data_dir)}" if place.data_dir else ""
    return f"python -m balance adjust 12.30 --note 'my bot won a trade'{folder}"


def _http_text(place: Place) -> str:
    return _curl(place, "/virtual_balance", '{"balance": 10012.30}')


def _order_text(place: Place) -> str:
    symbol = place.symbols[0] if place.symbols else "BTC/USDT"
    return _curl(place, "/orders", f'{{"symbol": "{symbol}", "side": "buy", "notional": 500}}')


def _curl(place: Place, path: str, body: str) -> str:
    token = "  -H 'Authorization: Bearer TOKEN' \\\n" if place.needs_token else ""
    return (
        f"curl {place.address}{path} \\\n"
        f"{token}"
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d '{body}'"
    )


def _python_text(place: Place) -> str:
    return (
        "from balance import open_account\n\n"
        f"account = open_account({repr(place.data_dir) if place.data_dir else ''})\n"
        'account.adjust(12.30, note="my bot won")\n'
        "print(account.snapshot().portfolio_value)"
    )


def _snippet(name: str, title: str, words: str, text: str) -> html.Div:
    target = f"auto-snippet-{name}"
    return html.Div(
        [
            html.H3(title, className="snippet-title"),
            copy_button(target, title),
            html.P(words, className="snippet-words"),
            html.Pre(text, id=target, className="snippet", tabIndex=0),
        ],
        className="snippet-card",
    )


AUTO = Tab(id="auto", label="Auto Trading", path="/auto", build=_build)
