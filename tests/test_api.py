"""The balance over HTTP: read, changed and reset, as ``curl`` and other programs do it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from balance.core.snapshot import DISPLAYED
from tests.answers import exactly, raw
from tests.serving import Server
from tests.standing import StandingServer

MONEY = (
    *("balance", "unrealized_pnl", "portfolio_value", "used_margin", "available_balance"),
    *("current_pnl", "pnl_percent", "realized_pnl", "starting_balance", "deposits"),
    *("withdrawals", "adjustments", "fees_paid", "funding_paid", "maintenance_margin"),
    "free_equity",
)
OTHERS = ("status", "currency", "as_of", "epoch", "revision", "positions", "open_orders", "market")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all, each on its own epoch; only what a test does changes anything."""
    with StandingServer(tmp_path_factory.mktemp("api") / "account") as running:
        yield running


@pytest.fixture(autouse=True)
def epoch(server: Server) -> int:
    """A fresh epoch of 10,000 for each test."""
    return int(server.post(path="/virtual_balance/reset").json()["epoch"])


def newest(server: Server) -> Any:
    return exactly(server.get("/virtual_balance/history?limit=1"))["entries"][0]


def test_the_snapshot_has_every_field_of_the_contract(server: Server) -> None:
    answer = server.get()
    snapshot = exactly(answer)
    assert answer.headers["Content-Type"] == "application/json"
    assert set(snapshot) >= {*MONEY, *OTHERS}
    assert snapshot["status"] == "success"
    assert snapshot["currency"] == "USDT"
    assert snapshot["positions"] == snapshot["open_orders"] == []
    assert set(snapshot["market"]) == {"feed", "label", "state", "words", "as_of", "prices"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", snapshot["as_of"])
    assert set(snapshot["display"]) == set(DISPLAYED)


def test_money_is_json_numbers_exact_to_eight_decimals(server: Server) -> None:
    # a float would not hold this balance to its last digit
    body = b'{"balance": 999999999999.12345678}'
    answer = server.post(data=body, headers={"Content-Type": "application/json"})
    for told in (exactly(answer), exactly(server.get())):
        assert all(isinstance(told[name], Decimal) for name in MONEY)
        assert told["balance"] == Decimal("999999999999.12345678")
        assert told["current_pnl"] == told["adjustments"] == Decimal("999999989999.12345678")
    assert '"balance":999999999999.12345678,' in server.get().text
    assert not re.search(r"\d[eE][-+]?\d", re.sub(r'"[^"]*"', "", server.get().text))


def test_a_tenth_and_two_tenths_are_exactly_three_tenths(server: Server) -> None:
    server.post({"balance": 0.1})
    assert exactly(server.post({"deposit": 0.2}))["balance"] == Decimal("0.3")


def test_the_tag_of_a_snapshot_says_whether_it_is_still_the_newest(server: Server) -> None:
    first = server.get()
    tag = first.headers["ETag"]
    again = server.get(headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == tag
    for known in (f'W/{tag}, "other"', f'"other", {tag}', "*"):
        assert server.get(headers={"If-None-Match": known}).status_code == 304
    assert server.get(headers={"If-None-Match": '"other"'}).status_code == 200

    changed = server.post({"adjust": 1})
    newer = server.get(headers={"If-None-Match": tag})
    assert newer.status_code == 200
    assert newer.headers["ETag"] == changed.headers["ETag"] != tag
    assert newer.json()["revision"] == first.json()["revision"] + 1


def test_no_answer_with_figures_may_be_kept_by_a_cache(server: Server) -> None:
    assert server.get().headers["Cache-Control"] == "no-cache"
    for answer in (
        server.post({"deposit": 1}),
        server.get("/virtual_balance/history"),
        server.get("/virtual_balance/history?format=csv"),
        server.get("/health"),
        server.post({"deposit": -1}),
    ):
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "kind", "amount", "moved", "message"),
    [
        ({"balance": 9000}, "adjustment", "-1000", "adjustments", "Booked a loss of 1,000.00"),
        ({"balance": 10000.5}, "adjustment", "0.5", "adjustments", "Booked a gain of 0.50"),
        ({"balance": 10000}, "adjustment", "0", "adjustments", "Nothing to adjust"),
        ({"balance": 0}, "adjustment", "-10000", "adjustments", "Balance 0.00"),
        ({"adjust": 12.3}, "adjustment", "12.3", "adjustments", "Booked a gain of 12.30 USDT"),
        ({"adjust": -12.3}, "adjustment", "-12.3", "adjustments", "Booked a loss of 12.30 USDT"),
        ({"deposit": 500}, "deposit", "500", "deposits", "Deposited 500.00 USDT"),
        ({"deposit": 1e-8}, "deposit", "0.00000001", "deposits", "Deposited 0.00000001 USDT"),
        ({"withdraw": 10000}, "withdrawal", "-10000", "withdrawals", "Withdrew 10,000.00 USDT"),
    ],
)
def test_a_change_is_booked_as_what_it_is_and_answered_with_the_snapshot(
    server: Server, body: dict[str, float], kind: str, amount: str, moved: str, message: str
) -> None:
    before = exactly(server.get())
    answer = server.post({**body, "note": "why it was done"})
    told, entry = exactly(answer), newest(server)
    assert answer.status_code == 200
    assert message in told.pop("message")
    assert told == exactly(server.get())
    assert told["revision"] == before["revision"] + 1
    assert told["balance"] == before["balance"] + Decimal(amount)
    assert abs(told[moved]) == abs(Decimal(amount))
    is_gain = moved == "adjustments"
    assert told["current_pnl"] == (Decimal(amount) if is_gain else 0)
    assert entry["kind"] == kind
    assert entry["amount"] == Decimal(amount)
    assert entry["balance"] == told["balance"]
    assert entry["revision"] == told["revision"]
    assert entry["note"] == "why it was done"
    assert entry["source"] == "http"


