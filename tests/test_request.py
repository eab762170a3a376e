"""Members of requests are read by the types and the limits of a shape."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest

from balance.core.errors import InvalidAmount, InvalidRequest
from balance.core.request import check_names, check_required, readers
from balance.core.shape import Doc


@dataclass(frozen=True)
class Order:
    """A shape with a field of each kind."""

    side: Literal["buy", "sell"]
    name: Annotated[str, Doc(minLength=1, maxLength=5)]
    venue: str
    frame: Annotated[str, Doc("Of candles.", enum=["1m", "1h"])]
    is_urgent: bool
    count: Annotated[int, Doc(minimum=1, maximum=1_000)]
    leverage: Annotated[Decimal, Doc(type="integer", minimum=1)]
    share: Annotated[Decimal | None, Doc(exclusiveMinimum=0, exclusiveMaximum=100)]
    loss: Annotated[Decimal, Doc(exclusiveMinimum=0)]
    price: Decimal
    tags: dict[str, str]


READERS = readers(Order, tags=lambda value, _: value)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("side", "buy", "buy"),
        ("name", " five ", "five"),
        ("venue", "", ""),
        ("frame", "1h", "1h"),
        ("is_urgent", False, False),
        ("count", Decimal("3.0"), 3),
        ("leverage", 3, Decimal(3)),
        ("share", "12.5", Decimal("12.5")),
        ("share", None, None),
        ("loss", 7, Decimal(7)),
        ("price", "-0.00000000000001", Decimal("-1e-14")),
        ("tags", 7, 7),
    ],
)
def test_a_value_is_read_by_the_type_of_its_field(name: str, value: Any, expected: Any) -> None:
    found = READERS[name](value, name)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("side", "hold", "side must be one of buy, sell, not 'hold'."),
        ("name", "", "The name must be a printable text of 1 to 5 characters."),
        ("name", "sixsix", "The name must be a printable text of 1 to 5 characters."),
        ("venue", 7, "venue must be a text, not 7."),
        ("side", Decimal("-1.5"), "side must be one of buy, sell, not -1.5."),
        ("venue", Decimal("7"), "venue must be a text, not 7."),
        ("is_urgent", Decimal("1"), "is_urgent must be true or false, not 1."),
        ("frame", "2m", "frame must be one of 1m, 1h, not '2m'."),
        ("is_urgent", 1, "is_urgent must be true or false, not 1."),
        ("count", 0, "count must be a whole number from 1 to 1,000, not 0.00."),
        ("count", 1.5, "count must be a whole number from 1 to 1,000, not 1.50."),
        ("leverage", 0, "leverage must be a whole number from 1, not 0.00."),
        ("share", 0, "share must be above 0 and below 100, not 0.00."),
        ("share", 100, "share must be above 0 and below 100, not 100.00."),
        ("loss", -1, "loss must be above 0, not -1.00."),
    ],
)
def test_a_value_beyond_its_limits_is_refused_with_them(
    name: str, value: Any, message: str
) -> None:
    with pytest.raises((InvalidRequest, InvalidAmount)) as refused:
        READERS[name](value, name)
    assert str(refused.value) == message


def test_a_field_that_no_reader_fits_needs_one_of_its_own() -> None:
    with pytest.raises(TypeError, match="needs a reader of its own"):
        readers(Order)


def test_members_are_known_and_there() -> None:
    check_names({"a": 1}, ("a", "b"), "A note")
    with pytest.raises(InvalidRequest, match="A note has a, b, but not 'c'"):
        check_names({"c": 1}, ("a", "b"), "A note")
    check_required({"a": 0}, ("a",), "A note")
    with pytest.raises(InvalidRequest, match="A note needs a b"):
        check_required({"a": 1, "b": None}, ("a", "b"), "A note")
