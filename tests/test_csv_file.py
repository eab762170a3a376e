"""CSV files of candles: read however they are written, and refused with the line that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balance.core.quote import Candle
from balance.market.feed import FeedFault
from balance.market.replay.candle_file import CandleFile, read_candles
from tests.serving import ROOT

BEGIN = datetime(2021, 12, 31, 23, 1, tzinfo=UTC)
REAL = ROOT.parent / "shared" / "market" / "BTCUSDT-1m-2022-01.csv"
FIRST = Candle(
    time=BEGIN,
    open=Decimal("46319.0"),
    high=Decimal("46385.0"),
    low=Decimal("46319.0"),
    close=Decimal("46377.0"),
    volume=Decimal("49.5"),
)
HEADER = "timestamp,open,high,low,close,volume"
FIGURES = "46319.0,46385.0,46319.0,46377.0,49.5"
LINES = [f"2021-12-31 23:{minute:02}:00,5,6,4,5,{minute}" for minute in range(10, 16)]

Reader = Callable[..., CandleFile]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Reads the text that it is given, as a file named btc.csv."""

    def reads(*lines: str, encoding: str = "utf-8", newline: str = "\n") -> CandleFile:
        file = tmp_path / "btc.csv"
        file.write_bytes(newline.join([*lines, ""]).encode(encoding))
        return read_candles(file)

    return reads


@pytest.mark.parametrize(
    "spelled",
    [
        "2021-12-31 23:01:00.000000",
        "2021-12-31 23:01:00",
        "2021-12-31 23:01",
        "2021-12-31T23:01:00Z",
        "2021-12-31T23:01:00.000+00:00",
        "2022-01-01T01:01:00+02:00",
        "2021-12-31 23:01:00 UTC",
        "2021/12/31 23:01",
        "1640991660",
        "1640991660.0",
        "1640991660000",
        "1640991660000000",
        "1640991660000000000",
    ],
)
def test_times_are_read_as_they_are_written(read: Reader, spelled: str) -> None:
    assert read(HEADER, f"{spelled},{FIGURES}").candles == [FIRST]


def test_days_need_no_time(read: Reader) -> None:
    file = read(HEADER, f"2022-01-01,{FIGURES}", f"2022-01-02,{FIGURES}")
    assert [candle.time.day for candle in file.candles] == [1, 2]
    assert file.seconds == 86400


@pytest.mark.parametrize(
    "header",
    [
        "timestamp,open,high,low,close,volume",
        "Date,Open,High,Low,Close,Volume",
        "Open time,Open,High,Low,Close,Volume",
        "open_time,open,high,low,close,vol",
        "DATETIME,OPEN,HIGH,LOW,CLOSE,VOL",
        "unix,o,h,l,c,v",
        "time;open;high;low;close;Volume BTC",
        "Timestamp\topen\thigh\tlow\tclose\tBase Volume",
        " time , open , high , low , close , volume ",
        ",open,high,low,close,volume",
        '"date","open","high","low","close","volume"',
    ],
)
def test_columns_are_known_by_their_usual_names(read: Reader, header: str) -> None:
    delimiter = next((sign for sign in ";\t" if sign in header), ",")
    assert read(header, f"1640991660,{FIGURES}".replace(",", delimiter)).candles == [FIRST]


def test_columns_may_be_in_any_order_among_others(read: Reader) -> None:
    file = read(
        "https://www.CryptoDataDownload.com",
        "unix,date,symbol,close,low,high,open,Volume USDT,Volume BTC,tradecount",
        "1640991660,never,BTCUSDT,46377.0,46319.0,46385.0,46319.0,2300413,49.5,7",
    )
    assert file.candles == [FIRST]


def test_a_file_of_binance_needs_no_header(read: Reader) -> None:
    more = "1640991719999,2300413.7,812,20.1,931000.5,0"
    assert read(f"1640991660000,{FIGURES},{more}").candles == [FIRST]


@pytest.mark.parametrize(("encoding", "newline"), [("utf-8-sig", "\n"), ("utf-8", "\r\n")])
def test_what_windows_writes_is_read(read: Reader, encoding: str, newline: str) -> None:
    file = read(HEADER, "", f"1640991660,{FIGURES}", "", encoding=encoding, newline=newline)
    assert file.candles == [FIRST]


