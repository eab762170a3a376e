"""The filters of History's lists: the fields that they are chosen in, and the chips that say which
are set."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from balance.core.order import ORDER_KINDS, PATIENCE
from balance.history.lists import SUBJECT
from balance.history.order_rows import STATE_LABELS
from balance.history.question import BOUNDS, FILTER_COLUMNS, Listed, newest_first
from balance.history.rows import KIND_LABELS, SOURCE_LABELS
from layouts.history_view import View, filter_names
from layouts.parts import (
    button,
    id_in_page,
    number_entry,
    option_list,
    select,
    unseen_label,
)

#: The type in the id of a field, whose name is that of a filter, or ``sort``.
FILTER: Final = "history-filter"
#: Where the page has a number read that is typed into a field.
NUMBER_AT: Final = "/filters/number"
#: Of the parts of the page that have a field: which filter it fills in. Of buttons: which filters
#: they set, as JSON, or the running epoch; or from how many days ago on.
_FILTER: Final = "data-filter"
_SET: Final = "data-set"
_DAYS: Final = "data-days"
#: Of what opens a field whose choices may be others by then.
FIELD: Final = "history-field"

# Which text a list is searched in; the epochs have none.
_TEXTS: Final[Mapping[Listed, str]] = {
    "ledger": "Note",
    "fills": "Text",
    "trades": "Reason",
    "orders": "Reason",
}
_AMOUNTS: Final = "amounts"
_DATES: Final = "time"
# The fields of a list, in their order. What is a filter of the list alone and does not stand here
# comes last; any other filter is only said where it is set.
_ORDER: Final[Mapping[Listed, Sequence[str]]] = {
    "ledger": ("kind", "symbol", _DATES, _AMOUNTS, "owner", "source", "epoch"),
    "fills": ("symbol", "side", "reason", _AMOUNTS, _DATES, "owner", "epoch"),
    "trades": ("outcome", "symbol", "side", _AMOUNTS, _DATES, "owner", "epoch"),
    "orders": ("state", "symbol", "side", "type", _DATES, _AMOUNTS, "owner", "epoch"),
    "epochs": (_DATES, _AMOUNTS, "epoch"),
}
_LABELS: Final = {
    "kind": "What",
    "reason": "Type",
    "owner": "Whose",
    "source": "From",
    "client_id": "Client id",
    "reduce_only": "Reduce-only",
}
_VALUE_LABELS: Final[Mapping[str, Mapping[str, str]]] = {
    "kind": KIND_LABELS,
    "source": SOURCE_LABELS,
    "reason": {
        "order": "Order",
        "take_profit": "Take-profit",
        "stop_loss": "Stop-loss",
        "trailing_stop": "Trailing stop",
        "liquidation": "Liquidation",
        "reset": "Reset",
        "undo": "Reset undone",
    },
    "state": STATE_LABELS,
    "type": {name: kind.label for name, kind in ORDER_KINDS.items()},
    "time_in_force": {name: each.label for name, each in PATIENCE.items()},
    "reduce_only": {"true": "Only closing", "false": "May open"},
    "outcome": {"win": "Wins", "loss": "Losses", "even": "Even"},
}
# What can be chosen of these may change while the page is open.
_CHANGING: Final = ("symbol", "owner")
_SPANS: Final = (("0", "Today"), ("7", "7 days"), ("30", "30 days"))
# By what rows can be sorted where a phone has no headings to press: the column, what it is called,
# and what the oldest come first by.
_SORTS: Final[Mapping[Listed, tuple[str, str, str]]] = {
    "ledger": ("amount", "amount", "revision"),
    "fills": ("realized_pnl", "P&L", "revision"),
    "trades": ("pnl", "P&L", "revision"),
    "orders": ("realized_pnl", "P&L", "revision"),
    "epochs": ("pnl", "P&L", "epoch"),
}

# What stands in the field of the order where rows are sorted by a column that it does not offer.
_BY_HEADING: Final = "heading"

#: What can be chosen of filters whose values are not of a fixed list: by filter, values and labels.
Choices = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a list, which fills in some of its filters."""

    name: str
    label: str
    manner: Literal["several", "one", "epoch", "amounts", "dates"]
    filters: tuple[str, ...]


