"""How the figures of an epoch's trades come about."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from balance.core.figures import NONE, dollars, gain, share
from balance.core.money import exactly, quantized
from balance.performance.derivations.derivation import (
    DIVIDED,
    HUNDRED,
    MINUS,
    TIMES,
    Derivation,
    Sign,
    Term,
    link,
    total_of,
)
from balance.performance.past_epochs import Trades

_NONE_YET: Final = "No trade has ended in this epoch yet."
_UNKNOWN: Final = "The ledger is not read that far yet."
_UNDONE: Final = "The lists have what an undone reset closed as well, which does not count."
_TITLES: Final = {
    "trades": ("Trades", "Positions that were opened and closed."),
    "wins": ("Winning trades", "Trades that brought more than nothing, after fees and funding."),
    "losses": ("Losing trades", "Trades that brought less than nothing, after fees and funding."),
    "even": ("Even trades", "Trades that brought exactly nothing, after fees and funding."),
    "win_rate": ("Win rate", "Winning trades in percent of all, even ones included."),
    "profit_factor": ("Profit factor", "What winning trades gained over what losing ones lost."),
    "average_trade": ("Average trade", "What a trade brought on average, after fees and funding."),
    "best_trade": ("Best trade", "The largest P&L of a single trade, after fees and funding."),
    "worst_trade": ("Worst trade", "The smallest P&L of a single trade, after fees and funding."),
}
_OUTCOMES: Final = ("wins", "losses", "even")
_COUNTS: Final = ("trades", *_OUTCOMES)


@exactly
def trade_figures(trades: Trades | None) -> dict[str, Decimal | int | None]:
    """The figures of ``trades``, by name: money in the quote currency, the win rate in percent;
    None where there is nothing to tell."""
    if trades is None:
        return dict.fromkeys(_TITLES)
    count, rate, factor = trades.trades, trades.win_rate, trades.profit_factor
    return {
        "trades": count,
        **{name: getattr(trades, name) for name in _OUTCOMES},
        "win_rate": None if rate is None else quantized(rate),
        "profit_factor": None if factor is None else quantized(factor),
        "average_trade": quantized((trades.gained - trades.lost) / count) if count else None,
        "best_trade": trades.best,
        "worst_trade": trades.worst,
    }


def trade_texts(trades: Trades | None, decimals: int) -> dict[str, str]:
    """The figures of ``trades`` as texts, by name."""
    told = trade_figures(trades)
    money = ("average_trade", "best_trade", "worst_trade")
    factor, rate = told["profit_factor"], told["win_rate"]
    return {
        **{name: NONE if told[name] is None else f"{told[name]:,}" for name in _COUNTS},
        "win_rate": share(None if rate is None else Decimal(rate)),
        "profit_factor": NONE if factor is None else f"{factor:,.2f}",
        **{name: gain(_money(told[name]), decimals) for name in money},
    }


def _money(amount: Decimal | int | None) -> Decimal | None:
    return None if amount is None else Decimal(amount)


@exactly
def trade_derivations(trades: Trades | None, epochs: str, decimals: int) -> dict[str, Derivation]:
    """The derivations of the figures of ``trades``, by name; ``epochs`` are those that they ended
    in, as History filters by them."""
    told, texts = trade_figures(trades), trade_texts(trades, decimals)
    found = {}
    for name, (title, words) in _TITLES.items():
        amount = told[name]
        terms: tuple[Term, ...] = ()
        if trades is None:
            words = f"{words} {_UNKNOWN}"
        elif amount is None:
            words = f"{words} {_why_none(name, trades)}"
        else:
            total = total_of(title, Decimal(amount), texts[name])
            terms = (*_terms(name, trades, epochs, decimals), total)
            if "," in epochs:
                words = f"{words} {_UNDONE}"
        found[name] = Derivation(title, words, terms)
    return found


def _why_none(name: str, trades: Trades) -> str:
    if name == "profit_factor" and trades.trades:
        return "Nothing was lost yet, so there is nothing to divide by."
    return _NONE_YET


def _terms(name: str, trades: Trades, epochs: str, decimals: int) -> tuple[Term, ...]:
    won = link("trades", epoch=epochs, outcome="win")
    lost = link("trades", epoch=epochs, outcome="loss")
    all_of_them = link("trades", epoch=epochs)
    counts = {
        "wins": ("Winning trades", trades.wins, won),
        "losses": ("Losing trades", trades.losses, lost),
        "even": ("Even trades", trades.even, link("trades", epoch=epochs, outcome="even")),
    }
    gained = Term(" ", "Gained by winners", dollars(trades.gained, decimals), trades.gained, won)
    sunk = dollars(trades.lost, decimals)
    match name:
        case "trades":
            first, *more = counts.values()
            return _count(" ", *first), *(_count("+", *each) for each in more)
        case "wins" | "losses" | "even":
            others = (each for outcome, each in counts.items() if outcome != name)
            return (
                _count(" ", "Trades", trades.trades, all_of_them),
                *(_count(MINUS, *each) for each in others),
            )
        case "win_rate":
            return (
                _count(" ", *counts["wins"]),
                _count(DIVIDED, "Trades", trades.trades, all_of_them),
                Term(TIMES, "In percent", "100", HUNDRED),
            )
        case "profit_factor":
            return gained, Term(DIVIDED, "Lost by losers", sunk, trades.lost, lost)
        case "average_trade":
            return (
                gained,
                Term(MINUS, "Lost by losers", sunk, trades.lost, lost),
                _count(DIVIDED, "Trades", trades.trades, all_of_them),
            )
    best = name == "best_trade"
    pnl = (trades.best if best else trades.worst) or Decimal(0)
    sorted_by = link("trades", epoch=epochs, sort="-pnl" if best else "pnl")
    label = "The first in this list"
    return (Term(" ", label, gain(pnl, decimals), pnl, sorted_by),)


def _count(sign: Sign, label: str, count: int, href: str) -> Term:
    return Term(sign, label, f"{count:,}", Decimal(count), href)