def test_the_newest_first_is_turned_round(read: Reader) -> None:
    assert read(HEADER, *reversed(LINES)).candles == read(HEADER, *LINES).candles


def test_what_is_there_twice_counts_once(read: Reader) -> None:
    assert read(HEADER, *LINES, *LINES[2:4]).candles == read(HEADER, *LINES).candles


def test_two_different_candles_of_one_time_are_refused(read: Reader) -> None:
    with pytest.raises(FeedFault, match=r"btc\.csv line 8: another candle of 2021-12-31 23:12 UTC"):
        read(HEADER, *LINES, LINES[2].replace(",5,6,", ",5,7,"))


def test_gaps_stay_gaps(read: Reader) -> None:
    file = read(HEADER, *LINES[:2], *LINES[3:])
    assert file.seconds == 60
    assert [candle.time.minute for candle in file.candles] == [10, 11, 13, 14, 15]


@pytest.mark.parametrize("minutes", [1, 5, 60, 1440])
def test_the_interval_is_seen(read: Reader, minutes: int) -> None:
    times = [BEGIN + timedelta(minutes=minutes * place) for place in (0, 1, 2, 5, 6)]
    assert read(HEADER, *(f"{time},{FIGURES}" for time in times)).seconds == minutes * 60


def test_a_file_of_which_most_is_missing_keeps_its_interval(read: Reader) -> None:
    times = (BEGIN + timedelta(minutes=each) for each in (0, 2, 4, 5, 9, 12))
    assert read(HEADER, *(f"{time},{FIGURES}" for time in times)).seconds == 60


@pytest.mark.parametrize(
    ("seconds", "words"),
    [((0, 30, 60), "candles of 30 seconds"), ((0, 90, 180), "candles of 90 seconds")],
)
def test_only_whole_minutes_will_do(read: Reader, seconds: tuple[int, ...], words: str) -> None:
    times = (BEGIN + timedelta(seconds=each) for each in seconds)
    with pytest.raises(FeedFault, match=words):
        read(HEADER, *(f"{time},{FIGURES}" for time in times))


def test_candles_that_overlap_are_refused(read: Reader) -> None:
    times = (BEGIN + timedelta(seconds=each) for each in (0, 60, 90, 150, 210))
    with pytest.raises(FeedFault, match=r"line 4: it is 30 seconds after"):
        read(HEADER, *(f"{time},{FIGURES}" for time in times))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1640991660,5,5,6,5,1", "high 5 is below low 6."),
        ("1640991660,7,6,4,5,1", "open 7 is above high 6."),
        ("1640991660,5,6,4,3,1", "close 3 is below low 4."),
        ("1640991660,0,6,0,5,1", "open 0 is not above 0"),
        ("1640991660,5,6,-1,5,1", "low -1 is not above 0"),
        ("1640991660,5,6,4,5,-1", "volume -1 is below 0."),
        ("1640991660,5,six,4,5,1", 'high "six" is not a number.'),
        ("1640991660,5,6,4,,1", 'close "" is not a number.'),
        ("1640991660,5,nan,4,5,1", "high nan is not a number that can be."),
        ("1640991660,5,Infinity,4,5,1", "high Infinity is not a number that can be."),
        ("1640991660,5,1e999999,4,5,1", "high 1e999999 is not a number that can be."),
        ("1640991660,5,6,1e-999999,5,1", "low 1e-999999 is not a number that can be."),
        ("1640991660,5,6,4,5,1e999999", "volume 1e999999 is not a number that can be."),
        ("1640991660,5,6,4,5", "it has only 5 columns."),
        ("soon,5,6,4,5,1", '"soon" is no time'),
        ("17,5,6,4,5,1", '"17" is no time'),
        ("999999999999999999999,5,6,4,5,1", "is no time"),
    ],
)
def test_a_bad_line_is_named_with_its_number(read: Reader, line: str, words: str) -> None:
    with pytest.raises(FeedFault) as fault:
        read(HEADER, *LINES[:3], "", line)
    assert str(fault.value).startswith("btc.csv line 6: ")
    assert words in str(fault.value)


