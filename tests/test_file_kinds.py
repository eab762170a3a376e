"""Files of candles as people have them: each is read rightly, or refused in a short message."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars
import pytest

from balance.core.quote import MarkPrices
from balance.market.feed import FeedFault
from balance.market.replay.candle_file import (
    CandleFile,
    Reading,
    candles_in,
    read_candles,
    with_marks,
)

HEADER = "time,open,high,low,close,volume"
MINUTES = [f"2022-01-03 00:0{number},5,6,4,5,{number + 1}" for number in range(5)]
DAYS = [f"2022-01-0{number},5,6,4,5,{number}" for number in range(1, 6)]
BEGIN = datetime(2022, 1, 3, tzinfo=UTC)

Read = Callable[..., CandleFile]


def read(*lines: str, name: str = "mine.csv", **how: str) -> CandleFile:
    """The candles of a file called ``name`` with these ``lines``."""
    return candles_in([(name, "\n".join(lines).encode())], Reading(**how))


def refused(*lines: str, **how: str) -> str:
    """The message with which such a file is refused, which is short."""
    with pytest.raises(FeedFault) as fault:
        read(*lines, **how)
    assert len(str(fault.value)) < 400
    return str(fault.value)


def times(file: CandleFile) -> list[str]:
    """When its candles began."""
    return [f"{each.time:%Y-%m-%d %H:%M:%S}" for each in file.candles]


def figures(file: CandleFile, place: int = 0) -> list[str]:
    """Open, high, low, close and volume of a candle."""
    each = file.candles[place]
    return [str(x) for x in (each.open, each.high, each.low, each.close, each.volume)]


class TestTimes:
    """Which moment a row is of."""

    def test_the_open_stamp_is_taken_where_there_is_an_end_too(self) -> None:
        file = read(
            "timeOpen;timeClose;timeHigh;timeLow;name;open;high;low;close;volume;marketCap;"
            "circulatingSupply;timestamp",
            *(
                f'"2025-02-0{day}T00:00:00.000Z";"2025-02-0{day}T23:59:59.999Z";'
                f'"2025-02-0{day}T03:00:00.000Z";"2025-02-0{day}T02:00:00.000Z";"2781";'
                f'97000.5;102000.25;91000.125;101000.0625;115000000000.5;2000000000.5;19818000;'
                f'"2025-02-0{day}T23:59:59.999Z"'
                for day in (4, 3)
            ),
        )  # fmt: skip
        assert times(file) == ["2025-02-03 00:00:00", "2025-02-04 00:00:00"]
        assert figures(file)[:4] == ["97000.5", "102000.25", "91000.125", "101000.0625"]
        assert (file.seconds, file.notes) == (86_400, ())

    @pytest.mark.parametrize(
        "end",
        ["T23:59:59.999Z", " 23:59:59", "T23:59:59.999999+00:00", " 23:59", " 23:59:59.999999999"],
    )
    def test_an_end_stamp_alone_is_moved_to_the_open(self, end: str) -> None:
        lines = [f"2025-02-0{day}{end},5,6,4,5,1" for day in (3, 4, 5)]
        file = read("timestamp,open,high,low,close,volume", *lines)
        assert times(file) == [f"2025-02-0{day} 00:00:00" for day in (3, 4, 5)]
        assert file.notes == (
            "Its times are those at which candles end: each was moved back by 1 day.",
        )

    def test_a_column_that_is_called_an_end_is_one(self) -> None:
        lines = [f"2025-02-03 0{hour}:00,5,6,4,5,1" for hour in (1, 2, 3)]
        file = read("close_time,open,high,low,close,volume", *lines)
        assert times(file)[0] == "2025-02-03 00:00:00"
        assert "moved back by 1 hour." in file.notes[0]
        both = read("close_time,open_time,open,high,low,close,volume", *(f"x,{x}" for x in lines))
        assert times(both)[0] == "2025-02-03 01:00:00"

    def test_the_end_of_one_candle_says_not_when_it_began(self) -> None:
        assert "one candle only" in refused(HEADER, "2025-02-03 23:59:59.999,5,6,4,5,1")

    def test_hours_are_no_ends(self) -> None:
        lines = [f"2025-02-03 0{hour}:30,5,6,4,5,1" for hour in (1, 2, 3)]
        assert times(read(HEADER, *lines))[0] == "2025-02-03 01:30:00"
        minutes = [f"2025-02-03 00:{minute},5,6,4,5,1" for minute in (59, "58", "57")]
        assert times(read(HEADER, *minutes))[-1] == "2025-02-03 00:59:00"

    @pytest.mark.parametrize(
        ("header", "line"),
        [
            ("Date,Time,Open,High,Low,Close,Volume", "2025.02.03,23:0{},5,6,4,5,7"),
            ("Date,Time,Open,High,Low,Close,Volume", "2025-02-03,23:0{}:00,5,6,4,5,7"),
            (
                "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>",
                "2025.02.03\t23:0{}:00\t5\t6\t4\t5\t9\t7\t1",
            ),
            (
                "<TICKER>,<PER>,<DTYYYYMMDD>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>",
                "BTCUSDT,1,20250203,230{}00,5,6,4,5,7",
            ),
            (None, "2025.02.03,23:0{},5,6,4,5,7"),
        ],
    )
    def test_date_and_time_may_be_in_two_columns(self, header: str | None, line: str) -> None:
        lines = [line.format(minute) for minute in range(3)]
        file = read(*([header] if header else []), *lines)
        assert times(file) == [f"2025-02-03 23:0{minute}:00" for minute in range(3)]
        assert figures(file) == ["5", "6", "4", "5", "7"]

    def test_a_whole_time_needs_no_second_column(self) -> None:
        file = read("Date,Time,Open,High,Low,Close", "2025-02-03 23:01,23:01,5,6,4,5")
        assert times(file) == ["2025-02-03 23:01:00"]

    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2019-10-17 09-AM", "2019-10-17 09:00:00"),
            ("2019-10-17 12-AM", "2019-10-17 00:00:00"),
            ("2019-10-17 12-PM", "2019-10-17 12:00:00"),
            ('"Feb 03, 2025"', "2025-02-03 00:00:00"),
            ("3 February 2025 14:30", "2025-02-03 14:30:00"),
            ("03-Feb-2025", "2025-02-03 00:00:00"),
            ("2025.02.03 01:02", "2025-02-03 01:02:00"),
            ("2025/2/3 1:02", "2025-02-03 01:02:00"),
            ("31.01.2025 23:00:00.000 GMT+0100", "2025-01-31 22:00:00"),
            ("1/31/2025 2:05 PM", "2025-01-31 14:05:00"),
            ("Mon Feb 03 2025 08:00:00 GMT+0000", "2025-02-03 08:00:00"),
            ("202502031530", "2025-02-03 15:30:00"),
            ("20250203153000", "2025-02-03 15:30:00"),
        ],
    )
    def test_times_are_read_as_people_write_them(self, text: str, moment: str) -> None:
        assert times(read(HEADER, f"{text},5,6,4,5,1")) == [moment]

    @pytest.mark.parametrize(
        ("days", "expected", "note"),
        [
            (["11.01.2025", "12.01.2025", "13.01.2025"], "2025-01-11", "the day first"),
            (["01/11/2025", "01/12/2025", "01/13/2025"], "2025-01-11", "the month first"),
        ],
    )
    def test_the_file_says_what_day_and_month_are(
        self, days: list[str], expected: str, note: str
    ) -> None:
        file = read(HEADER, *(f"{day},5,6,4,5,1" for day in days))
        assert times(file)[0].startswith(expected)
        assert file.notes == (f"Its dates have {note}.",)

    def test_day_and_month_that_can_not_be_told_apart_are_asked_for(self) -> None:
        lines = [f"0{day}/02/2025,5,6,4,5,1" for day in (3, 4)]
        words = refused(HEADER, *lines)
        assert words.startswith('mine.csv line 2: which is the day and which the month of "03/02/')
        assert "--date-format" in words
        for given in ("DD/MM/YYYY", "%d/%m/%Y", "dmy", "dd.mm.yyyy"):
            assert times(read(HEADER, *lines, date_format=given))[0] == "2025-02-03 00:00:00"
        by_month = read(HEADER, *lines[:1], date_format="MM/DD/YYYY")
        assert times(by_month) == ["2025-03-02 00:00:00"]
        assert "The date format must be DD/MM/YYYY" in refused(HEADER, *lines, date_format="x")

    def test_years_of_two_digits_need_their_format(self) -> None:
        line = "31/01/25,5,6,4,5,1"
        assert "which is the day" in refused(HEADER, line)
        assert times(read(HEADER, line, date_format="DD/MM/YY")) == ["2025-01-31 00:00:00"]

    def test_a_date_that_does_not_fit_the_others_is_named(self) -> None:
        words = refused(HEADER, "30/01/2025,5,6,4,5,1", "01/31/2025,5,6,4,5,1")
        assert words.startswith('mine.csv line 3: "01/31/2025" is no time')

    def test_days_of_other_lengths_are_days(self) -> None:
        days = ["03-29T00:00+01:00", "03-30T00:00+01:00", "03-31T00:00+02:00", "04-01T00:00+02:00"]
        file = read(HEADER, *(f"2025-{day},5,6,4,5,1" for day in days))
        assert (file.seconds, len(file.candles)) == (86_400, 4)
        autumn = ["10-26T00:00+02:00", "10-27T00:00+01:00"]
        assert read(HEADER, *(f"2025-{day},5,6,4,5,1" for day in autumn)).seconds == 86_400
        assert read(HEADER, *(f"2025-{day},5,6,4,5,1" for day in days[1:3])).seconds == 86_400


class TestNumbers:
    """Digits are exact, however they are written."""

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ('2025-02-03,"41,000.50","42,000","40,000.25","41,500.00","1,234.5"',
             ["41000.50", "42000", "40000.25", "41500.00", "1234.5"]),
            ('2025-02-03,5,6,4,5.5,68.31K', ["5", "6", "4", "5.5", "68310.00"]),
            ("2025-02-03,5,6,4,5,1.5M", ["5", "6", "4", "5", "1500000.0"]),
            ("2025-02-03,$5.10,$6,$4,$5,1", ["5.10", "6", "4", "5", "1"]),
            ("2025-02-03,1e-8,2E-8,1E-8,1.5e-08,1", ["1E-8", "2E-8", "1E-8", "1.5E-8", "1"]),
            ('2025-02-03,"1,234,567","1,234,568","1,234,566","1,234,567",5',
             ["1234567", "1234568", "1234566", "1234567", "5"]),
        ],
    )  # fmt: skip
    def test_thousands_and_units_are_read(self, line: str, expected: list[str]) -> None:
        file = read(HEADER, line)
        assert list(map(Decimal, figures(file))) == list(map(Decimal, expected))

    @pytest.mark.parametrize(
        "line",
        [
            "03.02.2025;1.234,5;1.300,25;1.200;1.250,125;1.000",
            "2025-02-03;1234,5;1300,25;1200;1250,125;1000",
        ],
    )
    def test_a_decimal_comma_is_one(self, line: str) -> None:
        file = read(HEADER.replace(",", ";"), line, date_format="dmy")
        assert times(file) == ["2025-02-03 00:00:00"]
        assert [float(x) for x in figures(file)] == [1234.5, 1300.25, 1200, 1250.125, 1000]

    def test_a_file_without_header_may_have_decimal_commas(self) -> None:
        file = read("2025-02-03;1,5;1,75;1,25;1,5;10,5", "2025-02-04;1,5;1,75;1,25;1,5;10")
        assert figures(file) == ["1.5", "1.75", "1.25", "1.5", "10.5"]

    def test_a_comma_that_may_be_either_is_refused(self) -> None:
        line = '2025-02-03,"41,000","42,000","40,000","41,500","1"'
        words = refused(HEADER, line)
        assert words.startswith('mine.csv line 2: "41,000" may be 41000 or 41.000: write numbers')

    def test_all_digits_stay(self) -> None:
        digits = "46319.00000000000000000000000001"
        assert figures(read(HEADER, f"2025-02-03,{digits},46400,46300,{digits},1"))[0] == digits

    def test_what_is_off_by_the_error_of_doubles_is_widened(self) -> None:
        file = read(
            HEADER,
            "2025-02-03,5,6.123456789,4,6.12345678900001,1",
            "2025-02-04,3.99999999999999,6,4,5,1",
        )
        assert file.candles[0].high == Decimal("6.12345678900001")
        assert file.candles[1].low == Decimal("3.99999999999999")
        assert file.notes == (
            "2 rows with an open or close outside high and low by a tick at most: high and low "
            "were widened to it.",
        )
        beyond = "2025-02-03,5,6,4,6.0002,1"
        assert "close 6.0002 is above high 6" in refused(HEADER, beyond)
        # A tick of Bitcoin is 0.1.
        bitcoin = "2025-02-03,40000,40010,39990,40010.{},1"
        assert read(HEADER, bitcoin.format("09"), symbol="BTC/USDT")
        assert "is above high" in refused(HEADER, bitcoin.format("2"), symbol="BTC/USDT")


class TestColumns:
    """What a column holds."""

    def test_the_volume_of_the_coin_is_taken_before_that_of_the_money(self) -> None:
        header = "date,symbol,open,high,low,close,volume_btc,volume"
        line = "2025-02-03,BTCUSD,40000,41000,39000,40500,12.5,506250"
        assert figures(read(header, line))[4] == "12.5"
        without = ("date,open,high,low,close,volume_btc,volume", line.replace("BTCUSD,", ""))
        assert figures(read(*without))[4] == "12.5"
        assert figures(read(*without, symbol="BTC/USDT"))[4] == "12.5"
        # Of ETH/BTC, that in bitcoin is the money.
        assert figures(read(*without, symbol="ETH/BTC"))[4] == "506250"

    def test_the_plain_volume_is_taken_where_the_other_is_the_money(self) -> None:
        for other in ("volume_usd", "Volume MA", "quote_volume", "Volume USDT"):
            header = f"date,open,high,low,close,{other},volume"
            assert figures(read(header, "2025-02-03,5,6,4,5,999,7"))[4] == "7"

    def test_without_volumes_they_are_zero_and_it_is_said_once(self) -> None:
        for header in ("time,open,high,low,close", "time,open,high,low,close,Volume USDT"):
            file = read(header, *(line.rpartition(",")[0] + ",9" for line in DAYS))
            assert {each.volume for each in file.candles} == {0}
            assert file.notes == ("It has no volume column: volume is 0.",)

    def test_investing_com(self) -> None:
        file = read(
            '\ufeff"Date","Price","Open","High","Low","Vol.","Change %"',
            '"02/14/2025","97,508.9","96,562.0","98,819.5","96,354.7","68.31K","0.98%"',
            '"02/13/2025","96,561.9","97,833.0","98,079.3","95,260.4","87.53K","-1.30%"',
            name="Bitcoin Historical Data.csv",
        )
        assert times(file) == ["2025-02-13 00:00:00", "2025-02-14 00:00:00"]
        assert list(map(Decimal, figures(file, 1))) == [
            Decimal(x) for x in ("96562.0", "98819.5", "96354.7", "97508.9", "68310")
        ]

    def test_the_mark_price_has_columns_of_its_own(self) -> None:
        file = read(
            f"{HEADER},mark_open,mark_high,mark_low,mark_close",
            f"{DAYS[0]},5,5.5,4.5,5.25",
            f"{DAYS[1]},,,,",
        )
        assert file.marks == [MarkPrices(*map(Decimal, ("5", "5.5", "4.5", "5.25"))), None]
        assert read(HEADER, *DAYS).marks == ()
        header = f"{HEADER},mark_open,mark_high,mark_low,mark_close"
        assert "line 2: close 7 is above high 6" in refused(header, f"{DAYS[0]},5,6,4,7")
        assert 'line 2: mark_low "x" is' in refused(header, f"{DAYS[0]},5,6,x,5")
        assert "has not all of mark_open" in refused(f"{HEADER},mark_open", f"{DAYS[0]},5")


class TestMarkets:
    """One file, one market."""

    LINES = (
        "time,symbol,open,high,low,close,volume",
        *(f"2025-02-0{day},BTCUSDT,5,6,4,5,1" for day in (3, 4, 5)),
        *(f"2025-02-0{day},ETHUSDT,2,3,1,2,1" for day in (3, 4, 5)),
    )

    def test_a_column_says_the_symbol(self) -> None:
        assert read(*self.LINES[:4]).symbol == "BTC/USDT"
        assert read(HEADER, *DAYS).symbol is None
        pair = ("time,pair,open,high,low,close", "2025-02-03,BTC/USD,5,6,4,5")
        assert read(*pair).symbol == "BTC/USD"

    def test_of_two_markets_the_one_that_is_named_is_taken(self) -> None:
        for symbol, opened in (("BTC/USDT", 5), ("eth-usdt", 2)):
            file = read(*self.LINES, symbol=symbol)
            assert [each.open for each in file.candles] == [opened] * 3
            assert file.notes[0].startswith("Of its 2 markets, ")

    @pytest.mark.parametrize(
        "names", [("BTC", "ETH"), ("BTCUSD", "ETHUSD"), ("BTC-USDT-SWAP", "ETH-USDT-SWAP")]
    )
    @pytest.mark.parametrize("symbol", ["BTC/USDT", "btcusdt"])
    def test_a_market_may_be_called_otherwise(self, names: tuple[str, str], symbol: str) -> None:
        lines = [
            line.replace("BTCUSDT", names[0]).replace("ETHUSDT", names[1]) for line in self.LINES
        ]
        assert read(*lines, symbol=symbol).candles == read(*self.LINES, symbol=symbol).candles

    def test_else_they_are_named(self) -> None:
        assert refused(*self.LINES) == (
            "mine.csv has candles of 2 markets, BTCUSDT, ETHUSDT: name one of them as the symbol."
        )
        assert "ETHUSDT, and not SOL/USDT: name one" in refused(*self.LINES, symbol="SOL/USDT")
        many = (self.LINES[0], *(f"2025-02-03,COIN{number}USDT,5,6,4,5,1" for number in range(500)))
        assert "and 492 more" in refused(*many)

    def test_faults_of_the_other_market_do_not_matter(self) -> None:
        lines = [*self.LINES[:5], "2025-02-03,ETHUSDT,x,3,1,2,1", "2025-02-06,BTCUSDT,5,y,4,5,1"]
        words = refused(*lines, symbol="BTC/USDT")
        assert words.startswith('mine.csv line 7: high "y" is not a number')


class TestRows:
    """What is a candle, and what is none."""

    @pytest.mark.parametrize("cells", ["NaN,NaN,NaN,NaN,NaN", ",,,,", "null,null,null,null,null"])
    def test_rows_without_prices_are_gaps(self, cells: str) -> None:
        file = read(HEADER, MINUTES[0], MINUTES[1], f"2022-01-03 00:02,{cells}", *MINUTES[3:])
        assert [each.time.minute for each in file.candles] == [0, 1, 3, 4]
        assert file.notes == ("1 row without prices left out, as a gap.",)

    @pytest.mark.parametrize("cell", ["NaN", "", "null", "-"])
    def test_a_volume_that_is_none_is_zero(self, cell: str) -> None:
        file = read(HEADER, MINUTES[0], f"2022-01-03 00:01,5,6,4,5,{cell}")
        assert figures(file, 1)[4] == "0"
        assert file.notes == ("1 row without a volume: it is 0 there.",)

    def test_a_row_with_some_prices_is_wrong(self) -> None:
        words = refused(HEADER, MINUTES[0], "2022-01-03 00:01,5,,4,5,1")
        assert words == 'mine.csv line 3: high "" is not a number.'
        assert "line 3: it has only 3 columns" in refused(
            HEADER, MINUTES[0], "2022-01-03 00:01,5,6"
        )

    def test_lines_that_are_no_candles_are_passed_over(self) -> None:
        expected = read(HEADER, *MINUTES).candles
        file = read(
            "Timestamps are UTC timezone,https://www.example.com",
            "",
            HEADER,
            *MINUTES[:2],
            "# a comment",
            HEADER,
            *MINUTES[2:4],
            ",,,,,",
            "// another, with, some, more, commas",
            MINUTES[4],
        )
        assert file.candles == expected
        assert file.notes == ()
        german = [line.replace(",", ";") for line in (HEADER, *MINUTES)]
        assert read("sep=;", *german).candles == expected
        assert read("# 1", "# a, b", HEADER, *MINUTES).candles == expected

    def test_a_wrong_line_is_named_with_its_number_in_the_file(self) -> None:
        lines = ("A vendor, with a comma", "", HEADER, *MINUTES[:3], "# x", "", "soon,5,6,4,5,1")
        assert refused(*lines).startswith('mine.csv line 9: "soon" is no time')
        crlf = "\r\n".join(lines).encode()
        with pytest.raises(FeedFault, match=r'^mine\.csv line 9: "soon" is no time'):
            candles_in([("mine.csv", crlf)])

    def test_a_wrong_first_line_is_not_passed_over(self) -> None:
        words = refused("1640991660000,46319.0,x,46319.0,46377.0,49.5", "1640991720000,5,6,4,5,1")
        assert words.startswith("mine.csv line 1: it is no header, and no candle")

    def test_a_quote_that_nothing_closes_spoils_no_other_line(self) -> None:
        file = read(HEADER + ",note", f'{MINUTES[0]},6" pipe', *(f"{x},a" for x in MINUTES[1:]))
        assert len(file.candles) == 5
        for line in ('2022-01-03 00:01,5,"6,4,5,1,a', '2022-01-03 00:01,5,6,4,5,1,"a'):
            words = refused("A vendor", HEADER + ",note", f"{MINUTES[0]},a", line, *MINUTES[2:])
            assert words == "mine.csv line 4: a quote in it is not closed."

    @pytest.mark.parametrize("newest_first", [False, True])
    def test_a_candle_that_was_saved_before_it_ended_counts_once(self, newest_first: bool) -> None:
        lines = [*MINUTES[:3], "2022-01-03 00:02,5,7,4,6,9", *MINUTES[3:]]
        file = read(HEADER, *(reversed(lines) if newest_first else lines))
        assert figures(file, 2) == ["5", "7", "4", "6", "9"]
        assert file.notes == (
            "The candle of 2022-01-03 00:02 UTC is there twice, once unfinished: the finished one "
            "counts.",
        )

    def test_two_candles_of_which_none_holds_the_other_are_refused(self) -> None:
        for other in ("2022-01-03 00:04,6,7,4,6,9", "2022-01-03 00:04,5,5.5,4,5,9"):
            words = refused(HEADER, *MINUTES, other)
            assert words.startswith("mine.csv line 7: another candle of 2022-01-03 00:04 UTC is in")


def zipped(**files: str) -> bytes:
    """A .zip with ``files``, texts by names."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return memory.getvalue()


