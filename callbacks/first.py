"""The first minute: what its steps would do now, which of them are done, and their buttons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

from dash import Dash, Input, Output, State, no_update

from balance.api.services import Services
from balance.core.errors import BalanceError
from balance.core.orders import Preview
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk
from balance.history.question import SORTS, parse_question
from callbacks.toasts import show_outcome, show_toast
from layouts.first import DRAWN, KEPT, NOW, PRESSED, STEPS

# A small position, for so many percent of what is available, and a small bot.
_ORDER: Final = {"side": "buy", "leverage": 5}
_SHARE: Final = 1
_BOT: Final = {
    "strategy": "ema_crossover",
    "timeframe": "1m",
    "stake": 1,
    "stake_unit": "percent",
    "leverage": 3,
    "stop_loss": 2,
    "take_profit": 4,
}
# What is zero as long as nothing was done in an epoch.
_MOVES: Final = (
    *("deposits", "withdrawals", "adjustments"),
    *("realized_pnl", "fees_paid", "funding_paid"),
)
_PROGRAMS: Final = "http,program,shell"
_DONE: Final = {
    "position": "It is on Futures Trading, where you can close it.",
    "bot": "It is on Auto Trading, with what it decides and why.",
}


def register(app: Dash, desk: Desk, services: Services) -> None:
    """Let the panel follow the account while that is a new one, and its buttons work."""
    _register_drawing(app, desk, services)
    _register_order(app, desk)
    _register_bot(app, services)


def _register_drawing(app: Dash, desk: Desk, services: Services) -> None:
    @app.callback(
        Output("overview-first", "hidden"),
        Output(KEPT, "data"),
        Output(NOW, "data"),
        *(Output(f"overview-first-{each}", "data-done") for each in STEPS),
        Output("overview-first-progress", "children"),
        Output("overview-first-dismiss", "children"),
        *(Output(f"overview-first-{each}-words", "children") for each in PRESSED),
        *(Output(f"overview-first-{each}-btn", "disabled") for each in PRESSED),
        Input(DRAWN, "data"),
        Input("overview-first-dismiss", "n_clicks"),
        State(NOW, "data"),
        State(KEPT, "data"),
    )
    def draw(_: str, dismissals: int | None, now: Any, kept: Any) -> Sequence[Any]:
        nothing = (no_update,) * (len(STEPS) + 2 + 2 * len(PRESSED))
        # Not by what has triggered this: Dash makes one call of a press and what came with it.
        if dismissals:
            return True, {"dismissed": True, "account": None}, no_update, *nothing
        snapshot, kept = desk.snapshot(), kept or {}
        # What is through in this page stays until it is closed.
        account = (now or kept).get("account")
        is_known = is_fresh(snapshot) or account == snapshot.account
        if kept.get("dismissed") or not is_known:
            return True, no_update, no_update, *nothing
        done = steps_done(snapshot, desk, services)
        is_all = len(done) == len(STEPS)
        account = None if is_all else snapshot.account
        new = no_update if kept.get("account") == account else {**kept, "account": account}
        symbols = tuple(desk.market.instruments)
        first, of_bot = next(iter(symbols), ""), symbol_of_bot(symbols, snapshot)
        words, obstacle, quantity = "", "", ""
        if "position" not in done:
            words, obstacle, quantity = _offered_order(desk, snapshot, first)
        bot_obstacle = obstacle_to(of_bot, snapshot) or _obstacle_to_bots(services)
        offers = (
            ("position", words, obstacle),
            ("bot", bot_words(of_bot), bot_obstacle),
        )
        return (
            False,
            new,
            {
                "account": snapshot.account,
                "symbol": first,
                "quantity": quantity,
                "bot_symbol": of_bot,
                "key": uuid4().hex,
            },
            *("true" if each in done else "false" for each in STEPS),
            "All three are done." if is_all else f"{len(done)} of {len(STEPS)} done",
            "Close" if is_all else "Not now",
            *(_DONE[step] if step in done else why or what for step, what, why in offers),
            *(bool(why) or not what for _, what, why in offers),
        )


def _register_order(app: Dash, desk: Desk) -> None:
    button = "overview-first-position-btn"

    @app.callback(
        Output("futures-symbol", "value", allow_duplicate=True),
        Output("address", "pathname", allow_duplicate=True),
        Input(button, "n_clicks"),
        State(NOW, "data"),
        running=[(Output(button, "disabled"), True, False)],
    )
    def buy(_: int, now: Mapping[str, Any]) -> tuple[str, str]:
        # For exactly the quantity that the words said, once however often it is pressed.
        outcome = desk.place_order(
            **_ORDER,
            symbol=now["symbol"],
            quantity=Decimal(now["quantity"]),
            how={"source": "screen", "idempotency_key": now["key"]},
        )
        show_outcome(outcome)
        return now["symbol"], app.get_relative_path("/futures")


def _register_bot(app: Dash, services: Services) -> None:
    button = "overview-first-bot-btn"

    @app.callback(
        Output("address", "pathname", allow_duplicate=True),
        Input(button, "n_clicks"),
        State(NOW, "data"),
        running=[(Output(button, "disabled"), True, False)],
    )
    def start_bot(_: int, now: Mapping[str, Any]) -> str:
        bots, symbol, key = services.bots, now["bot_symbol"], now["key"]
        name = free_name(symbol, {each["name"] for each in bots.listed()["bots"]})
        made = bots.create({**_BOT, "name": name, "symbol": symbol}, key=f"{key}-bot")
        try:
            started = bots.start(made.members["bot"]["id"], key=f"{key}-start")
            show_toast(started.message)
        except BalanceError as fault:
            # It is there all the same, and can be started where it is listed.
            show_toast(str(fault), "error")
        return app.get_relative_path("/auto")


def is_fresh(snapshot: Snapshot) -> bool:
    """Whether nothing has been done in the epoch of ``snapshot`` yet."""
    is_open = snapshot.positions or snapshot.open_orders
    return not is_open and all(not snapshot[each] for each in _MOVES)


def steps_done(snapshot: Snapshot, desk: Desk, services: Services) -> list[str]:
    """Which of the steps are done, in their order."""
    done = {
        "position": bool(snapshot.positions) or bool(snapshot.fees_paid),
        "bot": bool(_listed(services).get("bots")),
        "script": _was_changed_by_program(desk),
    }
    return [each for each in STEPS if done[each]]


def symbol_of_bot(symbols: Sequence[str], snapshot: Snapshot) -> str:
    """The first of ``symbols`` that nobody holds, as a bot needs one; else the first; empty where
    there is none."""
    held = {each["symbol"] for each in snapshot.positions}
    return next((each for each in symbols if each not in held), next(iter(symbols), ""))


def obstacle_to(symbol: str, snapshot: Snapshot) -> str:
    """Why ``symbol`` can't be traded now; empty where it can."""
    if not symbol:
        return "No symbol is traded here."
    market = snapshot.market
    if market["prices"].get(symbol, {}).get("state") == "live":
        return ""
    why = market["words"] or "It can be done as soon as there is one."
    return f"{symbol} has no live price now. {why}"