def fields_of(table: Listed) -> list[Field]:
    """The fields of ``table``, in their order."""
    columns = {each.name: each for each in FILTER_COLUMNS[table]}
    shared = {each.name for each in SUBJECT}
    own = [name for name, each in columns.items() if each.values and name not in shared]
    found = []
    for name in dict.fromkeys((*_ORDER[table], *own)):
        if name == _DATES:
            found.append(Field(name, "Dates", "dates", ("from", "to")))
        elif name == _AMOUNTS:
            found += [
                Field(each.column, _sentence_case(each.label), "amounts", (each.least, each.most))
                for each in BOUNDS[table]
            ]
        else:
            manner: Any = {"outcome": "one", "epoch": "epoch"}.get(name, "several")
            found.append(Field(name, _label(name), manner, (name,)))
    return found


def values_of(view: View) -> dict[str, Any]:
    """What the fields of the list of ``view`` show of it, by the names of their filters."""
    found: dict[str, Any] = {"text": view.filters.get("text", ""), "sort": _order_of(view)}
    for field in fields_of(view.table):
        for name in field.filters:
            value = view.filters.get(name, "")
            if field.manner == "several":
                found[name] = _values(view, name)
            else:
                # A moment is shown to the minute.
                found[name] = value[:16] if field.manner == "dates" else value
    return found


def text_label(table: Listed) -> str:
    """What the field is called that ``table`` is searched by; empty: there is none."""
    return f"{_TEXTS[table]} has" if table in _TEXTS else ""


def filter_bar(view: View, choices: Choices) -> list[Component]:
    """The fields of the list of ``view``, with what is set in it."""
    label = text_label(view.table)
    search = [_search(label, view.filters.get("text", ""))] if label else []
    fields = [_field(each, view, choices) for each in fields_of(view.table)]
    strip = {"className": "history-fields", "data-table": view.table}
    return [*search, html.Div([*fields, _order(view)], **strip)]


def _search(label: str, text: str) -> html.Div:
    field = dbc.Input(
        id={"type": FILTER, "name": "text"},
        type="search",
        size="sm",
        value=text,
        autocomplete="off",
        placeholder=f"{label}…",
        maxlength=200,
    )
    return html.Div(
        [unseen_label(label, field.id), field], className="history-text", **{_FILTER: "text"}
    )


def _field(field: Field, view: View, choices: Choices) -> html.Details:
    chosen = [each for name in field.filters for each in _values(view, name)]
    opens = f"history-open-{field.name}"
    opener = {"type": FIELD, "name": field.name} if field.name in _CHANGING else opens
    return html.Details(
        [
            html.Summary(
                [
                    field.label,
                    html.Span(f" {len(chosen)}" if chosen else "", className="count"),
                ],
                id=opener,
                className="btn btn-sm btn-outline-secondary",
            ),
            html.Div(_body(field, view, choices), className="history-choices"),
        ],
        id=f"history-field-{field.name}",
        className="history-field",
        **{"data-field": field.name},
    )


def _body(field: Field, view: View, choices: Choices) -> list[Component]:
    first, *_ = field.filters
    match field.manner:
        case "several" | "one":
            return [_checks(field, view, choices)]
        case "epoch":
            running = button("The running one", "history-running", **{_SET: "running"})
            return [_number(first, "Number of the epoch", view), running]
        case "amounts":
            return [
                _number(name, f"{field.label} {end}, USDT", view)
                for name, end in zip(field.filters, ("from", "to"), strict=True)
            ]
        case "dates":
            spans = [
                button(label, f"history-days-{days}", **{_DAYS: days}) for days, label in _SPANS
            ]
            return [
                html.Div(spans, className="d-flex gap-2"),
                _moment("from", view),
                _moment("to", view),
            ]


def _checks(field: Field, view: View, choices: Choices) -> html.Fieldset:
    values = _values(view, field.name)
    boxes = dbc.RadioItems if field.manner == "one" else dbc.Checklist
    chosen: Any = values if field.manner == "several" else "".join(values)
    return html.Fieldset(
        [
            html.Legend(field.label, className="visually-hidden"),
            boxes(
                options=options(field.name, choices, values),
                value=chosen,
                id={"type": FILTER, "name": field.name},
            ),
        ],
        **{_FILTER: field.name},
    )


def options(name: str, choices: Choices, chosen: Sequence[str] = ()) -> list[dict[str, str]]:
    """What can be chosen of the filter called ``name``; what is ``chosen`` is among it."""
    known = _labels(name, choices)
    labels = {**known, **{each: each for each in chosen if each not in known}}
    return option_list(labels)