def text_of(*lines: str) -> str:
    """A file of such ``lines``."""
    return "\n".join((HEADER, *lines, ""))


class TestPacked:
    """What a file is in."""

    def test_zip_and_gzip_are_unpacked(self) -> None:
        text, expected = text_of(*MINUTES), read(HEADER, *MINUTES).candles
        assert candles_in([("a.zip", zipped(**{"a.csv": text}))]).candles == expected
        assert candles_in([("a.csv.gz", gzip.compress(text.encode()))]).candles == expected
        inner = zipped(**{"x/a.csv": text, "__MACOSX/._a.csv": "x", "a.CHECKSUM": "x"})
        assert candles_in([("a.zip", inner)]).candles == expected

    def test_months_in_one_zip_are_put_together(self) -> None:
        data = zipped(b=text_of(*MINUTES[2:]), **{"b.csv": text_of(*MINUTES[2:]),
                                                  "a.csv": text_of(*MINUTES[:3])})  # fmt: skip
        file = candles_in([("months.zip", data)])
        assert file.candles == read(HEADER, *MINUTES).candles
        assert file.name == "months.zip"

    def test_of_two_markets_in_one_zip_the_one_that_is_named_is_taken(self) -> None:
        later = [line.replace("2022", "2023") for line in MINUTES]
        data = zipped(**{"BTCUSDT-1m.csv": text_of(*MINUTES), "ETHUSDT-1m.csv": text_of(*later)})
        file = candles_in([("m.zip", data)], Reading(symbol="ETH/USDT"))
        assert file.candles == read(HEADER, *later).candles
        assert file.notes == ("Of its 2 markets, ETH/USDT is taken.",)
        for symbol in (None, "SOL/USDT"):
            with pytest.raises(FeedFault, match=r"has candles of BTC/USDT, ETH/USDT.*name one"):
                candles_in([("m.zip", data)], Reading(symbol=symbol))

    def test_long_names_make_no_long_messages(self) -> None:
        data = zipped(**{f"{'a' * 9_000}.csv": "x", "b.csv": text_of(*MINUTES)})
        with pytest.raises(FeedFault) as fault:
            candles_in([("m.zip", data)])
        assert len(str(fault.value)) < 300
        lines = [f"2025-02-03,{each * 3_000}USDT,5,6,4,5" for each in "AB"]
        header = "time,symbol,open,high,low,close"
        assert "2 markets" in refused(header, *lines)
        assert "and not CCC" in refused(header, *lines, symbol="C" * 3_000)
        file = read(header, *lines, symbol=f"{'A' * 3_000}/USDT")
        assert len(file.notes[0]) < 100

    def test_a_wrong_line_of_a_packed_file_is_named(self) -> None:
        data = zipped(**{"a.csv": text_of(*MINUTES), "b.csv": text_of("x,5,6,4,5,1")})
        with pytest.raises(FeedFault, match=r'^m\.zip/b\.csv line 2: "x" is no time'):
            candles_in([("m.zip", data)])

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (zipped(**{"a.md": "x"}), "m.zip has no file of candles in it."),
            (zipped(**{"a.csv": "x" * 300_000}), "m.zip has more than 0 MiB when it is unpacked"),
            (gzip.compress(b"1\n" * 100_000), "m.zip has more than 0 MiB when it is unpacked"),
            (gzip.compress(b"1\n" * 100)[:-9], "m.zip is damaged: it can't be unpacked"),
            (b"PK\x03\x04", "m.zip is damaged: it can't be unpacked"),
            (b"1\n" * 5_000, "m.zip has 5,000 lines; the most is 2,083: cut it into parts"),
        ],
        ids=["nothing in it", "large zip", "large gzip", "cut gzip", "cut zip", "many lines"],
    )
    def test_what_is_too_large_or_damaged_is_refused(self, data: bytes, words: str) -> None:
        with pytest.raises(FeedFault) as fault:
            candles_in([("m.zip", data)], Reading(most=100_000))
        assert str(fault.value).startswith(words)

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
    @pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
    def test_what_excel_writes_is_read(self, encoding: str, newline: str) -> None:
        text = newline.join((HEADER.replace(",", "\t"), *(x.replace(",", "\t") for x in MINUTES)))
        file = candles_in([("a.txt", text.encode(encoding))])
        assert file.candles == read(HEADER, *MINUTES).candles

    def test_json_of_freqtrade_is_read(self) -> None:
        rows = [[1641168000000 + 60_000 * each, 5.1, 6, 4.0, 5, each + 0.5] for each in range(3)]
        expected = [["5.1", "6", "4.0", "5", f"{each}.5"] for each in range(3)]
        for text in (json.dumps(rows), json.dumps(rows, indent=2), json.dumps(rows)[:-1] + " ]\n"):
            file = candles_in([("BTC_USDT-1m.json", text.encode())])
            assert [figures(file, place) for place in range(3)] == expected
            assert file.candles[0].time == BEGIN
        texts = [[str(cell) for cell in row] for row in rows]
        assert figures(candles_in([("a.json", json.dumps(texts).encode())])) == expected[0]

    def test_json_digits_are_exact(self) -> None:
        digits = "0.1000000000000000055511151231257827"
        data = f"[[1641168000000,{digits},1,0.05,{digits},1]]".encode()
        assert figures(candles_in([("a.json", data)]))[0] == digits

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("[]", "a.json has no candles."),
            ('{"a": 1}', "a.json is JSON, but not a list of [time, open, high, low, close, vol"),
            ('[{"a": 1}]', "a.json is JSON, but not a list of"),
            ("[[1641168000000,5]]", "a.json is JSON, but not a list of"),
            ("[" * 100_000, "a.json is JSON, but not a list of"),
            (
                "[[1641168000000,5,6,4,5,1],[1641168060000,5,6,4,null,1]]",
                'a.json row 2: close "null" is not a number',
            ),
        ],
    )  # fmt: skip
    def test_other_json_is_refused(self, text: str, words: str) -> None:
        with pytest.raises(FeedFault) as fault:
            candles_in([("a.json", text.encode())])
        assert str(fault.value).startswith(words)
        assert len(str(fault.value)) < 300

    def test_feather_of_freqtrade_is_read(self) -> None:
        frame = polars.DataFrame(
            {
                "date": [BEGIN + timedelta(minutes=each) for each in range(3)],
                **{name: [0.1, 46319.5, 1e-7] for name in ("open", "high", "low", "close")},
                "volume": [1.5, None, 2.0],
            }
        )
        memory = io.BytesIO()
        frame.write_ipc(memory, compression="lz4")
        file = candles_in([("BTC_USDT-1m.feather", memory.getvalue())])
        assert [each.time for each in file.candles] == frame["date"].to_list()
        assert [each.open for each in file.candles] == [
            Decimal("0.1"), Decimal("46319.5"), Decimal("1e-7"),
        ]  # fmt: skip
        assert file.candles[1].volume == 0
        with pytest.raises(FeedFault, match=r"a\.feather is a feather file: save it as CSV"):
            candles_in([("a.feather", memory.getvalue())], Reading(feather=False))
        with pytest.raises(FeedFault, match=r"a\.feather is no feather file that can be read"):
            candles_in([("a.feather", memory.getvalue()[:200])])


