"""The ticket says what an order would do before it is placed: what was typed for one symbol stays
with it, a limit through the market is told, and what can't be paid is not offered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from tests.screen import (
    choose,
    text,
    wait_for,
    wait_for_balance,
    wait_for_focus,
    wait_for_link,
    wait_for_toast,
    wait_until_gone,
    write,
)
from tests.serving import Server

Opened = Callable[[str], Any]
_CANDLE = "time,open,high,low,close,volume\n2026-01-02T03:04,{0},{0},{0},{0},1\n"


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on a market that stands still: BTC/USDT at 40,000, SOL/USDT at 150."""
    folder = tmp_path_factory.mktemp("ticket")
    feeds = []
    for symbol, price in (("BTC/USDT", 40_000), ("SOL/USDT", 150)):
        file = folder / f"{symbol[:3]}.csv"
        file.write_text(_CANDLE.format(price))
        feeds += ["--feed", f"replay:{symbol}={file}"]
    with Server(folder / "account", *feeds, "--speed", "0.0001") as server:
        wait_for(lambda: len(server.get("/prices").json()["prices"]) == 2, "the prices")
        yield server


@pytest.fixture(scope="module")
def page(still: Server, open_for_all: Opened) -> Any:
    """One page for all."""
    return open_for_all(still.url + "/futures")


@pytest.fixture
def browser(still: Server, page: Any) -> Any:
    """The page with an empty ticket at market, and an account of 10,000 that holds nothing."""
    still.post({"balance": 10_000}, "/virtual_balance/reset")
    wait_for_balance(page, "$10,000.00")
    wait_for_link(page, "Live")
    page.find_element("#futures-symbol option[value='BTC/USDT']").click()
    choose(page, "futures-side", "Buy")
    choose(page, "futures-type", "Market")
    page.find_element("#futures-unit option[value=notional]").click()
    write(page, "futures-size", "")
    page.get_logs()
    return page


def _value(browser: Any, id: str) -> str:
    return str(browser.find_element(f"#{id}").get_attribute("value"))


def _orders(server: Server) -> list[Any]:
    orders: list[Any] = server.get("/orders").json()["orders"]
    return orders


def test_another_symbol_empties_prices_and_exits(still: Server, browser: Any) -> None:
    browser.find_element("#futures-symbol option[value='SOL/USDT']").click()
    choose(browser, "futures-side", "Sell")
    choose(browser, "futures-type", "Limit")
    choose(browser, "futures-options", "Take-profit")
    fields = ("futures-price", "futures-take-profit", "futures-stop-loss")
    for field, typed in zip(fields, ("151", "140", "160"), strict=True):
        write(browser, field, typed)
    write(browser, "futures-size", "1,000")
    browser.find_element("#futures-symbol option[value='BTC/USDT']").click()
    wait_for(lambda: [_value(browser, each) for each in fields] == [""] * 3, "empty fields")
    # an amount of money, the type and the side mean the same
    assert _value(browser, "futures-size") == "1,000"
    assert text(browser, "futures-price-label") == "Limit price"
    assert browser.find_element("#futures-submit").text.startswith("Sell / Short")
    # what is pressed now asks for a price
    browser.find_element("#futures-submit").click()
    wait_for(lambda: "Enter a limit price" in text(browser, "futures-ticket-error"), "the question")
    assert _orders(still) == []
    choose(browser, "futures-options", "Take-profit")


@pytest.mark.parametrize("type", ["Stop", "Take-profit"])
def test_another_symbol_empties_a_trigger_and_a_size_in_its_coin(
    still: Server, browser: Any, type: str
) -> None:
    choose(browser, "futures-type", type)
    write(browser, "futures-price", "42,000")
    browser.find_element("#futures-unit option[value=quantity]").click()
    write(browser, "futures-size", "10")
    browser.find_element("#futures-symbol option[value='SOL/USDT']").click()
    wait_for(lambda: _value(browser, "futures-price") == "", "an empty trigger")
    wait_for(lambda: _value(browser, "futures-size") == "", "an empty size")
    assert _value(browser, "futures-unit") == "quantity"