def _labels(name: str, choices: Choices) -> Mapping[str, str]:
    if name in choices:
        return choices[name]
    values = {each for columns in FILTER_COLUMNS.values() for each in columns if each.name == name}
    labels = _VALUE_LABELS.get(name, {value: value for each in values for value in each.values})
    return {value: _sentence_case(label) for value, label in labels.items()}


def _number(name: str, label: str, view: View) -> html.Div:
    return _labelled(
        label,
        number_entry(
            {"type": FILTER, "name": name},
            value=view.filters.get(name, ""),
            size="sm",
        ),
        html.Div(className="dialog-error", role="alert"),
    )


def _moment(name: str, view: View) -> html.Div:
    field = dbc.Input(
        id={"type": FILTER, "name": name},
        type="datetime-local",
        value=view.filters.get(name, "")[:16],
        size="sm",
    )
    return _labelled(f"{name.capitalize()} (UTC)", field)


def _labelled(label: str, field: dbc.Input, *more: Component) -> html.Div:
    return html.Div(
        [dbc.Label(label, html_for=id_in_page(field.id)), field, *more],
        className="filter",
        **{_FILTER: field.id["name"]},
    )


def _order(view: View) -> html.Div:
    field = select(
        {"type": FILTER, "name": "sort"}, _orders(view.table), value=_order_of(view), size="sm"
    )
    heading = {"value": _BY_HEADING, "label": "As chosen by a heading", "disabled": True}
    field.options = [*field.options, heading]
    return html.Div(
        [unseen_label("Order", field.id), field], className="history-order", **{_FILTER: "sort"}
    )


def _orders(table: Listed) -> dict[str, str]:
    column, what, age = _SORTS[table]
    return {
        newest_first(table): "Newest first",
        age: "Oldest first",
        f"-{column}": f"Largest {what}",
        column: f"Smallest {what}",
    }


def _order_of(view: View) -> str:
    sort = view.sort or newest_first(view.table)
    return sort if sort in _orders(view.table) else _BY_HEADING


def chips(view: View, choices: Choices) -> list[Component]:
    """Which filters are set in ``view``: a click takes one away, or all of them."""
    if not view.filters:
        return []
    names = [name for name in filter_names(view.table) if name in view.filters]
    set_filters = [
        _chip(sentence(name, view.filters[name], view, choices), name, at)
        for at, name in enumerate(names)
    ]
    return [*set_filters, clear_button(view, "history-clear", "Clear")]


def setting(**filters: str) -> dict[str, str]:
    """What has a button set ``filters``, those with an empty value to none, or a ``sort``."""
    return {_SET: json.dumps(filters)}


def clear_button(view: View, id: str, label: str) -> html.Button:
    """A button that takes all filters of ``view`` away."""
    return button(label, id, **setting(**dict.fromkeys(view.filters, "")))


def _chip(text: str, name: str, number: int) -> html.Button:
    named = {"title": "Remove", "aria-label": f"Remove the filter {text}", **setting(**{name: ""})}
    return button(
        text, f"history-chip-{number}", "x-lg", className="history-chip text-truncate", **named
    )


def sentence(name: str, value: str, view: View, choices: Choices) -> str:
    """How the filter called ``name`` reads where it has a ``value``."""
    match name:
        case "epoch":
            return f"Epoch {value}"
        case "from":
            return f"From {_minute(value)} UTC"
        case "to":
            # A minute that is listed to its end is written without its seconds.
            return f"To {_minute(value.replace(':59.999Z', ':00Z'))} UTC"
        case "text":
            return f"{_TEXTS.get(view.table, 'Text')} has “{value}”"
        case "after":
            return f"After revision {value}"
        case "until":
            return f"Up to revision {value}"
    for bound in BOUNDS[view.table]:
        if name in (bound.least, bound.most):
            end = "from" if name == bound.least else "to"
            return f"{_sentence_case(bound.label)} {end} {value}"
    labels = _labels(name, choices)
    return f"{_label(name)}: {', '.join(labels.get(each, each) for each in _values(view, name))}"


def _values(view: View, name: str) -> list[str]:
    return [each for each in view.filters.get(name, "").split(",") if each]


def _minute(time: str) -> str:
    return re.sub(r"(:00)?(\.\d+)?Z?$", "", time.replace("T", " "))


def _label(name: str) -> str:
    return _LABELS.get(name, _sentence_case(name))


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:].replace("_", " ")