class TestSeveral:
    """Files of one symbol, put together."""

    @pytest.fixture
    def files(self, tmp_path: Path) -> Callable[..., list[Path]]:
        """Writes files of such lines, one after the other."""

        def write(*files: list[str]) -> list[Path]:
            paths = [tmp_path / f"{'abc'[number]}.csv" for number in range(len(files))]
            for path, lines in zip(paths, files, strict=True):
                path.write_text(text_of(*lines))
            return paths

        return write

    def test_they_follow_each_other_by_time(self, files: Callable[..., list[Path]]) -> None:
        for parts in ((MINUTES[:2], MINUTES[2:]), (MINUTES[2:], MINUTES[:4])):
            file = read_candles(*files(*parts))
            assert file.candles == read(HEADER, *MINUTES).candles
            assert (file.name, file.seconds) == ("a.csv+b.csv", 60)

    def test_where_they_differ_both_are_named(self, files: Callable[..., list[Path]]) -> None:
        other = MINUTES[2].replace(",5,6", ",5.5,6")
        with pytest.raises(FeedFault) as fault:
            read_candles(*files(MINUTES[:3], [other, *MINUTES[3:]]))
        assert str(fault.value) == (
            "b.csv line 2: another candle of 2022-01-03 00:02 UTC is in a.csv line 4, with other "
            "figures."
        )

    def test_a_last_candle_that_was_unfinished_is_finished_by_the_next_file(
        self, files: Callable[..., list[Path]]
    ) -> None:
        unfinished = "2022-01-03 00:02,5,5.5,4.5,5.25,0.5"
        file = read_candles(*files([*MINUTES[:2], unfinished], MINUTES[2:]))
        assert file.candles == read(HEADER, *MINUTES).candles

    def test_they_are_of_one_length_and_of_one_symbol(
        self, files: Callable[..., list[Path]]
    ) -> None:
        hours = [f"2022-01-03 0{number}:00,5,6,4,5,1" for number in range(1, 6)]
        with pytest.raises(FeedFault) as fault:
            read_candles(*files(hours, MINUTES))
        assert str(fault.value) == (
            "a.csv has candles of 1 hour, and the other files have some of 1 minute: give files of "
            "one length."
        )
        header = "time,symbol,open,high,low,close"
        both = [("a", f"{header}\n2022-01-03,BTCUSDT,5,6,4,5".encode()),
                ("b", f"{header}\n2022-01-04,ETHUSDT,5,6,4,5".encode())]  # fmt: skip
        with pytest.raises(FeedFault, match="a and 1 more has candles of BTCUSDT, ETHUSDT: give"):
            candles_in(both)


