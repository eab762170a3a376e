"""Backtests over HTTP, and the files of candles that they may run on."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final, NotRequired, TypedDict

from flask import Request

from balance.api.operations import Answer, delete, get, post
from balance.api.problems import Problem
from balance.api.requests import Body, Parameters, bytes_of
from balance.api.schema import Schema, Schemas
from balance.backtests.candle_files import CandleFileRow
from balance.backtests.jobs import BacktestRow, Backtests
from balance.bots.settings import BotSettings
from balance.core.money import DEFAULT_STARTING_BALANCE
from balance.core.shape import Doc, Money

#: No file of candles may be larger, in bytes.
LARGEST_FILE: Final = 16 * 1024 * 1024
#: What a file of candles may be declared as.
FILE_TYPES: Final = ("text/csv", "application/json", "application/zip", "application/gzip")

BacktestId = Annotated[str, Doc("The id that its start was answered with.")]
FileName = Annotated[str, Doc("The file's name, which may say the symbol: BTCUSDT-1m.csv.")]
FileSymbol = Annotated[str | None, Doc("Which one is taken where the file has several markets.")]
DateFormat = Annotated[
    str | None,
    Doc("Of dates whose day and month can't be distinguished: DD/MM/YYYY or the like."),
]


class BacktestRange(TypedDict):
    """What a backtest runs on, beside the settings of its bot."""

    hours: NotRequired[
        Annotated[
            Decimal | None, Doc("The newest so many; null: all there is.", exclusiveMinimum=0)
        ]
    ]
    file: NotRequired[Annotated[str | None, Doc("An id that POST /candles gave; null: this feed.")]]
    balance: NotRequired[
        Annotated[
            Money | None,
            Doc("What to begin with.", minimum=1, default=int(DEFAULT_STARTING_BALANCE)),
        ]
    ]


# A file may say of which symbol it is; the feed does not.
_RULES: Final[dict[str, Any]] = {
    "required": ["strategy"],
    "if": {"required": ["file"], "properties": {"file": {"type": "string"}}},
    "else": {"required": ["symbol"]},
}
BacktestBody = Annotated[dict[str, Any], Body(BotSettings, BacktestRange, **_RULES)]


class _FileBody(Parameters):
    """A file of candles as the body."""

    is_body = True
    is_optional = False

    def content(self, _: Schemas) -> Schema:
        """It as OpenAPI describes it, by its media types."""
        text = {"schema": {"type": "string"}}
        return {each: text if each == "text/csv" else {"schema": {}} for each in FILE_TYPES}


def _file(request: Request, _: object) -> bytes:
    content = bytes_of(request, LARGEST_FILE)
    if request.mimetype not in FILE_TYPES:
        raise Problem(
            415,
            "The body must be a file of candles: send Content-Type: text/csv, or "
            f"{', '.join(FILE_TYPES[1:-1])} or {FILE_TYPES[-1]}.",
        )
    return content


File = Annotated[bytes, _FileBody(_file, (413, 415, 422))]


class BacktestAnswer(TypedDict):
    """How a backtest stands."""

    backtest: BacktestRow


class CandleFileAnswer(TypedDict):
    """What is in a file of candles."""

    file: CandleFileRow


class BacktestRoutes:
    """Backtests, and the files of candles that they may run on."""

    tag = "backtests"

    def __init__(self, backtests: Backtests) -> None:
        self._backtests = backtests

    @post("/backtests", status=202)
    def start_backtest(self, body: BacktestBody) -> Answer[BacktestAnswer]:
        """Begin a backtest; GET says how it stands."""
        return Answer({"backtest": self._backtests.start(body)})

    @get("/backtests/<backtest_id>")
    def read_backtest(self, backtest_id: BacktestId) -> Answer[BacktestAnswer]:
        """How a backtest stands, and its report when it is done."""
        return Answer({"backtest": self._backtests.row(backtest_id)})

    @delete("/backtests/<backtest_id>")
    def cancel_backtest(self, backtest_id: BacktestId) -> Answer[BacktestAnswer]:
        """Cancel a backtest."""
        return Answer({"backtest": self._backtests.cancel(backtest_id)})

    @post(
        "/candles",
        texts={
            413: "The body is over 16 MiB",
            415: "The body is not declared as CSV, JSON, zip or gzip",
            422: "The file can't be read; the detail says which line is wrong",
        },
    )
    def upload_candles(
        self,
        body: File,
        name: FileName = "candles.csv",
        symbol: FileSymbol = None,
        date_format: DateFormat = None,
    ) -> Answer[CandleFileAnswer]:
        """Send a file of candles for backtests; the newest five are stored.

        CSV, or JSON as a list of [time, open, high, low, close, volume], as it is or packed with
        zip or gzip; several files of one symbol in a .zip are put together.
        """
        return Answer({"file": self._backtests.add_file(name, body, symbol, date_format)})