@pytest.mark.parametrize(
    ("side", "limit"),
    [("Sell", "150"), ("Buy", "400,000")],
)
def test_a_limit_far_through_the_market_asks_first(
    still: Server, browser: Any, side: str, limit: str
) -> None:
    fills = len(still.get("/fills").json()["fills"])
    choose(browser, "futures-side", side)
    choose(browser, "futures-type", "Limit")
    write(browser, "futures-price", limit)
    write(browser, "futures-size", "1,000")
    note = "futures-ticket-note"
    wait_for(lambda: "Fills at once at about" in text(browser, note), "what it would do")
    # what it costs is that of the price at which it fills
    assert float(text(browser, "futures-preview-cost").lstrip("$").replace(",", "")) < 110
    browser.find_element("#futures-submit").click()
    question = browser.wait_for_element("#slip-dialog")
    assert f"{side} BTC/USDT at about" in question.text
    # No is what Enter answers
    wait_for_focus(browser, "#slip-cancel")
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
    wait_until_gone(browser, "slip-dialog")
    assert len(still.get("/fills").json()["fills"]) == fills
    assert _value(browser, "futures-size") == "1,000"
    browser.find_element("#futures-submit").click()
    browser.wait_for_element("#slip-confirm").click()
    wait_for_toast(browser, "BTC/USDT at")
    wait_for(lambda: len(still.get("/fills").json()["fills"]) == fills + 1, "the fill")
    assert browser.get_logs() == []


def test_a_limit_a_little_through_the_market_is_told_and_fills(still: Server, browser: Any) -> None:
    choose(browser, "futures-type", "Limit")
    write(browser, "futures-price", "41,000")
    write(browser, "futures-size", "1,000")
    wait_for(lambda: "Fills at once at about" in text(browser, "futures-ticket-note"), "the words")
    browser.find_element("#futures-submit").click()
    wait_for_toast(browser, "Bought 0.024 BTC/USDT at 40,0")


def test_a_limit_that_rests_is_not_asked_about(still: Server, browser: Any) -> None:
    choose(browser, "futures-type", "Limit")
    write(browser, "futures-price", "20,000")
    write(browser, "futures-size", "1,000")
    wait_for(lambda: text(browser, "futures-preview-quantity") == "0.05 BTC", "the preview")
    assert text(browser, "futures-ticket-note") == ""
    browser.find_element("#futures-submit").click()
    wait_for(lambda: len(_orders(still)) == 1, "the order")


@pytest.mark.parametrize(
    ("type", "price"), [("Market", ""), ("Limit", "39,000"), ("Stop", "41,000")]
)
def test_what_can_not_be_paid_is_not_offered(
    still: Server, browser: Any, type: str, price: str
) -> None:
    before = still.get().json()["revision"]
    choose(browser, "futures-type", type)
    price and write(browser, "futures-price", price)
    write(browser, "futures-size", "200,000")
    wait_for(lambda: "are available" in text(browser, "futures-ticket-note"), "what it needs")
    submit = browser.find_element("#futures-submit")
    assert (submit.text, submit.is_enabled()) == ("Not enough available", False)
    browser.find_element("#futures-size").send_keys(Keys.ENTER)
    write(browser, "futures-size", "1,000")
    wait_for(lambda: submit.text == "Buy / Long BTC" and submit.is_enabled(), "what can be paid")
    assert still.get().json()["revision"] == before


def test_a_stop_limit_has_two_prices_and_a_time_in_force(still: Server, browser: Any) -> None:
    assert not browser.find_element("#futures-second-price-field").is_displayed()
    choose(browser, "futures-type", "Stop-limit")
    labels = [text(browser, f"futures-{each}-label") for each in ("price", "second-price")]
    assert labels == ["Trigger price, by the mark", "Limit price"]
    write(browser, "futures-price", "41,000")
    write(browser, "futures-size", "1,000")
    browser.find_element("#futures-submit").click()
    wait_for(lambda: "Enter a limit price" in text(browser, "futures-ticket-error"), "the question")
    write(browser, "futures-second-price", "41,100")
    browser.find_element("#futures-force option[value=GTX]").click()
    browser.find_element("#futures-submit").click()
    wait_for(lambda: len(_orders(still)) == 1, "the order")
    (order,) = _orders(still)
    assert (order["type"], order["trigger_price"], order["price"], order["time_in_force"]) == (
        *("stop_limit", 41_000, 41_100, "GTX"),
    )
    browser.find_element("#futures-force option[value=GTC]").click()


