"""A file as a table of texts: packed or not, in UTF-8 or UTF-16, as CSV, JSON or feather."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zipfile
import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from balance.market.replay.columns import Columns, NoColumns, columns_of, is_candle

if TYPE_CHECKING:
    import polars

#: Bytes that a packed file may have when it is unpacked.
MOST_UNPACKED: Final = 256 * 1024 * 1024
_MIB: Final = 1024 * 1024
_LONGEST_LINE: Final = 10_000
# Bytes of a candle on an average, at least: so many lines are read as fit into the bytes.
_SHORTEST_LINE: Final = 48
_DELIMITERS: Final = ("\t", ";", ",", "|")
# A header is looked for in so many lines; above it, vendors write what they like.
_HEAD: Final = 64
_ZIP: Final = b"PK\x03\x04"
_GZIP: Final = b"\x1f\x8b"
_FEATHER: Final = b"ARROW1"
_READABLE: Final = frozenset((".csv", ".txt", ".tsv", ".json", ".feather", ".gz"))
_MOST_MEMBERS: Final = 1_000
_LONGEST_NAME: Final = 80
_BLANKS: Final = b"\r\n\t"
_NO_ROWS: Final = "is JSON, but not a list of [time, open, high, low, close, volume]"


@dataclass(frozen=True)
class Table:
    """Rows of cells, and what their columns hold. Only those of candles are read."""

    # What a message calls the file.
    name: str
    columns: Columns
    # Cells are texts; a cell that is not there is an empty one.
    frame: polars.DataFrame
    # The names of the columns; empty where there are none.
    header: Sequence[str] = ()
    # "line" or "row", and the number that the first row of the frame has there.
    unit: str = "line"
    first: int = 1
    # What the frame was read from, and where its first row begins there; empty where it was no
    # text.
    data: bytes = b""
    begin: int = 0
    delimiter: str = ","
    # Whether quotes stand around some cells.
    is_quoted: bool = True

    @property
    def height(self) -> int:
        """How many rows it has."""
        return self.frame.height

    def cells(self, column: int, places: Sequence[int] | None = None) -> list[str]:
        """The cells of ``column`` in the rows at ``places``; None: in all."""
        cells = self.frame.to_series(self.columns.places.index(column))
        if isinstance(places, range):
            cells = cells.slice(places.start, len(places))
        elif places is not None:
            cells = cells.gather(list(places))
        return cells.to_list()

    def has_commas(self, columns: Sequence[int]) -> bool:
        """Whether there is one in a cell of ``columns``."""
        if self.data and (b'"' if self.delimiter == "," else b",") not in self.data:
            return False
        series = (self.frame.to_series(self.columns.places.index(each)) for each in columns)
        return any(each.str.contains(",", literal=True).any() for each in series)

    def where(self, place: int) -> str:
        """Where the row at ``place`` stands: ``line 7``."""
        return f"{self.unit} {self.first + place}"

    def length(self, place: int) -> int:
        """How many cells the row at ``place`` has."""
        return self._lengths[place] if self.data else self.frame.width

    @cached_property
    def _lengths(self) -> Sequence[int]:
        return array("L", map(len, self._reader()))

    def _reader(self) -> Any:
        text = io.TextIOWrapper(io.BytesIO(self.data), "utf-8", newline="")
        text.seek(self.begin)
        return csv.reader(
            text,
            delimiter=self.delimiter,
            quoting=csv.QUOTE_MINIMAL if self.is_quoted else csv.QUOTE_NONE,
        )


def tables(
    name: str, data: bytes, most: int = MOST_UNPACKED, *, feather: bool = True
) -> Iterator[Table]:
    """The tables in the file called ``name``: one, or those of the files in a .zip. Unpacked, they
    have ``most`` bytes at most. Without ``feather`` such a file is refused.

    Raises:
        ValueError: it can't be read; the message begins with the name.
    """
    for member, content in _unpacked(name, data, most):
        try:
            if content.startswith(_FEATHER) and not feather:
                raise ValueError("is a feather file: save it as CSV or JSON to send it")
            yield _table(member, content, most // _SHORTEST_LINE)
        except (ValueError, csv.Error) as fault:
            raise ValueError(f"{member} {fault}") from fault


def _unpacked(name: str, data: bytes, most: int) -> Iterator[tuple[str, bytes]]:
    try:
        if data.startswith(_ZIP):
            yield from _members(name, data, most)
        else:
            yield name, _inflated(name, data, most)
    except (zipfile.BadZipFile, EOFError, zlib.error, OSError, NotImplementedError) as fault:
        raise ValueError(f"{name} is damaged: it can't be unpacked ({fault!s:.80})") from fault
    except RuntimeError as fault:
        raise ValueError(f"{name} needs a password: unpack it first") from fault


def _members(name: str, data: bytes, most: int) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        found = [each for each in archive.infolist() if _is_readable(each)]
        if not found:
            raise ValueError(f"{name} has no file of candles in it")
        if len(found) > _MOST_MEMBERS:
            raise ValueError(f"{name} has {len(found):,} files; the most is {_MOST_MEMBERS:,}")
        for each in found:
            with archive.open(each) as file:
                content = _bounded(name, file.read(most + 1), most)
            most -= len(content)
            # Binance's archives hold one file of their own name.
            alone = len(found) == 1
            own = PurePath(each.filename).name[-_LONGEST_NAME:]
            inner = name if alone else f"{name}/{own}"
            yield inner, _inflated(inner, content, most)


def _inflated(name: str, data: bytes, most: int) -> bytes:
    if not data.startswith(_GZIP):
        return data
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        return _bounded(name, file.read(most + 1), most)


def _is_readable(member: zipfile.ZipInfo) -> bool:
    path = PurePath(member.filename)
    hidden = any(part.startswith((".", "__")) for part in path.parts)
    return not (member.is_dir() or hidden) and path.suffix.lower() in _READABLE


def _bounded(name: str, content: bytes, most: int) -> bytes:
    if len(content) > most:
        raise ValueError(
            f"{name} has more than {most // _MIB:,} MiB when it is unpacked: cut it into parts by "
            "time"
        )
    return content


def _table(name: str, data: bytes, most_lines: int) -> Table:
    if data.startswith(_FEATHER):
        return _feather(name, data)
    data = _in_utf8(data)
    if data[:64].lstrip().startswith(b"{"):
        raise ValueError(_NO_ROWS)
    if data[:64].lstrip().startswith(b"["):
        return _json(name, data, most_lines)
    if b"\n" not in data and b"\r" in data:
        data = data.replace(b"\r", b"\n")
    _check_lines(data, most_lines)
    return _csv(name, data)


def _in_utf8(data: bytes) -> bytes:
    try:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return data.decode("utf-16").encode()
        if data[1:2] == b"\0" and data[3:4] == b"\0":
            return data.decode("utf-16-le").encode()
        data.decode()
    except UnicodeError as fault:
        raise ValueError("is not text in UTF-8 or UTF-16") from fault
    return data.removeprefix(codecs.BOM_UTF8)


def _check_lines(data: bytes, most: int) -> None:
    """Refuse more lines than ``most``, and one that is longer than any of a file of candles."""
    count = data.count(b"\n")
    if count > most:
        raise ValueError(f"has {count:,} lines; the most is {most:,}: cut it into parts by time")
    for begin in range(0, len(data), _LONGEST_LINE // 2):
        if data.find(b"\n", begin, begin + _LONGEST_LINE // 2) < 0:
            start, end = data.rfind(b"\n", 0, begin) + 1, data.find(b"\n", begin)
            length = (len(data) if end < 0 else end) - start
            if length > _LONGEST_LINE:
                number = data.count(b"\n", 0, start) + 1
                raise ValueError(
                    f"line {number:,}: it has {length:,} bytes; a line of candles has "
                    f"{_LONGEST_LINE:,} at most"
                )


def _csv(name: str, data: bytes) -> Table:
    line, begin, delimiter, cells, columns = _headed(data)
    body = data[begin:] if begin else data
    _check_quotes(body, delimiter, line)
    frame, is_quoted = _frame(body, delimiter, columns.places)
    if not columns.is_headless:
        # The header was read with the rows, so that they have as many cells as it has.
        frame = frame.slice(1)
        end = data.find(b"\n", begin)
        begin = len(data) if end < 0 else end + 1
        line += 1
    return Table(
        name=name,
        columns=columns,
        frame=frame,
        header=() if columns.is_headless else cells,
        first=line,
        data=data,
        begin=begin,
        delimiter=delimiter,
        is_quoted=is_quoted,
    )


def _headed(data: bytes) -> tuple[int, int, str, list[str], Columns]:
    """The first line that is a header or a candle: its number, where it begins, what stands between
    its cells, the cells, and what their columns hold."""
    begin = 0
    best: NoColumns | None = None
    for number in range(1, _HEAD + 1):
        end = data.find(b"\n", begin)
        line = data[begin : end if end >= 0 else len(data)].decode().strip("\r")
        rows = [_split(line, each) for each in _DELIMITERS if each in line]
        for delimiter, cells in rows or ([(",", [line])] if line.strip() else []):
            try:
                return number, begin, delimiter, cells, columns_of(cells)
            except NoColumns as fault:
                if is_candle(cells):
                    wrong = f'line {number}: it is no header, and no candle: "{line:.60}"'
                    raise (best if best and best.names_some else ValueError(wrong)) from fault
                if best is None or fault.missing < best.missing:
                    best = fault
        if end < 0:
            break
        begin = end + 1
    raise best or ValueError("is empty")


def _split(line: str, delimiter: str) -> tuple[str, list[str]]:
    return delimiter, next(csv.reader([line], delimiter=delimiter), [])


def _frame(data: bytes, delimiter: str, places: Sequence[int]) -> tuple[polars.DataFrame, bool]:
    """The cells of ``data`` at ``places``, which are in its first line; whether quotes stand around
    some."""
    # Here, as it takes time and memory to load: only who reads a file waits for it.
    import polars

    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    for quote in ('"', None):
        try:
            frame = polars.read_csv(
                data,
                separator=delimiter,
                quote_char=quote,
                has_header=False,
                infer_schema=False,
                empty_string_is_null=False,
                extra_columns="ignore",
                columns=places,
            )
        except polars.exceptions.PolarsError:
            continue
        # A quote within a cell is a character like others: it must not hide other lines.
        if quote is None or frame.height == lines:
            return frame, quote is not None
    raise ValueError("is no table of candles")


def _check_quotes(data: bytes, delimiter: str, first: int) -> None:
    """Refuse a quote that nothing closes before its line ends: it would hide the lines after it."""
    if b'"' not in data:
        return
    reader = csv.reader(io.StringIO(data.decode()), delimiter=delimiter)
    for number, _ in enumerate(reader, start=1):
        if reader.line_num > number:
            raise ValueError(f"line {first + number - 1}: a quote in it is not closed")


def _json(name: str, data: bytes, most_rows: int) -> Table:
    """Rows of ``[[time, open, high, low, close, volume], ...]``, as freqtrade and exchanges write
    them."""
    flat = data.translate(None, _BLANKS).strip()
    while b"  " in flat:
        flat = flat.replace(b"  ", b" ")
    for mark in (b"[", b"]", b","):
        flat = flat.replace(b" " + mark, mark).replace(mark + b" ", mark)
    if not flat.startswith(b"[[") or not flat.endswith(b"]]"):
        raise ValueError("has no candles" if flat == b"[]" else _NO_ROWS)
    body = flat[2:-2].replace(b"],[", b"\n")
    _check_lines(body, most_rows)
    try:
        cells = _split(body[:_LONGEST_LINE].split(b"\n")[0].decode(), ",")[1]
        columns = columns_of(cells)
    except ValueError as fault:
        raise ValueError(_NO_ROWS) from fault
    if not columns.is_headless:
        raise ValueError(_NO_ROWS)
    frame, _ = _frame(body, ",", columns.places)
    return Table(name=name, columns=columns, frame=frame, unit="row")


def _feather(name: str, data: bytes) -> Table:
    import polars

    try:
        frame = polars.read_ipc(data)
        # Texts of doubles have the fewest digits that tell them apart.
        frame = frame.select(polars.all().cast(polars.String).fill_null(""))
    except (polars.exceptions.PolarsError, OSError) as fault:
        raise ValueError(f"is no feather file that can be read ({fault!s:.80})") from fault
    columns = columns_of(frame.columns)
    picked = frame.select(frame.columns[each] for each in columns.places)
    return Table(name=name, columns=columns, frame=picked, header=frame.columns, unit="row")
