"""Shapes: what a class says of its fields is what the description says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest

from balance.api.schema import Schemas, not_null
from balance.core.shape import Doc, Money, Texts, fields_of, includes, members, text_names

Price = Annotated[Decimal, Doc("Per unit.", exclusiveMinimum=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is chosen."""

    name: str
    side: Literal["buy", "sell"] = "buy"
    limit: Annotated[int | None, Doc("How many.", minimum=1)] = None
    params: Mapping[str, float] = field(default_factory=dict)


@includes(Settings)
class Row(TypedDict):
    """A row of a list.

    Its second paragraph is for programmers.
    """

    price: Annotated[Price | None, Doc("Null: none is known.")]
    note: NotRequired[str]


class Page(TypedDict):
    """A page of rows."""

    rows: list[Row]
    newest: Row | None
    display: Annotated[Texts, text_names(("price",))]


class Mixed(TypedDict):
    """What may be of several types."""

    point: list[str | Decimal]
    number: int | float
    any: Any


def schema(hint: Any) -> dict[str, Any]:
    return Schemas().of(hint)


def test_a_type_and_a_field_are_both_described_the_field_first() -> None:
    assert schema(Annotated[Price, Doc("What it costs.", minimum=1)]) == {
        "type": "number",
        "description": "What it costs. Per unit.",
        "exclusiveMinimum": 0,
        "minimum": 1,
    }


def test_a_keyword_of_the_field_counts_before_that_of_its_type() -> None:
    assert schema(Annotated[Price, Doc(exclusiveMinimum=5)])["exclusiveMinimum"] == 5


def test_a_record_has_what_it_includes_and_its_own_fields() -> None:
    assert list(fields_of(Row)) == ["name", "side", "limit", "params", "price", "note"]
    row = Schemas().record(Row)
    assert row["required"] == ["name", "side", "limit", "params", "price"]
    assert row["properties"]["side"] == {"type": "string", "enum": ["buy", "sell"]}
    assert row["properties"]["price"]["type"] == ["number", "null"]
    assert row["properties"]["price"]["description"] == "Null: none is known. Per unit."
    assert row["properties"]["params"] == {
        "type": "object",
        "additionalProperties": {"type": "number"},
    }


def test_records_within_records_are_components_with_their_first_paragraph() -> None:
    schemas = Schemas()
    page = schemas.record(Page)
    reference = {"$ref": "#/components/schemas/Row"}
    assert page["properties"]["rows"] == {"type": "array", "items": reference}
    assert page["properties"]["newest"] == {"anyOf": [reference, {"type": "null"}]}
    assert schemas.components["Row"]["description"] == "A row of a list."


def test_texts_have_the_names_that_there_are() -> None:
    display = Schemas().record(Page)["properties"]["display"]
    assert display["properties"] == {"price": {"type": "string"}}
    assert display["required"] == ["price"]


def test_several_types_are_listed_once_and_an_integer_is_a_number() -> None:
    properties = Schemas().record(Mixed)["properties"]
    assert properties["point"]["items"] == {"type": ["number", "string"]}
    assert properties["number"] == {"type": "number"}
    assert properties["any"] == {}


def test_a_body_needs_what_has_no_default_and_names_the_others() -> None:
    body = Schemas().body(fields_of(Settings), partial=False)
    assert body["required"] == ["name"]
    assert body["additionalProperties"] is False
    assert body["properties"]["side"]["default"] == "buy"
    assert "default" not in body["properties"]["limit"]


def test_a_partial_body_needs_nothing_and_changes_nothing_that_it_leaves_out() -> None:
    body = Schemas().body(fields_of(Settings), partial=True)
    assert "required" not in body
    assert "default" not in body["properties"]["side"]


def test_an_exact_number_has_the_schema_that_its_reader_needs() -> None:
    text = {"type": "string", "pattern": "^[0-9.]+$"}
    schemas = Schemas(text, "#/$defs/")
    page = schemas.record(Page)
    assert page["properties"]["rows"]["items"] == {"$ref": "#/$defs/Row"}
    price = schemas.components["Row"]["properties"]["price"]
    assert (price["type"], price["pattern"]) == (["string", "null"], "^[0-9.]+$")


def test_what_may_be_left_out_is_not_null() -> None:
    assert not_null({"type": ["number", "null"]}) == {"type": "number"}
    assert not_null({"type": ["number", "string", "null"]}) == {"type": ["number", "string"]}


def test_an_answer_says_that_it_went_well() -> None:
    schemas = Schemas()
    assert schemas.answer(Page) == schemas.answer(Page)
    answer = schemas.components["Page"]
    assert answer["properties"]["status"]["enum"] == ["success"]
    assert answer["required"][0] == "status"


def test_a_record_can_not_be_an_answer_and_a_part_of_one() -> None:
    schemas = Schemas()
    schemas.record(Page)
    with pytest.raises(TypeError, match="an answer and a part of one"):
        schemas.answer(Row)


def test_two_records_may_not_have_one_name() -> None:
    schemas = Schemas()
    schemas.of(Row)
    other = type("Row", (), {"__doc__": "", "__annotations__": {"id": str}})
    other = dataclass(other)
    with pytest.raises(TypeError, match="Two records are called Row"):
        schemas.of(other)


def test_what_has_no_schema_is_refused() -> None:
    with pytest.raises(TypeError, match="There is no schema of"):
        schema(complex)


def test_null_can_be_taken_from_a_schema() -> None:
    assert not_null(schema(Literal["a", "b"] | None)) == {"type": "string", "enum": ["a", "b"]}
    assert not_null(schema(str)) == {"type": "string"}


def test_the_members_of_a_record_are_its_values_by_name() -> None:
    assert members(Settings(name="x")) == {"name": "x", "side": "buy", "limit": None, "params": {}}


def test_money_is_a_number_of_the_quote_currency() -> None:
    assert schema(Money) == {"type": "number", "description": "In the quote currency."}
