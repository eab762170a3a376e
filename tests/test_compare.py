"""Epochs side by side, as a page is answered that compares them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app import create_app
from balance.api.stream import Stream
from balance.core.errors import InvalidRequest
from balance.desk.desk import Desk
from balance.history.history import EpochList
from balance.history.index import Progress
from balance.store.memory_store import MemoryStore
from layouts.compare import READ, best_of
from tests.pages import UPDATE, asked
from tests.test_details import strings


@pytest.fixture
def desk() -> Desk:
    """An account in its third epoch: the first gained 50, the second lost 5, the third nothing."""
    desk = Desk(MemoryStore())
    for gain in (50, -5):
        desk.adjust(gain)
        desk.reset()
    return desk


def compared(desk: Desk, *epochs: int) -> dict[str, Any]:
    """What a page is answered that has ``epochs`` side by side."""
    client = create_app(desk, Stream(1)).server.test_client()
    body = asked(
        client.get,
        "history-compare-read",
        history_compare_read={"shown": ",".join(map(str, epochs))},
    )
    found: dict[str, Any] = client.post(UPDATE, json=body).get_json()["response"]
    return found


def lines(answer: dict[str, Any]) -> dict[str, list[str]]:
    """The figures of each epoch, by what they are called."""
    table = answer["history-comparison"]["content"]
    body = table["props"]["children"][1]["props"]["children"]
    rows = [[" ".join(strings(cell)) for cell in row["props"]["children"]] for row in body]
    return {label: figures for label, *figures in rows}


def test_the_better_of_two_is_marked_in_words(desk: Desk) -> None:
    answer = compared(desk, 1, 2)
    found = lines(answer)
    # the newest comes first
    assert found["P&L"] == ["-$5.00", "best +$50.00"]
    assert found["Starting balance"] == ["$10,000.00", "$10,000.00"]
    assert found["Wallet balance"] == ["$9,995.00", "$10,050.00"]
    assert {"Sharpe ratio", "Trades", "Fees", "Lasted"} <= set(found)
    assert list(found)[-1] == "Lasted"
    assert not answer["history-compared"]["hidden"]
    assert answer["history-compared-words"]["children"] == ""


def test_what_has_ended_is_not_read_anew(desk: Desk) -> None:
    assert compared(desk, 1, 2)["history-epochs"]["data-follows"] is None
    assert compared(desk, 3, 2)["history-epochs"]["data-follows"] == READ
    assert compared(desk, 1, 9)["history-epochs"]["data-follows"] == READ


def test_what_can_not_be_compared_is_said(desk: Desk) -> None:
    answer = compared(desk, 1, 9_999)
    assert answer["history-compared-words"]["children"] == (
        "There is no epoch 9999. Choose another one to compare epoch 1 with."
    )
    assert answer["history-compared"]["hidden"]


def test_what_is_not_indexed_yet_is_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    older = EpochList(desk.ledger.epochs()[1:], Progress(is_complete=False, percent=40))
    monkeypatch.setattr(desk.ledger, "epoch_list", lambda **_: older)
    answer = compared(desk, 3, 2)
    assert answer["history-compared-words"]["children"] == (
        "Epoch 3 is not indexed yet. Choose another one to compare epoch 2 with."
    )


def test_why_none_is_known_is_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> EpochList:
        raise InvalidRequest("The ledger can't be read.")

    monkeypatch.setattr(desk.ledger, "epoch_list", fail)
    answer = compared(desk, 1, 2)
    assert answer["history-compared-words"]["children"] == "The ledger can't be read."
    assert answer["history-compared"]["hidden"]


@pytest.mark.parametrize(
    ("values", "better", "best"),
    [
        ((1, 3, None), "greater", 3),
        ((Decimal("-2"), Decimal("-0.5")), "smaller", Decimal("-0.5")),
        ((2, 2), "greater", None),
        ((2, None), "greater", None),
        ((1, 2), "", None),
    ],
)
def test_the_best_is_known_where_values_differ(values: Any, better: Any, best: Any) -> None:
    assert best_of(values, better) == best
