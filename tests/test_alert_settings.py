"""An alert's settings: what may be asked for, what is usual, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from balance.alerts.messages import (
    condition,
    distance_text,
    firing_message,
    start_message,
    status_text,
)
from balance.alerts.readings import PERCENT, Reading
from balance.alerts.rules import (
    LONGEST_NOTE,
    LONGEST_URL,
    MEMBERS,
    AlertSettings,
    start_watching,
)
from balance.alerts.settings import read_settings, settings_of
from balance.core.errors import BalanceError, InvalidAmount, InvalidRequest
from balance.core.figures import NONE
from tests.markets import BTC, ETH, market

NEEDED = {"what": "price", "symbol": BTC, "direction": "above", "threshold": 45_000}
PNL = {"what": "pnl", "direction": "below", "threshold": -100}


def settings(before: AlertSettings | None = None, **asked: Any) -> AlertSettings:
    """The settings that ``asked`` tell; of a new alert, with what every one needs."""
    return settings_of({**({} if before else NEEDED), **asked}, market(), before)


def distance_percent(
    asked: AlertSettings, value: Decimal | None, equity: Decimal | None
) -> Decimal | None:
    """How far ``value`` is from the threshold of an alert."""
    return asked.figure.unit.distance_percent(asked.threshold, value, equity)


def test_what_is_left_out_is_as_usual() -> None:
    assert settings() == AlertSettings(
        what="price",
        symbol=BTC,
        direction="above",
        threshold=Decimal(45_000),
        once=True,
        note="",
        url=None,
        toast=True,
        notify=True,
    )


def test_every_member_is_taken_over_and_kept() -> None:
    asked = {
        "what": "unrealized_pnl",
        "symbol": "eth-usdt",
        "direction": "below",
        "threshold": "-12.5",
        "once": False,
        "note": " Look at it ",
        "url": "https://example.org:8443/hook?key=1",
        "toast": False,
        "notify": False,
    }
    made = settings(**asked)
    expected = {**asked, "symbol": ETH, "threshold": Decimal("-12.5"), "note": "Look at it"}
    assert {name: getattr(made, name) for name in MEMBERS} == expected
    assert read_settings({name: getattr(made, name) for name in MEMBERS}) == made


def test_an_edit_leaves_the_rest_as_it_was() -> None:
    first = settings(note="Mine", once=False, url="http://localhost/x")
    assert settings(first, threshold=46_000) == settings(
        threshold=46_000, note="Mine", once=False, url="http://localhost/x"
    )
    # a figure of the account has no symbol, and back again one has to be named
    of_account = settings(first, what="pnl", threshold=-5)
    assert of_account.symbol is None
    with pytest.raises(InvalidRequest, match="symbol"):
        settings(of_account, what="price")
    assert settings(first, url=None).url is None
    assert settings(first, url="").url is None


def test_an_alert_on_a_symbol_that_is_not_here_can_be_edited() -> None:
    elsewhere = replace(settings(), symbol="XRP/USDT")
    assert settings(elsewhere, note="Old", symbol="XRP/USDT").note == "Old"
    assert settings(elsewhere, threshold=2).threshold == 2
    assert settings(elsewhere, symbol=ETH).symbol == ETH
    for asked in ({"what": "unrealized_pnl"}, {"symbol": "DOGE/USDT"}):
        with pytest.raises(InvalidRequest, match="There is no symbol"):
            settings(elsewhere, **asked)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"kind": 1}, "but not 'kind'"),
        ({"what": "volume"}, "what must be one of price, pnl, pnl_today, equity"),
        ({"what": None}, "needs a what"),
        ({"threshold": None}, "needs a threshold"),
        ({"direction": "up"}, "direction must be one of above, below, not 'up'"),
        ({"symbol": "DOGE/USDT"}, "There is no symbol 'DOGE/USDT' here. There are: BTC/USDT"),
        ({"symbol": None}, "symbol must be a text such as BTC/USDT"),
        ({"what": "equity"}, "equity is of the account: leave the symbol out"),
        ({"once": 1}, "once must be true or false, not 1"),
        ({"toast": None}, "toast must be true or false"),
        ({"note": "x" * (LONGEST_NOTE + 1)}, "at most 200 characters"),
        ({"note": "a\nb"}, "printable"),
        ({"note": 5}, "printable"),
        *(
            ({"url": url}, "must be an address that begins with http:// or https://")
            for url in (
                *("ftp://example.org/", "example.org", "http://", "http://a b/", "javascript:1"),
                *("file:///etc/passwd", 5, "http://x:99999/", "http://[::1/", "http://x/\n"),
                *("http:///path", "http://x/" + "y" * LONGEST_URL, "http://\u0430.org/"),
            )
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_words(asked: Any, words: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        settings(**asked)
    assert words in str(refused.value)


@pytest.mark.parametrize("host", ["192.168.1.300:9000", "1.2.3.4.5", "%zz", "exa<mple.com"])
def test_an_address_without_a_real_host_is_refused_and_one_kept_from_before_is_not(
    host: str,
) -> None:
    url = f"http://me:secret@{host}/token"
    with pytest.raises(InvalidRequest, match="url must name its host") as refused:
        settings(url=url)
    assert f"'http://{host}' does not" in str(refused.value)
    kept = read_settings({name: getattr(replace(settings(), url=url), name) for name in MEMBERS})
    assert settings(kept, note="Mine").url == url
    assert settings(kept, url=url, once=False).url == url


@pytest.mark.parametrize("threshold", [0, -5, "many", True, float("nan"), 10**13, []])
def test_a_threshold_that_is_none_is_refused(threshold: Any) -> None:
    with pytest.raises(InvalidAmount, match=r"threshold .*must be|threshold is too large"):
        settings(threshold=threshold)


def test_money_may_be_nothing_or_less_and_a_price_very_small() -> None:
    for value in (0, -100):
        assert settings_of({**PNL, "threshold": value}, market()).threshold == value
    assert settings(threshold=Decimal("0.000000000012")).threshold == Decimal("1.2e-11")


@pytest.mark.parametrize("missing", MEMBERS)
def test_what_is_kept_must_be_whole(missing: str) -> None:
    told = {name: getattr(settings(), name) for name in MEMBERS if name != missing}
    with pytest.raises((KeyError, BalanceError)):
        read_settings(told)


class TestWords:
    """What is said of alerts."""

    def test_what_it_waits_for(self) -> None:
        assert condition(settings(), market()) == "BTC/USDT rises to 45,000.00"
        assert condition(settings_of(PNL, market()), market()) == "P&L falls to -$100.00"
        of_position = settings(what="unrealized_pnl", threshold=50)
        said = condition(of_position, market())
        assert said == "Unrealised P&L of BTC/USDT rises to +$50.00"

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            (40_000, "Now it is at 40,000.00."),
            (
                45_000,
                "It is at 45,000.00 already, so it fires only once it has been below 44,955.00 "
                "again.",
            ),
            (None, "Its figure is not known yet."),
        ],
    )
    def test_what_is_to_be_expected_of_it(self, value: Any, words: str) -> None:
        seen = Reading(series="feed", value=None if value is None else Decimal(value))
        assert start_message(settings(), start_watching(settings(), seen), seen, market()) == words

    def test_what_it_fired_on(self) -> None:
        said = firing_message(settings(note="Sell."), Decimal("45010.25"), market())
        assert said == "BTC/USDT has risen to 45,010.25; the alert was at 45,000.00. Sell."
        of_money = settings_of({**PNL, "what": "equity", "threshold": 9_000}, market())
        said = firing_message(of_money, Decimal(8_990), market())
        assert said == "Total equity has fallen to $8,990.00; the alert was at $9,000.00."

    def test_how_far_it_is(self) -> None:
        away = distance_percent(settings(), Decimal(40_000), None)
        assert (away, distance_text(away)) == (Decimal("12.5"), "+12.50% away")
        pnl = settings_of(PNL, market())
        away = distance_percent(pnl, Decimal(50), Decimal(10_000))
        assert (away, distance_text(away)) == (Decimal("-1.5"), "-1.50% away")
        assert distance_percent(pnl, Decimal(50), Decimal(0)) is None
        assert distance_text(distance_percent(pnl, None, Decimal(5))) == NONE

    def test_a_share_is_written_and_compared_in_percent(self) -> None:
        half = Decimal("50.125")
        assert PERCENT.write(half, "", market()) == "50.12%"
        assert PERCENT.threshold_text(half, "", market()) == "50.125%"
        assert PERCENT.threshold_text(Decimal(50), "", market()) == "50.00%"
        assert PERCENT.distance_percent(half, Decimal(40), None) == Decimal("10.125")
        assert PERCENT.distance_percent(half, None, Decimal(5)) is None
        PERCENT.check(Decimal(-5))

    def test_one_without_a_live_price_says_so(self) -> None:
        live, old = (Reading(series="", value=None, is_live=each) for each in (True, False))
        assert status_text("waiting", live) == "Waiting"
        assert status_text("waiting", old) == "No live price"
        assert status_text("fired", old) == "Fired"
