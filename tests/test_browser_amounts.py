"""Numbers can be typed as they are shown, in every field of every form; what can be read in more
than one way is refused in a sentence that says how to write it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from tests.answers import exactly
from tests.screen import (
    choose,
    go,
    text,
    texts,
    wait_for,
    wait_for_balance,
    wait_for_link,
    wait_until_gone,
    write,
)
from tests.serving import Server

Opened = Callable[[str], Any]

MINUS, NARROW = "\N{MINUS SIGN}", "\N{NARROW NO-BREAK SPACE}"
#: What may be typed, and the number that it is.
SHOWN = {
    "1000": "1000",
    "1,000": "1000",
    "2,500.00": "2500.00",
    "2 500.00": "2500.00",
    f"2{NARROW}500": "2500",
    "12.5k": "12500",
    "1.5m": "1500000",
    "1.5M": "1500000",
    "$1,000": "1000",
    f"{MINUS}$12.30": "-12.30",
    f"{MINUS}12.30": "-12.30",
    "+$240.18": "240.18",
    "0.00000001": "0.00000001",
    "123,456,789.12345678": "123456789.12345678",
    ".5": "0.5",
    "007": "7",
}
#: What may not, of an amount of money.
UNCLEAR = ("1,5", "12,34", "0,500", "1,0000", "1.000,50", "1 5", "1,000 000", "1.000.000")
NO_NUMBERS = ("much", "1e5", "--1", "1-1", "$", "k", "1kk", "Infinity")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all, whose account each test begins anew."""
    with Server(tmp_path_factory.mktemp("amounts") / "account", "--seed", "1") as running:
        wait_for(lambda: running.get("/prices").json()["prices"], "the first price")
        yield running


@pytest.fixture(scope="module")
def page(server: Server, open_for_all: Opened) -> Any:
    """One page for all."""
    return open_for_all(server.url)


@pytest.fixture
def browser(server: Server, page: Any) -> Any:
    """The page, live on an account of 10,000."""
    server.post({"balance": 10_000}, "/virtual_balance/reset")
    wait_for_balance(page, "$10,000.00")
    wait_for_link(page, "Live")
    go(page, "overview")
    page.get_logs()
    return page


def _value(browser: Any, id: str) -> str:
    found: str = browser.driver.execute_script(
        "return document.getElementById(arguments[0]).value", id
    )
    return found


def _say_amount(browser: Any, amount: str) -> None:
    browser.find_element("#sidebar-money-btn").click()
    browser.wait_for_element("#money-dialog")
    write(browser, "money-amount", amount)
    browser.find_element("#money-confirm").click()


def _choose_action(browser: Any, action: str) -> None:
    choose(browser, "money-action", action)
    browser.wait_for_text_to_equal("#money-confirm", action)


@pytest.mark.parametrize("typed", [f"{MINUS}$12.30", "123,456,789.12345678"])
def test_what_is_shown_is_read_to_its_last_digit(server: Server, browser: Any, typed: str) -> None:
    browser.find_element("#sidebar-money-btn").click()
    browser.wait_for_element("#money-dialog")
    _choose_action(browser, "Adjust")
    write(browser, "money-amount", typed)
    browser.find_element("#money-confirm").click()
    wait_until_gone(browser, "money-dialog")
    newest = server.get("/virtual_balance/history?kind=adjustment&limit=1")
    assert exactly(newest)["entries"][0]["amount"] == Decimal(SHOWN[typed])


def test_what_is_unclear_is_refused_with_how_to_write_it(server: Server, browser: Any) -> None:
    before = server.get().json()["revision"]
    browser.find_element("#sidebar-money-btn").click()
    browser.wait_for_element("#money-dialog")
    for typed in UNCLEAR[:2]:
        write(browser, "money-amount", typed)
        browser.find_element("#money-confirm").click()
        wrong = f"{typed} can be read in more than one way: write decimals behind a point"
        browser.wait_for_contains_text("#money-error", wrong)
    for typed in NO_NUMBERS[:2]:
        write(browser, "money-amount", typed)
        browser.find_element("#money-confirm").click()
        browser.wait_for_contains_text("#money-error", f"{typed} is no number: write it with")
    browser.find_element("#money-cancel").click()
    wait_until_gone(browser, "money-dialog")
    assert server.get().json()["revision"] == before


