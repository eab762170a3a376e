"""Auto Trading: the balance for programs, and how to connect one."""

from dash import dcc, html
from dash.development.base_component import Component

from layouts.cards import summary_row
from layouts.parts import card
from layouts.tab import Tab

# the page puts its own address in the place of this one
_ADDRESS = "http://127.0.0.1:8050"
_SNIPPETS = (
    (
        "shell",
        "From a shell",
        "Book a gain of 12.30 and see the account after it.",
        "python -m balance adjust 12.30 --note 'my bot won a trade'",
    ),
    (
        "http",
        "Over HTTP",
        "Say what the balance is now; the difference counts as P&L.",
        f"curl {_ADDRESS}/virtual_balance \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        "  -d '{\"balance\": 10012.30}'",
    ),
    (
        "python",
        "From Python",
        "The same account from your own program, also while this one is not running.",
        "from balance import open_account\n\n"
        "account = open_account()\n"
        "account.adjust(12.30, note='my bot won a trade')\n"
        "print(account.snapshot().portfolio_value)",
    ),
)


def _build() -> Component:
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
                html.Div([_snippet(*each) for each in _SNIPPETS], className="snippets"),
            ),
        ],
        className="tab-body",
    )


def _snippet(name: str, title: str, words: str, text: str) -> html.Div:
    target = f"auto-snippet-{name}"
    return html.Div(
        [
            html.Div(
                [
                    html.H3(title, className="snippet-title"),
                    dcc.Clipboard(target_id=target, className="copy", title=f"Copy: {title}"),
                ],
                className="snippet-head",
            ),
            html.P(words, className="snippet-words"),
            html.Pre(text, id=target, className="snippet", tabIndex=0),
        ]
    )


AUTO = Tab(id="auto", label="Auto Trading", path="/auto", build=_build)