class TestMarks:
    """A second file brings the mark price."""

    def test_it_is_joined_by_time(self) -> None:
        file = read(HEADER, *MINUTES)
        marks = read(
            "time,open,high,low,close", *(f"2022-01-03 00:0{x},5,5.5,4.5,5" for x in (1, 2))
        )
        joined = with_marks(file, marks)
        known = MarkPrices(*map(Decimal, ("5", "5.5", "4.5", "5")))
        assert joined.marks == [None, known, known, None, None]
        assert joined.notes == ("3 of 5 candles have no mark price: there it is the last price.",)
        assert joined.candles == file.candles

    def test_what_was_done_to_it_is_said(self) -> None:
        lines = [f"2022-01-03 00:0{minute}:59.999,5,6,4,5" for minute in range(5)]
        marks = read("time,open,high,low,close", *lines, name="marks.csv")
        joined = with_marks(read(HEADER, *MINUTES), marks)
        assert None not in joined.marks
        assert joined.notes == (
            "marks.csv: Its times are those at which candles end: each was moved back by 1 minute.",
        )

    def test_shorter_ones_are_put_together(self) -> None:
        file = read(HEADER, "2022-01-03 00:00,5,6,4,5,1", "2022-01-03 00:05,5,6,4,5,1")
        lines = [f"2022-01-03 00:0{x},5,{5 + x},4,5.{x}" for x in range(10)]
        joined = with_marks(file, read("time,open,high,low,close", *lines))
        assert joined.marks == [
            MarkPrices(*map(Decimal, ("5", "9", "4", "5.4"))),
            MarkPrices(*map(Decimal, ("5", "14", "4", "5.9"))),
        ]
        assert joined.notes == ()

    def test_those_of_other_times_or_longer_ones_are_refused(self) -> None:
        file = read(HEADER, *MINUTES)
        with pytest.raises(FeedFault, match=r"marks\.csv has candles of 1440 minutes: for those"):
            with_marks(file, read(HEADER, *DAYS, name="marks.csv"))
        later = [line.replace("2022", "2023") for line in MINUTES]
        with pytest.raises(
            FeedFault, match=r"marks\.csv has mark prices from 2023-01-03 00:00 UTC"
        ):
            with_marks(file, read(HEADER, *later, name="marks.csv"))


class TestShortAnswers:
    """However large the file is, its answer is short."""

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("a,b," * 2_000_000, "mine.csv line 1: it has 8,000,000 bytes; a line of candles has"),
            (
                ",".join(["name"] * 1_900),
                "mine.csv has no column for time, open, high, low, close;",
            ),
            ("x" * 9_000, "mine.csv has no column for time, open, high, low, close; it has xxx"),
            (f"{HEADER}\n{'x' * 9_000},5,6,4,5,1", 'mine.csv line 2: "xxx'),
            (f"{HEADER}\n2025-02-03,5,{'6' * 9_000},4,5,1", "mine.csv line 2: high 666"),
            (f"{HEADER}\n2025-02-03,5,{'y' * 9_000},4,5,1", 'mine.csv line 2: high "yyy'),
            (f"{HEADER}\n2025-02-03,5,6,4,{'7' * 15},1", "mine.csv line 2: close 777777777777777"),
        ],
    )
    def test_it_is(self, text: str, words: str) -> None:
        assert refused(text).startswith(words)
