"""The account in the dialect: money, positions, what traded, and how symbols are traded."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from balance.binance.account_rows import (
    INCOME_TYPES,
    SIDE,
    account_row,
    balance_row,
    brackets_row,
    income_row,
    margin_row,
    max_notional,
    position_risk_row,
    symbol_row,
    symbols_of,
    terms_row,
    trade_row,
)
from balance.binance.call import Call
from balance.binance.endpoints import Json, signed
from balance.binance.errors import Refusal, invalid, other_side, paused
from balance.binance.ids import order_id_of, place_of
from balance.binance.names import short
from balance.binance.numbers import unit_text
from balance.binance.order_rows import order_row
from balance.core.account import Account
from balance.core.entry import Place
from balance.core.errors import InvalidAmount, UnknownPosition
from balance.core.moments import milliseconds
from balance.core.money import ZERO
from balance.core.wallet import EVENTS, OF_A_FILL, OPENINGS
from balance.desk.desk import Desk
from balance.desk.transactions import AccountNow
from balance.history.lists import Table
from balance.history.question import Question
from balance.history.rows import LedgerRecord
from balance.history.search import unfinished

#: How many fills and margin changes an answer has at most, and how many where the request names
#: no number; how many of those of income.
MOST_ROWS: Final = 1_000
USUAL_ROWS: Final = 500
USUAL_INCOME: Final = 100
#: The same of liquidations.
MOST_LIQUIDATIONS: Final = 100
USUAL_LIQUIDATIONS: Final = 50

# Those that tell the position of their symbol, and those that state all positions anew.
_TELLING: Final = (*EVENTS, "funding", "liquidation")
_RESTATING: Final = (*OPENINGS, "external_edit", "repair")
_NOWHERE: Final[Place] = (0, 0)
# What a change of margin is, by its type.
_SIGNS: Final = {1: 1, 2: -1}
_PAGES: Final = 1_000_000


class AccountEndpoints:
    """The account: its money, positions, fills and income, and how symbols are traded. All of it
    is seen by each key; what a key changes is its own."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @signed("GET", "/fapi/v2/account")
    def read_account(self, call: Call) -> Json:
        """The account with each symbol."""
        return account_row(self._desk.now(), every=True, can_trade=not call.caller.is_paused)

    @signed("GET", "/fapi/v3/account")
    def read_open_account(self, call: Call) -> Json:
        """The account with its open positions."""
        return account_row(self._desk.now(), every=False, can_trade=not call.caller.is_paused)

    @signed("GET", "/fapi/v2/balance", "/fapi/v3/balance")
    def list_balances(self, call: Call) -> Json:  # noqa: ARG002
        """The account's money, of its one currency."""
        return [balance_row(self._desk.now())]

    @signed("GET", "/fapi/v2/positionRisk")
    def list_positions(self, call: Call) -> Json:
        """The positions of all symbols, also where nothing is open."""
        now, symbol = self._desk.now(), call.params.any_symbol(self._desk.market)
        symbols = symbols_of(now) if symbol is None else [symbol]
        return [position_risk_row(now, each) for each in symbols]

    @signed("GET", "/fapi/v3/positionRisk")
    def list_open_positions(self, call: Call) -> Json:
        """The open positions."""
        now = self._desk.now()
        return [position_risk_row(now, each) for each in _open_symbols(call, now)]

    @signed("GET", "/fapi/v1/adlQuantile")
    def list_adl(self, call: Call) -> Json:
        """How soon each position is reduced for the losses of others: never, here."""
        symbols = _open_symbols(call, self._desk.now())
        return [{"symbol": short(each), "adlQuantile": {SIDE: 0}} for each in symbols]

    @signed("GET", "/fapi/v1/apiTradingStatus")
    def read_trading_status(self, call: Call) -> Json:  # noqa: ARG002
        """For what the exchange has blocked orders: nothing, here."""
        return {"indicators": {}, "updateTime": milliseconds(self._desk.now().changed_at)}

    @signed("GET", "/fapi/v1/userTrades")
    def list_trades(self, call: Call) -> Json:
        """The fills of a symbol, oldest first."""
        market, params = self._desk.market, call.params
        symbol = params.symbol(market)
        limit = params.whole("limit", 1, MOST_ROWS, USUAL_ROWS)
        order = params.integer("orderId")
        if order is None:
            found = self._page(
                call, "fills", {"symbol": (symbol,)}, limit, params.integer("fromId")
            )
        else:
            found = [each for each in self._fills_of(order) if each.symbol == symbol]
        return [trade_row(each.entry, market) for each in found]

    @signed("GET", "/fapi/v1/income")
    def list_income(self, call: Call) -> Json:
        """What moved the balance, oldest first: resets and adjustments are none of it."""
        params = call.params
        symbol, income_type = params.any_symbol(self._desk.market), params.text("incomeType")
        kinds = tuple(kind for kind, name in INCOME_TYPES.items() if income_type in (None, name))
        limit = params.whole("limit", 1, MOST_ROWS, USUAL_INCOME)
        page = params.whole("page", 1, _PAGES, 1)
        if not kinds:
            return []
        one_of: dict[str, tuple[str, ...]] = {"kind": kinds}
        if symbol is not None:
            one_of["symbol"] = (symbol,)
        found = self._page(call, "ledger", one_of, limit, offset=limit * (page - 1))
        traded = [each.entry.place for each in found if each.entry.booking.kind in OF_A_FILL]
        fills = self._desk.ledger.fills_of(traded)
        return [income_row(each, fills.get(each.entry.place)) for each in found]

    @signed("GET", "/fapi/v1/forceOrders")
    def list_liquidations(self, call: Call) -> Json:
        """The orders that ended positions by liquidation, oldest first; none by deleveraging."""
        market, params = self._desk.market, call.params
        symbol = params.any_symbol(market)
        limit = params.whole("limit", 1, MOST_LIQUIDATIONS, USUAL_LIQUIDATIONS)
        if params.text("autoCloseType") == "ADL":
            return []
        one_of: dict[str, tuple[str, ...]] = {"kind": ("liquidation",)}
        if symbol is not None:
            one_of["symbol"] = (symbol,)
        fills = (each.entry.booking.fill for each in self._page(call, "fills", one_of, limit))
        return [order_row(self._desk.order(each.order_id), market) for each in fills if each]

    @signed("GET", "/fapi/v1/leverageBracket")
    def list_brackets(self, call: Call) -> Json:
        """The leverage brackets of each symbol, or of one."""
        market = self._desk.market
        symbol = call.params.any_symbol(market)
        rules = market.instruments.values()
        return [brackets_row(each) for each in rules if symbol in (None, each.symbol)]

    @signed("GET", "/fapi/v1/symbolConfig")
    def list_symbols(self, call: Call) -> Json:
        """How each symbol, or one, is traded."""
        now = self._desk.now()
        symbol = call.params.any_symbol(now.market)
        symbols = now.market.instruments if symbol is None else [symbol]
        return [symbol_row(now.account, each, now.market) for each in symbols]

    @signed("GET", "/fapi/v1/accountConfig")
    def read_configuration(self, call: Call) -> Json:
        """How the account trades."""
        can_trade = not call.caller.is_paused
        return {**terms_row(self._desk.now(), can_trade=can_trade), "dualSidePosition": False}

    @signed("GET", "/fapi/v1/commissionRate")
    def read_fees(self, call: Call) -> Json:
        """The fees of a symbol, as the settings say."""
        market = self._desk.market
        symbol = call.params.symbol(market)
        return {
            "symbol": short(symbol),
            "makerCommissionRate": unit_text(market.terms.maker_fee),
            "takerCommissionRate": unit_text(market.terms.taker_fee),
        }

    @signed("GET", "/fapi/v1/positionSide/dual")
    def read_position_mode(self, call: Call) -> Json:  # noqa: ARG002
        """Whether there are two positions of a symbol: never."""
        return {"dualSidePosition": False}

    @signed("POST", "/fapi/v1/positionSide/dual")
    def set_position_mode(self, call: Call) -> Json:
        """Refused: there is one position of a symbol."""
        call.params.needed("dualSidePosition")
        if call.params.flag("dualSidePosition"):
            raise Refusal(
                -4068,
                "Position side cannot be changed: there is one position of a symbol here. Set the "
                "client to one-way mode.",
            )
        raise Refusal(-4059, "No need to change position side.")

    @signed("GET", "/fapi/v1/multiAssetsMargin")
    def read_assets_mode(self, call: Call) -> Json:  # noqa: ARG002
        """Whether several currencies are margin: never."""
        return {"multiAssetsMargin": False}

    @signed("POST", "/fapi/v1/multiAssetsMargin")
    def set_assets_mode(self, call: Call) -> Json:
        """Refused: there is one currency."""
        call.params.needed("multiAssetsMargin")
        if call.params.flag("multiAssetsMargin"):
            raise Refusal(
                -4167,
                "Unable to adjust to Multi-Assets mode: positions have isolated margin, in one "
                "currency.",
            )
        raise Refusal(
            -4171,
            "Adjusted asset mode is currently set and does not need to be adjusted repeatedly.",
        )

    @signed("POST", "/fapi/v1/marginType")
    def set_margin_type(self, call: Call) -> Json:
        """Refused: margin is isolated already."""
        call.params.symbol(self._desk.market)
        kind = call.params.needed("marginType").upper()
        if kind == "ISOLATED":
            raise Refusal(-4046, "No need to change margin type.")
        if kind == "CROSSED":
            raise Refusal(
                -4047,
                "Margin type cannot be changed: each position has its own margin here. Set the "
                "client to isolated margin.",
            )
        raise invalid("marginType")

    @signed("POST", "/fapi/v1/leverage")
    def set_leverage(self, call: Call) -> Json:
        """Set the leverage of the symbol's orders, which is kept until it is set anew."""
        now, params = self._desk.now(), call.params
        symbol = params.symbol(now.market)
        params.needed("leverage")
        leverage = Decimal(params.integer("leverage") or 0)
        rules = now.market.instrument(symbol)
        if not 1 <= leverage <= rules.brackets[0].max_leverage:
            raise Refusal(
                -4028,
                f"Leverage {leverage} is not valid: {short(symbol)} may be traded at 1x to "
                f"{rules.brackets[0].max_leverage:f}x.",
            )
        if not _is_set(now.account, symbol, leverage, call.owner):
            if call.caller.is_paused:
                raise paused()
            self._desk.set_leverage(symbol, leverage, owner=call.owner)
        return {
            "symbol": short(symbol),
            "leverage": int(leverage),
            "maxNotionalValue": str(max_notional(rules, leverage)),
        }

    @signed("POST", "/fapi/v1/positionMargin")
    def move_margin(self, call: Call) -> Json:
        """Add margin to a position (type 1), or remove it (type 2)."""
        params = call.params
        symbol, side = params.symbol(self._desk.market), params.text("positionSide")
        for name in ("amount", "type"):
            params.needed(name)
        amount, way = params.number("amount") or ZERO, params.whole("type", 1, 2, 1)
        if side not in (None, SIDE):
            raise other_side()
        if not amount:
            raise Refusal(-4055, "Amount must be positive.")
        if call.caller.is_paused:
            raise paused()
        try:
            self._desk.move_margin(symbol, _SIGNS[way] * amount, owner=call.owner)
        except UnknownPosition as fault:
            raise Refusal(-4054, "Cannot add position margin: position is 0.") from fault
        except InvalidAmount as fault:
            raise Refusal(-4051, str(fault)) from fault
        return {
            "code": 200,
            "msg": "Successfully modify position margin.",
            "amount": amount,
            "type": way,
        }

    @signed("GET", "/fapi/v1/positionMargin/history")
    def list_margin_moves(self, call: Call) -> Json:
        """What was added to the margin of a symbol's positions and removed from it, oldest
        first."""
        params = call.params
        symbol = params.symbol(self._desk.market)
        way = params.whole("type", 1, 2, 0)
        limit = params.whole("limit", 1, MOST_ROWS, USUAL_ROWS)
        found = self._page(call, "ledger", {"kind": ("margin",), "symbol": (symbol,)}, limit)
        rows = [margin_row(each.entry, symbol, self._moved(symbol, each)) for each in found]
        return [each for each in rows if way in (0, each["type"])]

    def _moved(self, symbol: str, record: LedgerRecord) -> Decimal:
        """What the entry of ``record`` added to the margin of the position of ``symbol``."""
        place = record.entry.place
        before: list[Place] = [_NOWHERE]
        for one_of in ({"symbol": (symbol,), "kind": _TELLING}, {"kind": _RESTATING}):
            question = Question(
                table="ledger", one_of=one_of, before=place, limit=1, is_counted=False
            )
            before += (each.entry.place for each in self._desk.ledger.answer(question).rows)
        return self._margin_after(symbol, place) - self._margin_after(symbol, max(before))

    def _margin_after(self, symbol: str, place: Place) -> Decimal:
        """The isolated margin of the position of ``symbol`` after the entry at ``place``, which
        tells of it; 0 where there is no position."""
        found = self._desk.ledger.entry(place)
        if found is None:
            return ZERO
        booking = found.record.entry.booking
        account, effect = booking.restated, booking.effect
        position = None if account is None else account.position(symbol)
        if effect is not None:
            position = effect.position
        return ZERO if position is None else position.isolated_margin

    def _page(
        self,
        call: Call,
        table: Table,
        one_of: dict[str, tuple[str, ...]],
        limit: int,
        first: int | None = None,
        offset: int = 0,
    ) -> Sequence[LedgerRecord]:
        """The rows that ``call`` asks for, oldest first: from its start or the entry with the
        number ``first`` on, or the newest up to its end.

        Raises:
            HistoryUnavailable: the ledger is not indexed yet.
        """
        begin, end = call.params.time("startTime"), call.params.time("endTime")
        if begin is not None and end is not None and begin > end:
            raise Refusal(-1023, "Start time is greater than end time.")
        from_start = begin is not None or first is not None
        question = Question(
            table=table,
            one_of=one_of,
            begin=begin,
            end=end,
            since=None if first is None else place_of(first),
            sort="revision" if from_start else "-revision",
            offset=offset,
            limit=limit,
            is_counted=False,
        )
        answer = self._desk.ledger.answer(question)
        if not answer.progress.is_complete:
            raise unfinished(answer.progress)
        return answer.rows if from_start else answer.rows[::-1]

    def _fills_of(self, number: int) -> Sequence[LedgerRecord]:
        """The fill of the order with ``number``; none where it has not filled, or never was."""
        name = order_id_of(number)
        order = self._desk.ledger.orders.find(name)
        if order is None or order.id != name or order.fill is None or order.ended is None:
            return ()
        found = self._desk.ledger.entry(order.ended)
        return () if found is None else (found.record,)


def _open_symbols(call: Call, now: AccountNow) -> Sequence[str]:
    """The symbols of the open positions, or the one that ``call`` names if that is one of them."""
    symbol = call.params.any_symbol(now.market)
    return [each.symbol for each in now.account.positions if symbol in (None, each.symbol)]


def _is_set(account: Account, symbol: str, leverage: Decimal, owner: str) -> bool:
    """Whether ``symbol``, which nobody but ``owner`` trades, has ``leverage`` already: clients set
    it before each order, and the ledger needs no entry for that."""
    return (
        account.set_leverage(symbol) == leverage
        and account.used_leverage(symbol) in (None, leverage)
        and account.other_owner(symbol, owner) is None
    )