def test_what_letters_and_dollars_mean_depends_on_the_field(browser: Any) -> None:
    go(browser, "futures")
    for unit, typed, words in (
        # millions, or thousandths
        ("quantity", "5m", "more than one way"),
        ("quantity", "$5", "is in dollars"),
        # of percent there are no thousands, and no dollars
        ("percent", "5k", "more than one way"),
        ("percent", "5m", "more than one way"),
        ("percent", "$5", "is in dollars"),
    ):
        browser.find_element(f"#futures-unit option[value={unit}]").click()
        write(browser, "futures-size", typed)
        wait_for(
            lambda words=words: words in text(browser, "futures-ticket-note"),
            f"what is wrong with {typed} as a {unit}",
        )
        write(browser, "futures-size", "")
        wait_for(lambda: not text(browser, "futures-ticket-note"), "an empty ticket")
    browser.find_element("#futures-unit option[value=notional]").click()


def test_a_deposit_and_a_reset_take_the_amount_as_it_is_shown(browser: Any) -> None:
    browser.find_element("#sidebar-money-btn").click()
    browser.wait_for_element("#money-dialog")
    _choose_action(browser, "Deposit")
    browser.find_element("#money-cancel").click()
    wait_until_gone(browser, "money-dialog")
    _say_amount(browser, "$2,500.00")
    wait_until_gone(browser, "money-dialog")
    wait_for_balance(browser, "$12,500.00")
    _say_amount(browser, "1,5")
    browser.wait_for_contains_text("#money-error", "more than one way")
    browser.find_element("#money-cancel").click()
    wait_until_gone(browser, "money-dialog")
    browser.find_element("#sidebar-reset-balance-btn").click()
    browser.wait_for_element("#reset-dialog")
    write(browser, "reset-amount", "12.5k")
    browser.find_element("#reset-confirm").click()
    wait_until_gone(browser, "reset-dialog")
    wait_for_balance(browser, "$12,500.00")
    assert browser.get_logs() == []


def test_the_ticket_takes_numbers_as_they_are_shown(server: Server, browser: Any) -> None:
    go(browser, "futures")
    write(browser, "futures-size", "1,000")
    wait_for(lambda: text(browser, "futures-preview-notional")[:2] == "$9", "the preview")
    browser.find_element("#futures-unit option[value=quantity]").click()
    write(browser, "futures-size", "$5")
    wait_for(lambda: "is in dollars" in text(browser, "futures-ticket-note"), "the unit")
    write(browser, "futures-size", "0,5")
    wait_for(lambda: "more than one way" in text(browser, "futures-ticket-note"), "the comma")
    browser.find_element("#futures-unit option[value=notional]").click()
    write(browser, "futures-size", "1 000")
    price = texts(browser)["futures-mark"]
    limit = f"{float(price.replace(',', '')) * 0.9:,.1f}"
    choose(browser, "futures-type", "Limit")
    write(browser, "futures-price", limit)
    browser.find_element("#futures-submit").click()
    wait_for(lambda: server.get("/orders").json()["orders"], "the order")
    (order,) = server.get("/orders").json()["orders"]
    assert f"{order['price']:,.1f}" == limit
    choose(browser, "futures-type", "Market")


def test_settings_take_numbers_as_they_are_shown(server: Server, browser: Any) -> None:
    browser.find_element("#settings-btn").click()
    browser.wait_for_element("#settings-starting-balance")
    write(browser, "settings-starting-balance", "10,5")
    browser.find_element("#settings-save").click()
    wait_for(
        lambda: "more than one way" in text(browser, "settings-starting-balance-error"),
        "the refusal",
    )
    write(browser, "settings-starting-balance", "12,345.50")
    browser.find_element("#settings-save").click()
    wait_until_gone(browser, "settings-dialog")
    assert server.get("/settings").json()["starting_balance"] == 12_345.5


