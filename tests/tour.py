"""A walk through all that there is to see: every tab, every dialog, with nothing and with much."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import requests
from dash.testing.browser import Browser
from selenium.webdriver.common.keys import Keys

from balance.binance.signature import KEY_HEADER
from layouts.live import ids_ending
from layouts.shell import shell
from layouts.tabs import TABS
from tests.patience import patience
from tests.screen import PATHS, go, wait_for, write
from tests.serving import Server

#: How each dialog is opened: on which tab, and by which buttons one after the other, or by what is
#: typed into which field.
DIALOGS: Final[dict[str, tuple[Any, ...]]] = {
    "reset-dialog": ("overview", "#overview-reset-balance-btn"),
    "money-dialog": ("overview", "#sidebar-money-btn"),
    "position-dialog": (
        "futures",
        "#futures-book input[value=positions]",
        ".row-actions [title*='take-profit']",
    ),
    "order-dialog": (
        "futures",
        "#futures-book input[value=orders]",
        "#futures-orders .row-actions [title^='Edit']",
    ),
    "reverse-dialog": (
        "futures",
        "#futures-book input[value=positions]",
        ".row-actions [title*='take-profit']",
        "#position-reverse",
    ),
    "slip-dialog": (
        "futures",
        "#futures-type input[value=limit]",
        ("futures-price", "999,999"),
        ("futures-size", "5,000"),
        "#futures-submit:enabled",
    ),
    "derivation-dialog": ("overview", "#overview-panel [data-derive]"),
    "entry-dialog": ("overview", "#overview-ledger a[href*='entry=']"),
    "order-record-dialog": (
        *("history", "#history-table-orders"),
        "#history-rows .ag-cell[col-id=state]:not(:empty)",
    ),
    "undo-dialog": ("history", "#history-table-epochs", "#history-undo"),
    "settings-dialog": ("overview", "#settings-btn"),
    "alerts-dialog": ("overview", "#alerts-btn"),
    "help-dialog": ("overview", "#help-btn"),
    "bot-dialog": ("auto", "#auto-new-bot"),
    "bot-question-dialog": ("auto", "#auto-stop-all"),
    "key-dialog": ("auto", "#auto-keys [aria-label^=Connect]"),
    "revoke-dialog": ("auto", "#auto-keys [aria-label^=Revoke]"),
    "backtest-dialog": ("auto", "#auto-bots [aria-label^=Backtest]"),
}
_BOTS: Final = (
    {"name": "A bot with a rather long name, 40 signs", "symbol": "SOL/USDT"},
    {"name": "Unbreakably" + "long" * 7, "symbol": "SOL/USDT", "direction": "short"},
    {"name": "Idle", "symbol": "ETH/USDT", "timeframe": "1h"},
)


def dialogs() -> set[str]:
    """The ids of all dialogs."""
    return set(ids_ending(shell(TABS, {}, starting_balance="10000.00"), "-dialog"))


def tabs(browser: Browser) -> Iterator[str]:
    """Each tab by its name, once it is shown and what it draws later has come."""
    for tab in PATHS:
        go(browser, tab)
        wait_for(lambda: _is_quiet(browser), f"a whole {tab}")
        yield tab


def opened_dialogs(browser: Browser, those: Iterable[str] = tuple(DIALOGS)) -> Iterator[str]:
    """Each of ``those`` dialogs by its id, opened on its tab, one after the other."""
    for dialog in those:
        tab, *before, button = DIALOGS[dialog]
        go(browser, tab)
        for each in before:
            press(browser, each) if isinstance(each, str) else write(browser, *each)
        with opened(browser, dialog, button):
            yield dialog


def be_calm(browser: Browser) -> None:
    """Have colours and dialogs change at once, as for those who ask for less motion."""
    reduced = {"name": "prefers-reduced-motion", "value": "reduce"}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [reduced]})


@contextmanager
def opened(browser: Browser, dialog: str, button: str) -> Iterator[None]:
    """``dialog``, opened by ``button``, whether that is in sight or not, until the block ends."""
    press(browser, button)
    wait_for(lambda: _is_open(browser, dialog), dialog)
    wait_for(lambda: _is_quiet(browser), f"a whole {dialog}")
    yield

    def ended() -> bool:
        # a question lies over the dialog that it is asked in
        browser.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
        return _is_gone(browser, dialog)

    wait_for(ended, f"the end of {dialog}")


def press(browser: Browser, button: str) -> None:
    """Press the first ``button``, whether it is in sight or not, as soon as there is one."""
    script = """
        const button = document.querySelector(arguments[0]);
        button?.focus();
        button?.click();
        return button !== null;
    """
    wait_for(lambda: browser.driver.execute_script(script, button), f"the button {button}")


def clear_toasts(browser: Browser) -> None:
    """Take away the toasts, which lie over the page for a while."""
    browser.driver.execute_script(
        "document.querySelectorAll('#toasts .toast-box').forEach((box) => box.remove())"
    )


def fill(server: Server) -> None:
    """Give the account positions, orders, fills, bots, long names and long notes."""
    wait_for(lambda: server.get("/prices").json()["state"] == "live", "prices")
    _done(server, {"withdraw": 123.45, "note": "a note that is rather long " * 5})
    _done(server, None, "/virtual_balance/reset")
    _done(server, {"adjust": -1234.56789, "note": "unbreakably" + "long" * 30})
    price = server.get("/prices").json()["prices"]["BTC/USDT"]["mark"]
    order = {"symbol": "BTC/USDT", "side": "buy", "quantity": 0.01, "leverage": 20}
    exits = {"take_profit": round(price * 1.5), "stop_loss": round(price * 0.97)}
    _done(server, {**order, **exits}, "/orders")
    _done(server, {**order, **exits, "type": "limit", "price": round(price * 0.98)}, "/orders")
    _done(server, {"symbol": "ETH/USDT", "side": "sell", "notional": 500}, "/orders")
    _done(server, {"percent": 50}, "/positions/ETH-USDT/close")
    for settings in _BOTS:
        told = _done(server, {"strategy": "signals", "leverage": 2, **settings}, "/bots")
        _done(server, None, f"/bots/{told['bot']['id']}/start")
    for side in ("sell", "close", "buy"):
        _done(server, {"symbol": "SOL/USDT", "side": side, "source": "my model"}, "/signals")
    _refuse(server, "unbreakably_long_a_name_")


def _refuse(server: Server, name: str) -> None:
    """Have the key called ``name`` refused, for as long a reason as there is."""
    made = _done(server, {"name": name}, "/keys")["key"]["name"]
    key = server.get(f"/keys/{made}").json()["key"]
    for parameter in ("symbol", "a" * 300):
        order = f"{server.url}/fapi/v1/order?{parameter}=NONE"
        answer = requests.post(order, headers={KEY_HEADER: key}, timeout=patience())
        assert answer.status_code == 400, answer.text


def _done(server: Server, body: object, path: str = "/virtual_balance") -> dict[str, Any]:
    answer = server.post(body, path)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _is_open(browser: Browser, dialog: str) -> bool:
    script = """
        const dialog = document.getElementById(arguments[0]);
        return dialog !== null && (dialog.open ?? true) && dialog.checkVisibility();
    """
    return bool(browser.driver.execute_script(script, dialog))


def _is_gone(browser: Browser, dialog: str) -> bool:
    """Whether neither it nor what is behind it is there any more."""
    behind = "return document.querySelector('.modal-backdrop') !== null"
    return not _is_open(browser, dialog) and not browser.driver.execute_script(behind)


def _is_quiet(browser: Browser) -> bool:
    """Whether nothing moves, and nothing that is shown is only the shape of what comes."""
    script = """
        const moving = document.getAnimations().some((each) => each.playState === "running");
        const shapes = [...document.querySelectorAll(".scroller:empty, .bots-place:empty")];
        return !moving && !shapes.some((each) => each.checkVisibility());
    """
    return bool(browser.driver.execute_script(script))