def test_a_missing_column_is_named_with_those_that_are_there(read: Reader) -> None:
    with pytest.raises(FeedFault, match=r"btc\.csv has no column for high; it has date, o"):
        read("date,open,low,close,Volume USDT", "2022-01-01,1,1,1,1")


def test_what_holds_no_candles_is_refused(read: Reader, tmp_path: Path) -> None:
    with pytest.raises(FeedFault, match=r"^btc\.csv is empty\.$"):
        read("")
    with pytest.raises(FeedFault, match=r"^btc\.csv has no candles, only a header\.$"):
        read(HEADER)
    with pytest.raises(FeedFault, match=r"^eth\.csv can't be read: No such file or directory\.$"):
        read_candles(tmp_path / "eth.csv")
    with pytest.raises(FeedFault, match="can't be read: Is a directory"):
        read_candles(tmp_path)
    (tmp_path / "zip.csv").write_bytes(b"PK\x03\x04\xff\xfe\x00")
    with pytest.raises(FeedFault, match=r"zip\.csv is damaged: it can't be unpacked"):
        read_candles(tmp_path / "zip.csv")
    (tmp_path / "latin.csv").write_bytes(b"date,\xe9,\xff\n")
    with pytest.raises(FeedFault, match=r"latin\.csv is not text in UTF-8 or UTF-16"):
        read_candles(tmp_path / "latin.csv")


def test_a_funding_rate_counts_until_the_next_one(read: Reader) -> None:
    rates = ["", "0.0001", "", "-0.0002", "", ""]
    lines = [f"{line},{rate}" for line, rate in zip(LINES, rates, strict=True)]
    file = read(f"{HEADER},Funding Rate", *lines)
    told = [None if rate is None else str(rate) for rate in file.funding_rates]
    assert told == [None, "0.0001", "0.0001", "-0.0002", "-0.0002", "-0.0002"]
    assert read(HEADER, *LINES).funding_rates == ()
    with pytest.raises(FeedFault, match='line 2: funding rate "5" is not a fraction'):
        read(f"{HEADER},funding_rate", f"{LINES[0]},5")


WRITERS: tuple[Callable[[datetime], str], ...] = (
    lambda moment: moment.isoformat(),
    lambda moment: moment.strftime("%Y-%m-%d %H:%M:%S.%f"),
    lambda moment: str(int(moment.timestamp())),
    lambda moment: str(int(moment.timestamp() * 1000)),
    lambda moment: str(int(moment.timestamp()) * 10**9),
)


@given(
    data=st.data(),
    write=st.sampled_from(WRITERS),
    delimiter=st.sampled_from(",;\t"),
    order=st.permutations(HEADER.split(",")),
    backwards=st.booleans(),
)
@settings(max_examples=40)
def test_what_is_written_is_what_is_read(
    read: Reader,
    data: st.DataObject,
    write: Callable[[datetime], str],
    delimiter: str,
    order: list[str],
    backwards: bool,
) -> None:
    price = st.integers(1, 10**14).map(lambda units: Decimal(units).scaleb(-8))
    candles = []
    # without two in a row, nobody could tell how long a candle is
    for minute in sorted({0, 1} | data.draw(st.sets(st.integers(2, 50), max_size=8))):
        low, opened, close, high = sorted(data.draw(st.tuples(price, price, price, price)))
        candles.append(
            Candle(
                time=BEGIN + timedelta(minutes=5 * minute),
                open=opened,
                high=high,
                low=low,
                close=close,
                volume=data.draw(price),
            )
        )
    lines = [
        delimiter.join(
            write(candle.time) if name == "timestamp" else str(getattr(candle, name))
            for name in order
        )
        for candle in candles
    ]
    file = read(delimiter.join(order), *(reversed(lines) if backwards else lines))
    assert file.candles == candles


@pytest.mark.skipif(not REAL.exists(), reason="the month of minutes is not on this machine")
def test_a_month_of_minutes_is_read() -> None:
    file = read_candles(REAL)
    assert len(file.candles) == len(REAL.read_text().splitlines()) - 1
    assert (file.name, file.seconds) == ("BTCUSDT-1m-2022-01.csv", 60)
    assert file.candles[0].time == BEGIN
    assert file.candles[0].close == Decimal(46377)