def test_a_change_that_a_page_asked_for_says_so_in_the_ledger(server: Server) -> None:
    server.post({"deposit": 5}, headers={"Sec-Fetch-Site": "same-origin"})
    assert newest(server)["source"] == "screen"


def test_a_note_is_kept_as_it_is_written(server: Server) -> None:
    note = "Größe \N{ROCKET} \"quoted\", 'single' <b>&amp;</b> \\ 漢字"
    server.post({"deposit": 5, "note": note})
    assert newest(server)["note"] == note


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/foo+json"])
def test_json_may_be_declared_in_its_other_ways(server: Server, kind: str) -> None:
    answer = server.post(data=b'{"deposit": 5}', headers={"Content-Type": kind})
    assert answer.json()["balance"] == 10_005


@pytest.mark.parametrize("headers", [{}, {"Content_Type": "application/json"}])
@pytest.mark.parametrize("length", [{}, {"Content_Length": "0"}])
def test_a_reset_needs_no_body(
    server: Server, epoch: int, headers: dict[str, str], length: dict[str, str]
) -> None:
    server.post({"balance": 3})
    answer = raw(server.port, "POST", "/virtual_balance/reset", **headers, **length)
    assert answer.status == 200
    told = exactly(server.get())
    assert told["epoch"] == epoch + 1
    assert told["balance"] == told["starting_balance"] == Decimal("10000.00")


@pytest.mark.parametrize(("body", "starting"), [({}, "10000"), ({"balance": 250.5}, "250.5")])
def test_a_reset_begins_an_epoch_with_the_balance_asked_for(
    server: Server, epoch: int, body: dict[str, float], starting: str
) -> None:
    server.post({"deposit": 5})
    server.post({"adjust": 7})
    told = exactly(server.post({**body, "note": "again"}, "/virtual_balance/reset"))
    assert told["message"].startswith("Reset to ")
    assert told["epoch"] == epoch + 1
    assert told["balance"] == told["starting_balance"] == Decimal(starting)
    zero = ("deposits", "withdrawals", "adjustments", "current_pnl", "realized_pnl", "used_margin")
    assert [told[name] for name in zero] == [0] * len(zero)
    assert newest(server)["kind"] == "reset"
    assert newest(server)["note"] == "again"
    # what was before it is still there
    older = exactly(server.get(f"/virtual_balance/history?epoch={epoch}"))["entries"]
    assert [entry["kind"] for entry in older] == ["adjustment", "deposit", "reset"]


def test_the_last_reset_is_undone_once_and_only_from_the_revision_that_was_seen(
    server: Server, epoch: int
) -> None:
    server.post({"deposit": 5})
    before = exactly(server.post({"adjust": 7}))
    assert server.get().json()["can_undo_reset"] is True
    server.post(path="/virtual_balance/reset")
    seen = exactly(server.post({"withdraw": 1}))
    undo, key = "/virtual_balance/reset/undo", {"Idempotency-Key": f"undo-{epoch}"}
    stale = server.post({}, undo, headers={"If-Match": str(seen["revision"] - 1)})
    assert stale.status_code == 412
    answers = [
        server.post({"note": "oh"}, undo, headers={**key, "If-Match": str(seen["revision"])})
        for _ in range(2)
    ]
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    told = exactly(answers[0])
    assert exactly(answers[1])["revision"] == told["revision"] == seen["revision"] + 1
    same = ("balance", "starting_balance", "deposits", "adjustments", "withdrawals", "current_pnl")
    assert [told[name] for name in same] == [before[name] for name in same]
    assert (told["epoch"], told["can_undo_reset"]) == (epoch + 2, False)
    assert told["message"] == (
        f"The reset is undone: epoch {epoch + 2} goes on where epoch {epoch} ended. "
        "Balance 10,012.00."
    )
    assert newest(server)["kind"] == "undo"
    assert newest(server)["note"] == f"Epoch {epoch} goes on. oh"
    refused = server.post(path=undo)
    assert refused.status_code == 409
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert "that was done already" in refused.json()["detail"]
    assert server.post({"balance": 5}, undo).status_code == 422


def test_where_no_money_is_put_in_there_is_no_percentage(server: Server) -> None:
    told = exactly(server.post({"balance": 0}, "/virtual_balance/reset"))
    assert told["pnl_percent"] is None
    assert told["display"]["pnl_percent"] == "\N{EN DASH}"


def test_health_tells_the_revision_and_who_listens(server: Server) -> None:
    told, snapshot = server.get("/health").json(), server.get().json()
    assert told["status"] == "success"
    assert told["revision"] == snapshot["revision"]
    assert told["instance"] == snapshot["instance"]
    assert told["streams"] == 0
    assert told["damage"] == []
    assert told["leads"]


@pytest.mark.parametrize(
    "path",
    [
        *("/virtual_balance", "/virtual_balance/history", "/virtual_balance/history?format=csv"),
        *("/virtual_balance/stream", "/health", "/openapi.json", "/"),
    ],
)
def test_head_tells_what_get_would_without_the_body(server: Server, path: str) -> None:
    answer = raw(server.port, "HEAD", path)
    assert answer.status == 200
    assert answer.body == b""
    assert answer.headers["Content-Type"].split(";")[0] in (
        *("application/json", "text/csv", "text/event-stream", "text/html"),
    )
    assert server.get("/health").json()["streams"] == 0