def test_an_order_gets_a_name_of_ones_own(still: Server, browser: Any) -> None:
    assert not browser.find_element("#futures-client-id-field").is_displayed()
    choose(browser, "futures-options", "Client id")
    choose(browser, "futures-type", "Limit")
    write(browser, "futures-price", "39,000")
    write(browser, "futures-size", "1,000")
    write(browser, "futures-client-id", "low 1")
    refusal = "client_id must be 1 to 36"
    wait_for(lambda: refusal in text(browser, "futures-ticket-note"), "the refusal")
    write(browser, "futures-client-id", "low-1")
    wait_for(lambda: text(browser, "futures-ticket-note") == "", "a preview")
    browser.find_element("#futures-client-id").send_keys(Keys.ENTER)
    wait_for(lambda: [each["client_id"] for each in _orders(still)] == ["low-1"], "the order")
    wait_for(lambda: _value(browser, "futures-client-id") == "", "room for the next name")
    choose(browser, "futures-book", "Open orders")
    wait_for(lambda: "low-1" in text(browser, "futures-orders-grid"), "its name in the table")
    choose(browser, "futures-options", "Client id")


def test_a_limit_far_from_its_trigger_is_confirmed_with_its_own_figure(
    still: Server, browser: Any
) -> None:
    choose(browser, "futures-type", "Stop-limit")
    write(browser, "futures-price", "41,000")
    write(browser, "futures-second-price", "51,250")
    write(browser, "futures-size", "1,000")
    browser.find_element("#futures-submit").click()
    question = browser.wait_for_element("#slip-dialog").text
    assert "Buy BTC/USDT for as much as 51,250?" in question
    assert "Your limit, 51,250, is 25.0 % from your trigger price" in question
    browser.find_element("#slip-confirm").click()
    wait_for(lambda: len(_orders(still)) == 1, "the order")
    wait_until_gone(browser, "slip-dialog")
    # post-only, it comes to nothing there
    browser.find_element("#futures-force option[value=GTX]").click()
    write(browser, "futures-size", "1,000")
    browser.find_element("#futures-submit").click()
    question = browser.wait_for_element("#slip-dialog").text
    assert "it ends without a fill, being post-only, as soon as it is triggered" in question
    browser.find_element("#slip-confirm").send_keys(Keys.ESCAPE)
    wait_until_gone(browser, "slip-dialog")
    wait_for(lambda: browser.find_element("#futures-submit").is_enabled(), "the ticket again")
    browser.find_element("#futures-force option[value=GTC]").click()
    write(browser, "futures-second-price", "")


def test_a_trailing_stop_may_name_where_it_begins(still: Server, browser: Any) -> None:
    choose(browser, "futures-type", "Trailing stop")
    assert text(browser, "futures-second-price-label") == "Activation price, by the mark (optional)"
    assert not browser.find_element("#futures-force-field").is_displayed()
    write(browser, "futures-price", "1.5")
    write(browser, "futures-second-price", "")
    write(browser, "futures-size", "1,000")
    wait_for(lambda: "at 40,600" in text(browser, "futures-ticket-note"), "where it is")
    browser.find_element("#futures-submit").click()
    wait_for(lambda: len(_orders(still)) == 1, "the order")
    (order,) = _orders(still)
    assert (order["type"], order["callback_percent"], order["trigger_price"]) == (
        *("trailing_stop", 1.5, 40_600),
    )
    choose(browser, "futures-book", "Open orders")
    table = browser.find_element("#futures-orders-grid")
    for part in ("Trailing stop 1.5 %", "best 40,000.0", "40,600.0"):
        wait_for(lambda part=part: part in table.get_attribute("textContent"), part)
    choose(browser, "futures-book", "Positions")