def order_words(symbol: str, preview: Preview) -> str:
    """What the order of ``preview`` would do, in words."""
    shown = preview.display
    return (
        f"Buys {shown['quantity']} at market, about {shown['price']}: {symbol} worth "
        f"{shown['notional']} at {shown['leverage']} leverage. Margin {shown['margin']}, fee "
        f"{shown['fee']}, liquidated at {shown['liquidation_price']}."
    )


def bot_words(symbol: str) -> str:
    """What the bot on ``symbol`` would be, in words."""
    return (
        f"Makes and starts a bot on {symbol}: EMA crossover on candles of one minute, with "
        f"{_BOT['stake']}% of what is available as its margin, {_BOT['leverage']}x leverage, "
        f"stop-loss {_BOT['stop_loss']}%, take-profit {_BOT['take_profit']}%."
    )


def free_name(symbol: str, taken: set[str]) -> str:
    """A name for a bot on ``symbol`` that is not ``taken``."""
    base = f"EMA crossover {symbol.partition('/')[0]}"
    name, number = base, 2
    while name in taken:
        name, number = f"{base} {number}", number + 1
    return name


def _offered_order(desk: Desk, snapshot: Snapshot, symbol: str) -> tuple[str, str, str]:
    """What the order would do in words, why it can't be placed, and its quantity."""
    if obstacle := obstacle_to(symbol, snapshot):
        return "", obstacle, ""
    try:
        found = desk.preview_order(**_ORDER, symbol=symbol, percent=_SHARE)
    except BalanceError as fault:
        return "", str(fault), ""
    return order_words(symbol, found), "", str(found.quantity)


def _obstacle_to_bots(services: Services) -> str:
    """Why no bot can be made here; empty where one can."""
    listed = _listed(services)
    return "" if listed.get("can_change", True) else str(listed["words"])


def _listed(services: Services) -> Mapping[str, Any]:
    with suppress(BalanceError):  # The Auto Trading tab says so.
        return services.bots.listed()
    return {}


def _was_changed_by_program(desk: Desk) -> bool:
    """Whether a program has changed the account; it may have been made by one, too."""
    question = parse_question("ledger", {"source": _PROGRAMS, "limit": "1"}, SORTS["ledger"])
    with suppress(BalanceError):  # History says so.
        return any(each.entry.booking.kind != "start" for each in desk.ledger.answer(question).rows)
    return False
