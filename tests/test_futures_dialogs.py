"""The dialogs of positions and orders, and the questions before danger: what they show, what they
do on the desk, and that what is sent twice is done once."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from app import create_app
from balance.api.stream import Stream
from balance.desk.desk import Desk
from balance.store.memory_store import MemoryStore
from layouts.ticket import CHOICES, TYPED
from tests.boards import board
from tests.markets import BTC, ETH
from tests.pages import UPDATE

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def desk() -> Desk:
    """Long a tenth of a bitcoin at 40,000, with a stop-loss; an order for ether that waits."""
    made = Desk(MemoryStore(), board())
    made.place_order(symbol=BTC, side="buy", quantity="0.1", stop_loss=39_000)
    made.place_order(symbol=ETH, side="buy", type="limit", quantity=1, price=1_900)
    return made


@pytest.fixture
def run(desk: Desk) -> Callable[..., dict[str, Any]]:
    """Runs the callback that a component wakes, with the values of others by their ids: what it
    changes, by id and property."""
    client = create_app(desk, Stream(1)).server.test_client()
    known = client.get("/_dash-dependencies").get_json()

    def call(woken: str, **values: Any) -> dict[str, Any]:
        component, _, name = woken.partition(".")
        callback = next(
            each
            for each in known
            if each["clientside_function"] is None
            and {"id": component, "property": name} in each["inputs"]
        )

        def part(each: dict[str, str]) -> dict[str, Any]:
            wakes = (each["id"], each["property"]) == (component, name)
            value = values.get(each["id"].replace("-", "_"), 1 if wakes else None)
            return {**each, "value": value}

        outputs = [
            dict(zip(("id", "property"), each.rsplit(".", 1), strict=True))
            for each in callback["output"].strip(".").split("...")
            if not callback["no_output"]
        ]
        is_many = callback["output"].startswith("..")
        body = {
            "output": callback["output"],
            "outputs": outputs if is_many or not outputs else outputs[0],
            "inputs": [part(each) for each in callback["inputs"]],
            "state": [part(each) for each in callback["state"]],
            "changedPropIds": [woken],
        }
        answer = client.post(UPDATE, json=body).get_json() or {}
        changed = {**answer.get("response", {}), **answer.get("sideUpdate", {})}
        return {
            f"{key}.{name}": value for key, each in changed.items() for name, value in each.items()
        }

    return call


def toast(changed: dict[str, Any]) -> str:
    """The message of the toast that a callback shows."""
    message: str = changed["toast.data"]["message"]
    return message


def texts(component: Any) -> str:
    """All text in a component, or in a list of some."""
    if isinstance(component, list):
        return " ".join(map(texts, component))
    return texts(component["props"]["children"]) if isinstance(component, dict) else component


def position(desk: Desk) -> Any:
    return next(each for each in desk.snapshot().positions if each["symbol"] == BTC)


def of_position(**typed: str) -> dict[str, Any]:
    """What the dialog of the position holds: what is ``typed`` into it, and the stop-loss."""
    fields = {"take_profit": "", "stop_loss": "39,000.00", "margin": "", "quantity": "", **typed}
    values = {f"position_{name}": text for name, text in fields.items()}
    return {**values, "position_edited": {"key": BTC}, "position_key": KEY}


class TestThePosition:
    def test_is_shown_with_its_exits(self, run: Callable[..., Any]) -> None:
        opened = run("position-edited.data", position_edited={"key": BTC})
        assert opened["position-dialog.is_open"] is True
        assert opened["position-title.children"] == "BTC/USDT Long 10x, 0.1"
        assert "40,000.00" in texts(opened["position-facts.children"])
        found = [opened[f"position-{name}.value"] for name in ("take-profit", "stop-loss")]
        assert found == ["", "39,000.00"]

    def test_keeps_the_key_of_what_got_no_answer(self, run: Callable[..., Any]) -> None:
        opened = run("position-edited.data", position_edited={"key": BTC}, position_key=KEY)
        assert "position-key.data" not in opened

    def test_says_what_its_numbers_would_do(self, run: Callable[..., Any]) -> None:
        typed = ["41,000", "40,000.5", "50", "0.025"]
        found = run("position-typed.data", position_typed=typed, position_edited={"key": BTC})
        profit, loss, margin, quantity = (
            found[f"position-{name}-about.children"]
            for name in ("take-profit", "stop-loss", "margin", "quantity")
        )
        assert profit.startswith("P&L +$9")
        assert "is reached already" in texts(loss)
        assert margin.startswith("Margin $4")
        assert quantity.startswith("P&L ")

    def test_exits_are_set_and_removed(self, run: Callable[..., Any], desk: Desk) -> None:
        done = run("position-set.n_clicks", **of_position(take_profit="41,000", stop_loss=""))
        assert (done["position-dialog.is_open"], done["position-error.children"]) == (False, "")
        assert (position(desk)["take_profit"], position(desk)["stop_loss"]) == (41_000, None)

    def test_exits_that_are_so_already_change_nothing(
        self, run: Callable[..., Any], desk: Desk
    ) -> None:
        before = desk.version
        done = run("position-stop-loss.n_submit", **of_position())
        assert done["position-dialog.is_open"] is False
        assert desk.version == before

    def test_a_wrong_exit_does_not_keep_the_other_back(
        self, run: Callable[..., Any], desk: Desk
    ) -> None:
        done = run("position-set.n_clicks", **of_position(take_profit="41,000", stop_loss="41,00"))
        assert "more than one way" in done["position-error.children"]
        assert "position-dialog.is_open" not in done
        assert (position(desk)["take_profit"], position(desk)["stop_loss"]) == (41_000, 39_000)

    @pytest.mark.parametrize(
        ("woken", "typed", "field"),
        [
            ("position-move-margin.n_clicks", {"margin": "50"}, "isolated_margin"),
            ("position-margin.n_submit", {"margin": "50"}, "isolated_margin"),
            ("position-close.n_clicks", {"quantity": "0.025"}, "quantity"),
        ],
    )
    def test_what_is_sent_twice_is_done_once(
        self,
        run: Callable[..., Any],
        desk: Desk,
        woken: str,
        typed: dict[str, str],
        field: str,
    ) -> None:
        before = position(desk)[field]
        first = run(woken, **of_position(**typed))
        after = position(desk)[field]
        again = run(woken, **of_position(**typed))
        assert before != after == position(desk)[field]
        assert toast(again) == f"It was done the first time. {toast(first)}"
        # What is sent after an answer is another request.
        assert first["position-key.data"] not in (None, KEY)

    def test_a_part_is_filled_in_on_its_step(self, run: Callable[..., Any]) -> None:
        filled = run("position-part-25.n_clicks", position_edited={"key": BTC})
        assert filled["position-quantity.value"] == "0.025"

    def test_that_has_ended_says_so(self, run: Callable[..., Any], desk: Desk) -> None:
        desk.close_position(BTC)
        changed = run("position-changed.data", position_edited={"key": BTC})
        assert changed["position-error.children"] == "The position is closed."
        done = run("position-set.n_clicks", **of_position())
        assert done["position-error.children"] == "The position is closed."

    def test_is_reversed_after_a_question(self, run: Callable[..., Any], desk: Desk) -> None:
        asked = run("position-reverse.n_clicks", position_edited={"key": BTC})
        assert asked["reverse-title.children"] == "Reverse BTC/USDT to short 0.1 BTC, 10x?"
        assert asked["reverse-confirm.children"] == "Reverse to short"
        assert "liquidation price 4" in texts(asked["reverse-about.children"])
        assert position(desk)["side"] == "long"
        sent = {"position_edited": {"key": BTC}, "reverse_key": KEY}
        done = run("reverse-confirm.n_clicks", **sent)
        assert (done["reverse-dialog.is_open"], done["position-dialog.is_open"]) == (False, False)
        assert position(desk)["side"] == "short"
        run("reverse-confirm.n_clicks", **sent)
        assert position(desk)["side"] == "short"


def order(desk: Desk) -> Any:
    return next(each for each in desk.snapshot().open_orders if each["symbol"] == ETH)


class TestTheOrder:
    @pytest.fixture
    def sent(self, run: Callable[..., Any], desk: Desk) -> dict[str, Any]:
        """What the dialog of the order sends, as it was opened."""
        edited = {"key": order(desk)["id"]}
        opened = run("order-edited.data", order_edited=edited)
        assert opened["order-dialog.is_open"] is True
        assert opened["order-title.children"] == "ETH/USDT Buy 10x, Limit"
        return {
            "order_edited": edited,
            "order_opened": opened["order-opened.data"],
            "order_key": KEY,
            **{
                f"order_{name.replace('-', '_')}": opened[f"order-{name}.value"]
                for name in ("price", "second-price", "quantity")
            },
        }

    def test_has_the_fields_of_its_kind(self, run: Callable[..., Any], desk: Desk) -> None:
        opened = run("order-edited.data", order_edited={"key": order(desk)["id"]})
        names = ("price", "second-price", "quantity")
        assert [opened[f"order-{each}-field.hidden"] for each in names] == [False, True, False]
        assert opened["order-price-label.children"] == "Limit price"
        # The exit of a whole position has no quantity.
        loss = next(each for each in desk.snapshot().open_orders if each["symbol"] == BTC)
        opened = run("order-edited.data", order_edited={"key": loss["id"]})
        assert [opened[f"order-{each}-field.hidden"] for each in names] == [False, True, True]

    def test_says_what_its_numbers_would_do(
        self, run: Callable[..., Any], sent: dict[str, Any]
    ) -> None:
        def about(*typed: str) -> str:
            found = run("order-typed.data", **{**sent, "order_typed": typed})
            return texts(found["order-about.children"])

        shown = sent["order_opened"]
        assert about(*shown) == ""
        assert about("1,800", *shown[1:]).startswith("Margin $180.00, fee ")
        assert about("", *shown[1:]).startswith("Write a number in every field")
        assert "only" in about(*shown[:2], "60")

    def test_is_amended_once(
        self, run: Callable[..., Any], desk: Desk, sent: dict[str, Any]
    ) -> None:
        first = run("order-set.n_clicks", **{**sent, "order_price": "1,800"})
        assert (first["order-dialog.is_open"], order(desk)["price"]) == (False, 1_800)
        before = desk.version
        again = run("order-price.n_submit", **{**sent, "order_price": "1,800"})
        assert toast(again) == f"It was done the first time. {toast(first)}"
        assert desk.version == before

    def test_that_others_amend_keeps_what_is_not_typed_here(
        self, run: Callable[..., Any], desk: Desk, sent: dict[str, Any]
    ) -> None:
        desk.amend_order(order(desk)["id"], price=1_850)
        run("order-set.n_clicks", **{**sent, "order_quantity": "2"})
        assert (order(desk)["price"], order(desk)["quantity"]) == (1_850, 2)

    def test_that_has_ended_says_so(
        self, run: Callable[..., Any], desk: Desk, sent: dict[str, Any]
    ) -> None:
        desk.cancel_order(order(desk)["id"])
        done = run("order-set.n_clicks", **{**sent, "order_price": "1,800"})
        assert done["order-error.children"].startswith("The order has ended.")


_TICKET = {
    **dict.fromkeys((*CHOICES, *TYPED), ""),
    "symbol": BTC,
    "side": "buy",
    "type": "market",
    "force": "GTC",
    "options": [],
    "unit": "quantity",
    "leverage": 10,
    "size": "0.01",
}


def _submitted(fields: dict[str, Any]) -> dict[str, Any]:
    """What a page sends where Enter was pressed in the size of a ticket with ``fields``."""
    named = {f"futures_{name.replace('-', '_')}": value for name, value in fields.items()}
    return {**named, "futures_submit": 1, "futures_ticket_key": KEY}


@pytest.mark.parametrize(
    ("more", "title", "message"),
    [
        (
            {"type": "limit", "price": "50,000.10"},
            "Buy BTC/USDT at about 40,0",
            "Your limit, 50,000.1, is 2",
        ),
        (
            {"type": "stop_limit", "price": "41000", "second-price": "51250", "force": "GTX"},
            "Buy BTC/USDT for as much as 51,250?",
            "on the side where it ends without a fill, being post-only,",
        ),
    ],
)
def test_an_order_that_may_be_a_slip_is_placed_after_a_question(
    run: Callable[..., Any], desk: Desk, more: dict[str, str], title: str, message: str
) -> None:
    before = desk.version
    doubtful = run("futures-submit.n_clicks", **_submitted({**_TICKET, **more}))["slip-order.data"]
    asked = run("slip-order.data", slip_order=doubtful)
    assert asked["slip-title.children"].startswith(title)
    assert message in asked["slip-message.children"]
    assert desk.version == before
    sent = {"slip_order": doubtful, "slip_key": KEY}
    done = run("slip-confirm.n_clicks", **sent)
    assert desk.version[1] > before[1]
    assert (done["slip-dialog.is_open"], done["futures-size.value"]) == (False, "")
    after = desk.version
    run("slip-confirm.n_clicks", **sent)
    assert desk.version == after


def test_the_ticket_places_its_order_once(run: Callable[..., Any], desk: Desk) -> None:
    before = desk.version
    done = run("futures-submit.n_clicks", **_submitted(_TICKET))
    assert "Bought 0.01 BTC/USDT" in toast(done)
    assert (done["futures-size.value"], done["futures-ticket-error.children"]) == ("", "")
    assert done["futures-ticket-key.data"] != KEY
    assert desk.version[1] > before[1]
    after = desk.version
    # the answer was lost, and it is sent again
    assert "It was done the first time." in toast(
        run("futures-submit.n_clicks", **_submitted(_TICKET))
    )
    assert desk.version == after


def test_a_ticket_that_can_not_be_read_says_why_and_places_nothing(
    run: Callable[..., Any], desk: Desk
) -> None:
    before = desk.version
    done = run("futures-submit.n_clicks", **_submitted({**_TICKET, "size": ""}))
    assert done == {"futures-ticket-error.children": "Enter a size."}
    assert desk.version == before


def test_all_orders_are_cancelled_and_all_positions_closed(
    run: Callable[..., Any], desk: Desk
) -> None:
    def press(verb: str) -> str:
        pressed = {"verb": verb, "row": ""}
        return toast(run("futures-row.data", futures_row=pressed, futures_row_key={"page": KEY}))

    assert "cancelled" in press("cancel-all").lower()
    assert desk.snapshot().open_orders == ()
    assert "Sold 0.1 BTC/USDT" in press("close-all")
    assert desk.snapshot().positions == ()


def test_a_button_of_a_row_does_once_what_got_no_answer_whatever_else_was_done(
    run: Callable[..., Any], desk: Desk
) -> None:
    def press(verb: str, row: str) -> dict[str, Any]:
        pressed = {"verb": verb, "row": row}
        done: dict[str, Any] = run("futures-row.data", futures_row=pressed, futures_row_key=keys)
        return done

    keys = {"page": KEY}
    first = press("half", BTC)
    assert toast(first).startswith("Sold 0.05 BTC/USDT")
    assert first["toast.data"]["kind"] == "fill"
    cancelled = press("cancel", order(desk)["id"])
    assert [each["symbol"] for each in desk.snapshot().open_orders] == [BTC]
    # only the key of the button that was answered is another one then
    (change,) = cancelled["futures-row-key.data"]["operations"]
    keys["".join(change["location"])] = change["params"]["value"]
    assert toast(press("half", BTC)) == f"It was done the first time. {toast(first)}"
    assert position(desk)["quantity"] == Decimal("0.05")
    assert toast(press("close", BTC)).startswith("Sold 0.05 BTC/USDT")
    assert desk.snapshot().positions == ()
    # what is there no longer is said, and is no fault
    assert press("cancel", "gone")["toast.data"]["kind"] == "error"