def test_an_oco_is_a_limit_and_a_stop_of_which_one_cancels_the_other(
    still: Server, browser: Any
) -> None:
    still.post({"symbol": "BTC/USDT", "side": "buy", "quantity": 0.01}, "/orders")
    choose(browser, "futures-side", "Sell")
    choose(browser, "futures-type", "OCO")
    # both orders can't have the same name
    options = browser.find_element("#futures-options")
    wait_for(lambda: "Client id" not in options.text, "its options")
    labels = [text(browser, f"futures-{each}price-label") for each in ("", "second-", "third-")]
    assert labels == [
        *("Limit price", "Stop price, by the mark", "Limit price of the stop (optional)"),
    ]
    for field, typed in (("price", "42,000"), ("second-price", ""), ("third-price", "")):
        write(browser, f"futures-{field}", typed)
    browser.find_element("#futures-unit option[value=quantity]").click()
    write(browser, "futures-size", "0.01")
    browser.find_element("#futures-submit").click()
    wait_for(lambda: "Enter a stop price" in text(browser, "futures-ticket-error"), "the question")
    write(browser, "futures-second-price", "39,000")
    wait_for(
        lambda: (
            "Limit: at 42,000.00, P&L +$19.96" in text(browser, "futures-ticket-note")
            and "Stop: at 39,000.00, P&L -$10.04" in text(browser, "futures-ticket-note")
        ),
        "what each would bring",
    )
    browser.find_element("#futures-submit").click()
    wait_for(lambda: len(_orders(still)) == 2, "both orders")
    first, second = _orders(still)
    assert [each["type"] for each in (first, second)] == ["limit", "stop_market"]
    assert first["group"] == second["group"] == first["id"]
    choose(browser, "futures-book", "Open orders")
    cancel = "#futures-orders [aria-label^='Cancel: Sell 0.01 BTC/USDT Stop OCO, and the other']"
    browser.wait_for_element(cancel).click()
    wait_for(lambda: _orders(still) == [], "the end of both")
    wait_for_toast(browser, "the other order of its OCO was cancelled")
    still.post({}, "/positions/BTC-USDT/close")


def test_an_alert_for_another_symbol_begins_without_a_threshold(
    still: Server, browser: Any
) -> None:
    browser.find_element("#futures-alert").click()
    browser.wait_for_element("#alerts-threshold")
    wait_for(lambda: _value(browser, "alerts-threshold") == "40000", "the price")
    browser.find_element("#alerts-symbol option[value='SOL/USDT']").click()
    wait_for(lambda: _value(browser, "alerts-threshold") == "", "an empty threshold")
    write(browser, "alerts-threshold", "160")
    browser.find_element("#alerts-what option[value=equity]").click()
    wait_for(lambda: _value(browser, "alerts-threshold") == "", "an empty threshold")
    browser.find_element("#alerts-dialog .btn-close").click()


def test_the_slider_shows_the_leverage_of_the_symbol_and_sets_it(
    still: Server, browser: Any
) -> None:
    slider = browser.find_element("#futures-leverage")

    def shows(leverage: int) -> None:
        wait_for(lambda: text(browser, "futures-leverage-words") == f"{leverage}x", "the leverage")

    shows(10)
    slider.send_keys(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    shows(8)
    wait_for(lambda: _leverage(still, "BTC/USDT") == (8, "set"), "the leverage is kept")
    # That of another symbol is another one, and what others set is shown.
    browser.find_element("#futures-symbol option[value='SOL/USDT']").click()
    shows(10)
    still.ask("PUT", "/leverage/BTC-USDT", {"leverage": 4})
    browser.find_element("#futures-symbol option[value='BTC/USDT']").click()
    shows(4)
    still.ask("PUT", "/leverage/BTC-USDT", {"leverage": 10})
    shows(10)
    assert _leverage(still, "SOL/USDT") == (10, "default")


def _leverage(server: Server, symbol: str) -> tuple[int, str]:
    rows = server.get("/leverage").json()["leverages"]
    return next((each["leverage"], each["source"]) for each in rows if each["symbol"] == symbol)
