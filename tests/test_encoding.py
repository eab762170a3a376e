"""What goes out as JSON: exact numbers, whatever holds them."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from balance.api.encoding import encoded


class Pair(NamedTuple):
    first: Decimal
    second: str


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1E-9"), "0.000000001"),
        (Decimal("1e20"), "100000000000000000000.00"),
        (MappingProxyType({"price": Decimal("40000.5")}), '{"price":40000.50}'),
        ([Pair(Decimal(2), "long")], '[[2.00,"long"]]'),
        ((None, True, 1, 0.5), "[null,true,1,0.5]"),
    ],
)
def test_a_number_has_all_its_digits_wherever_it_stands(value: Any, text: str) -> None:
    assert encoded({"value": value}) == f'{{"value":{text}}}'


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encoded({"value": float("nan")})
    with pytest.raises(TypeError, match="object is not JSON"):
        encoded({"value": object()})
