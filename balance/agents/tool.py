"""The tools of an agent: operations of the HTTP interface, called without HTTP.

A tool has the name, the description and the answer of its operation, and its parameters are read by
the same code, from its arguments instead of a request.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

from balance.agents.account import AccountTools
from balance.agents.schemas import DECIMAL, answer_schema, arguments_schema, changes_something
from balance.api.bots import BotRoutes
from balance.api.history import HistoryRoutes
from balance.api.operations import Operation
from balance.api.schema import Schema, one_line
from balance.api.trade import TradeRoutes

UNITS: Final = (
    "Money is in the quote currency (USDT), quantities are in base units, prices in the quote "
    'currency per base unit; exact decimals are texts, such as "64671.00".'
)


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One tool: an operation, and what a client should know before it lets an agent call it."""

    operation: Operation
    # Whether it may end or overwrite something: an order, a position, the run of a bot.
    destroys: bool = False
    # Whether a call that is repeated without a key changes nothing more.
    repeats: bool = False
    # Whether it may open a position, or let a bot do so, which a paused agent may not.
    opens: bool = False
    # Whether the server that runs on the folder must do it.
    needs_server: bool = False
    # Parameters and members of the answer that an agent has no use for.
    without: tuple[str, ...] = ()
    # A sentence that its description has beside that of the operation.
    note: str = ""

    @property
    def name(self) -> str:
        """What clients call it."""
        return self.operation.id

    @property
    def title(self) -> str:
        """What people are shown: ``Place order``."""
        return self.name.replace("_", " ").capitalize()

    @functools.cached_property
    def changes(self) -> bool:
        """Whether it changes anything."""
        return changes_something(self.operation)

    @functools.cached_property
    def description(self) -> str:
        """What it does, and the units of its numbers."""
        does = f"{one_line(self.operation.view.__doc__ or '')} {self.note}".rstrip()
        has_numbers = repr(DECIMAL) in repr((self.arguments, self.answer))
        return f"{does} {UNITS}" if has_numbers else does

    @functools.cached_property
    def arguments(self) -> Schema:
        """The schema of its arguments."""
        return arguments_schema(self.operation, self.without)

    @functools.cached_property
    def answer(self) -> Schema:
        """The schema of its answer."""
        return answer_schema(self.operation, self.without)


# Lists are pages here, not files.
_FILES: Final = ("format",)
_OWN: Final = "Those of others stay."

#: The tools, in the order in which they are listed.
TOOLS: Final = (
    Tool(operation=AccountTools.read_account),
    Tool(operation=TradeRoutes.list_prices),
    Tool(operation=TradeRoutes.list_candles, needs_server=True),
    Tool(operation=TradeRoutes.list_positions),
    Tool(operation=TradeRoutes.list_orders, without=_FILES),
    Tool(operation=TradeRoutes.read_order),
    Tool(operation=TradeRoutes.preview_order),
    Tool(operation=TradeRoutes.place_order, destroys=True, opens=True),
    Tool(operation=TradeRoutes.preview_oco),
    Tool(operation=TradeRoutes.place_oco, destroys=True, opens=True),
    Tool(operation=TradeRoutes.preview_amendment),
    Tool(operation=TradeRoutes.amend_order, destroys=True, repeats=True, opens=True),
    Tool(operation=TradeRoutes.cancel_order, destroys=True, repeats=True),
    Tool(operation=TradeRoutes.cancel_orders, destroys=True, repeats=True, note=_OWN),
    Tool(operation=TradeRoutes.close_position, destroys=True),
    Tool(operation=TradeRoutes.close_positions, destroys=True, repeats=True, note=_OWN),
    Tool(operation=TradeRoutes.preview_reversal),
    Tool(operation=TradeRoutes.reverse_position, destroys=True, opens=True),
    Tool(operation=TradeRoutes.preview_margin),
    Tool(operation=TradeRoutes.move_margin),
    Tool(operation=TradeRoutes.list_leverages),
    Tool(operation=TradeRoutes.set_leverage, repeats=True),
    Tool(operation=AccountTools.read_performance),
    Tool(operation=HistoryRoutes.filter_ledger, without=_FILES),
    Tool(operation=HistoryRoutes.filter_fills, without=_FILES),
    Tool(operation=HistoryRoutes.filter_trades, without=_FILES),
    Tool(operation=BotRoutes.list_strategies),
    Tool(operation=AccountTools.run_backtest, without=("file", "name")),
    Tool(
        operation=BotRoutes.list_bots,
        without=("version", "can_change", "words", "drawn", "activity"),
    ),
    Tool(operation=BotRoutes.list_log),
    Tool(operation=BotRoutes.start_bot, repeats=True, opens=True, needs_server=True),
    Tool(operation=BotRoutes.pause_bot, repeats=True, needs_server=True),
    Tool(operation=BotRoutes.resume_bot, repeats=True, opens=True, needs_server=True),
    Tool(operation=BotRoutes.stop_bot, destroys=True, repeats=True, needs_server=True),
)