def test_alerts_take_numbers_as_they_are_shown(server: Server, browser: Any) -> None:
    browser.find_element("#alerts-btn").click()
    browser.wait_for_element("#alerts-new").click()
    write(browser, "alerts-threshold", "70,00")
    browser.find_element("#alerts-save").click()
    wait_for(lambda: "more than one way" in text(browser, "alerts-error"), "the refusal")
    write(browser, "alerts-threshold", "$70,000")
    browser.find_element("#alerts-save").click()
    wait_for(lambda: server.get("/alerts").json()["alerts"], "the alert")
    assert server.get("/alerts").json()["alerts"][0]["threshold"] == 70_000
    browser.find_element("#alerts-dialog .btn-close").click()
    wait_until_gone(browser, "alerts-dialog")


def test_bots_and_backtests_take_numbers_as_they_are_shown(server: Server, browser: Any) -> None:
    go(browser, "auto")
    browser.find_element("#auto-new-bot").click()
    browser.wait_for_element("#bot-dialog")
    wait_for(lambda: _value(browser, "bot-strategy"), "the strategies")
    browser.find_element("#bot-stake-unit option[value=usdt]").click()
    write(browser, "bot-stake", "1,00")
    browser.find_element("#bot-save").click()
    wait_for(lambda: "more than one way" in text(browser, "bot-error"), "the refusal")
    write(browser, "bot-stake", "1,250.50")
    write(browser, "bot-stop-loss", "2.5")
    browser.driver.execute_script("document.getElementById('bot-limits').open = true")
    write(browser, "bot-max-daily-loss", "1k")
    browser.find_element("#bot-backtest").click()
    browser.wait_for_element("#backtest-dialog")
    assert _value(browser, "backtest-balance") == "10,000"
    write(browser, "backtest-balance", "20,5")
    browser.find_element("#backtest-run").click()
    wait_for(lambda: "more than one way" in text(browser, "backtest-error"), "the refusal")
    write(browser, "backtest-balance", "20 000")
    browser.find_element("#backtest-run").click()
    wait_for(lambda: text(browser, "backtest-result"), "the result")
    browser.find_element("#backtest-close").click()
    browser.find_element("#bot-save").click()
    wait_for(lambda: server.get("/bots").json()["bots"], "the bot")
    settings = server.get("/bots").json()["bots"][0]["settings"]
    found = (settings["stake"], settings["stop_loss"], settings["max_daily_loss"])
    assert found == (1250.5, 2.5, 1000)


def test_the_filters_of_history_take_numbers_as_they_are_shown(
    server: Server, browser: Any
) -> None:
    server.post({"deposit": 2500})
    go(browser, "history")
    browser.find_element("details[data-field=amount] summary").click()
    least = browser.wait_for_element('[id*="history-filter"][id*="least"]')
    least.send_keys("2,5", Keys.ENTER)
    wait_for(lambda: "more than one way" in text(browser, "history-filters"), "how to write it")
    least.send_keys(Keys.CONTROL, "a")
    least.send_keys("2,500.00", Keys.ENTER)
    wait_for(lambda: "least=2500.00" in browser.driver.current_url, "the filter")
    browser.find_element("#history-clear").click()
    browser.find_element("details[data-field=epoch] summary").click()
    epoch = browser.wait_for_element('[id*="history-filter"][id*="epoch"]')
    epoch.send_keys("1.5", Keys.ENTER)
    wait_for(lambda: "numbered from 1" in text(browser, "history-filters"), "how they are numbered")


def test_no_field_is_of_a_type_that_takes_no_comma(browser: Any) -> None:
    go(browser, "auto")
    browser.find_element("#auto-new-bot").click()
    browser.wait_for_element("#bot-dialog")
    assert browser.find_elements("input[type=number]") == []
    numbers = browser.find_elements("#bot-dialog input[inputmode=decimal]")
    assert len(numbers) >= 10
    browser.find_element("#bot-cancel").click()
    wait_until_gone(browser, "bot-dialog")
