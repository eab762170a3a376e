"""Time-weighted growth: independent of what is put in or taken out, and exact over every change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.core import orders
from balance.core.account import Account
from balance.core.errors import AccountingError, BalanceError
from balance.core.money import exact
from balance.core.operations import adjust, deposit, reset, undo_reset, withdraw
from balance.core.wallet import Wallet
from balance.performance.sample import (
    Commit,
    Reading,
    Sample,
    Track,
    committed,
    first_sample,
    track_of,
)
from balance.store.state import State, next_state
from tests.accounts import MOMENT, account, order, position
from tests.markets import market
from tests.samples import at, booked, moved, opening

CLOSE = Decimal("1e-20")


def none_resumed(_epoch: int) -> Sample | None:
    return None


def state_of(of: Account) -> State:
    return State(account_id="a", revision=1, changed_at=MOMENT, account=of, entries=())


def followed(
    track: Track, state: State, operation: Any, worth: object = 0, resumed: Any = none_resumed
) -> tuple[Track, State, tuple[Sample, ...]]:
    """Where ``operation`` leads, at prices at which what is open then is worth ``worth``."""
    state = next_state(state, operation, MOMENT, "x")
    known = None if worth is None else Decimal(str(worth))
    commit = Commit(time=at(state.revision), entries=state.entries, unrealized_pnl=known)
    track, samples = committed(track, commit, resumed)
    return track, state, samples


# the return


def test_without_flows_the_growth_is_what_the_end_is_of_the_start() -> None:
    end = booked(moved(opening(), at(1), -700), at(2), "adjustment", 1_200)
    assert end.growth == Decimal("1.05")
    assert (end.pnl, end.all_pnl, end.is_whole) == (500, 500, True)


def test_a_deposit_and_a_withdrawal_do_not_move_it() -> None:
    won = moved(opening(), at(1), 1_000)
    more = booked(won, at(2), "deposit", 1_000_000)
    less = booked(more, at(3), "withdrawal", -1_005_000)
    assert [each.growth for each in (won, more, less)] == [Decimal("1.1")] * 3
    # what is gained on less counts more
    assert moved(less, at(4), 4_000).growth == Decimal("1.65")


def test_where_nothing_is_in_nothing_grows() -> None:
    empty = booked(opening(balance=0), at(1), "deposit", 500)
    assert (empty.growth, empty.is_whole) == (1, True)
    assert moved(empty, at(2), 50).growth == Decimal("1.1")


def test_after_a_total_loss_it_stays_nothing() -> None:
    lost = moved(opening(), at(1), -10_000)
    again = moved(booked(lost, at(2), "deposit", 5_000), at(3), -4_000)
    assert (lost.growth, again.growth) == (0, 0)


def test_a_loss_beyond_all_there_is_is_a_total_one() -> None:
    beyond = moved(opening(), at(1), -12_000)
    assert (beyond.growth, moved(beyond, at(2), -13_000).growth) == (0, 0)


def test_what_is_gained_from_nothing_is_no_return() -> None:
    nothing = opening(balance=0)
    assert nothing.is_whole
    gained = booked(nothing, at(1), "adjustment", 500)
    assert (gained.growth, gained.is_whole) == (1, False)
    late = first_sample(Reading(at(2), 3, gained.wallet, Decimal(0)), None)
    assert not late.is_whole
    # money that is put in is no gain, and after a total loss the return stays one
    assert booked(nothing, at(1), "deposit", 500).is_whole
    lost = booked(opening(), at(1), "adjustment", -10_000)
    again = booked(lost, at(2), "adjustment", 500)
    assert (again.growth, again.is_whole) == (0, True)


def test_an_account_that_is_seen_late_tells_what_it_can() -> None:
    def late(**wallet: Any) -> Sample:
        usual = Wallet(epoch=3, starting_balance=Decimal(100), balance=Decimal(150), **wallet)
        return first_sample(Reading(MOMENT, 9, usual, Decimal(30)), None)

    # 150 and 30 that are open, of 100 at first
    assert (late(adjustments=Decimal(50)).growth, late(adjustments=Decimal(50)).is_whole) == (
        Decimal("1.8"),
        True,
    )
    # how much of the 30 was there when the 50 came is not known
    assert (late(deposits=Decimal(50)).growth, late(deposits=Decimal(50)).is_whole) == (1, False)
    assert (late().all_pnl, late().chain) == (None, 3)


steps = st.lists(
    st.tuples(
        st.sampled_from(["price", "deposit", "withdrawal", "adjustment"]),
        st.decimals(min_value="-0.4", max_value="0.9", places=4),
    ),
    max_size=12,
)


def walked(path: Sequence[tuple[str, Decimal]], *, with_flows: bool = True) -> list[Sample]:
    """The samples along ``path``; each step moves a share of the equity."""
    samples = [opening()]
    for number, (kind, share) in enumerate(path, start=1):
        last, time = samples[-1], at(number)
        step = (last.equity * share).quantize(Decimal("0.00000001"))
        if kind == "price":
            samples.append(moved(last, time, last.unrealized_pnl + step))
        elif kind == "adjustment":
            samples.append(booked(last, time, kind, step))
        elif with_flows:
            # half of it at most, so that what is left is not all rounding
            size = min(abs(step), (last.equity / 2).quantize(Decimal("0.00000001")))
            samples.append(booked(last, time, kind, size if kind == "deposit" else -size))
    return samples


@given(steps)
def test_the_growth_is_the_product_of_what_happened_between_the_flows(
    path: list[tuple[str, Decimal]],
) -> None:
    samples = walked(path)
    # reckoned another way: each stretch between flows by its ends alone
    product, begin = Decimal(1), samples[0].equity
    with localcontext() as context:
        context.prec = 60
        for before, after in pairwise(samples):
            if after.wallet.capital != before.wallet.capital:
                product *= before.equity / begin
                begin = after.equity
        product *= samples[-1].equity / begin
        assert abs(samples[-1].growth - product) < CLOSE * max(product, 1)


@given(steps)
def test_what_is_put_in_or_taken_out_changes_no_return(path: list[tuple[str, Decimal]]) -> None:
    with_flows, without = walked(path), walked(path, with_flows=False)
    # each step is a share of the equity, so the same shares are gained on more or less money
    assert abs(with_flows[-1].growth - without[-1].growth) < Decimal("1e-6")


def test_the_callers_context_changes_nothing() -> None:
    first = opening()
    with localcontext() as context:
        context.prec = 3
        assert moved(first, at(1), "123.45678901").growth == Decimal("1.012345678901")


# what changes lead to


def test_a_deposit_leaves_a_sample_just_before_it_and_one_after() -> None:
    trading = account(positions=(position(),))
    last = moved(opening(), at(0, 5), 50)
    track, _, (before, after) = followed(
        track_of(last), state_of(trading), lambda of: deposit(of, 500), worth=100
    )
    assert (before.equity, after.equity) == (10_100, 10_600)
    assert before.growth == after.growth == Decimal("1.01")
    assert (before.revision, after.revision, before.is_kept, after.is_kept) == (1, 2, True, True)
    assert track.last == after


def test_what_others_trade_is_followed_though_its_worth_is_not_known() -> None:
    last = track_of(opening())
    traded = state_of(account(positions=(position(),)))
    track, state, samples = followed(last, traded, lambda of: adjust(of, 5), worth=None)
    # nothing was traded, so what is open is as before
    assert [each.equity for each in samples] == [10_005]
    track = Track(track.last, track.wallet, None)
    track, state, samples = followed(track, state, lambda of: adjust(of, 7), worth=None)
    assert (samples, track.wallet.balance, track.last.equity) == ((), 10_012, 10_005)
    _, _, (sample,) = followed(track, state, lambda of: adjust(of, 1), worth=87)
    assert (sample.equity, sample.pnl) == (10_100, 100)


def test_what_others_do_to_orders_alone_leaves_every_return_known() -> None:
    waiting = state_of(account(orders=(order(),)))
    steps: list[Any] = [
        lambda of: orders.cancel_orders(of, None),
        lambda of: deposit(of, 90_000),
        lambda of: adjust(of, -50_000),
    ]
    found = []
    for worth in (0, None):
        track, state = track_of(opening()), waiting
        for step in steps:
            track, state, _ = followed(track, state, step, worth=worth)
        found.append((track.last.growth, track.last.is_whole))
    assert found == [(Decimal("0.5"), True)] * 2


def test_money_that_comes_while_nobody_knows_what_is_open_is_no_return() -> None:
    track = Track(opening(), opening().wallet, None)
    track, state, _ = followed(track, state_of(account()), lambda of: deposit(of, 90_000), None)
    track, state, (sample,) = followed(track, state, lambda of: adjust(of, -50_000))
    # by how much of it that is a loss can't be told: not by all of it, as 10,000 - 50,000 would say
    assert (sample.growth, sample.is_whole, sample.equity) == (1, False, 50_000)
    _, _, (later,) = followed(track, state, lambda of: adjust(of, 1))
    assert not later.is_whole


def test_a_reset_ends_an_epoch_to_the_cent_and_begins_anew() -> None:
    trading = state_of(account(positions=(position(),)))
    last = moved(opening(carried=Decimal(7)), at(0, 5), 60)
    _, _, (before, ended, begun) = followed(
        track_of(last), trading, lambda of: reset(of, 500), worth=0
    )
    # it closes at 41,000: 100 are realised
    assert (before.equity, ended.equity, ended.unrealized_pnl) == (10_100, 10_100, 0)
    assert (before.epoch, ended.epoch, begun.epoch) == (1, 1, 2)
    assert (ended.all_pnl, begun.carried, begun.all_pnl) == (107, 107, 107)
    assert (ended.growth, begun.growth, begun.chain) == (Decimal("1.01"), 1, 2)
    assert [each.is_kept for each in (before, ended, begun)] == [True] * 3


def test_an_undone_reset_goes_on_with_the_growth_that_it_ended() -> None:
    trading = state_of(account(positions=(position(),)))
    first = moved(opening(), at(0, 5), 60)
    track, state, (before, ended, _) = followed(
        track_of(first), trading, lambda of: reset(of, 500), worth=0
    )
    track, state, _ = followed(track, state, lambda of: adjust(of, -20))
    reset_entry = next_state(trading, lambda of: reset(of, 500), MOMENT, "x").entries[-1]
    asked: list[int] = []

    def resumed(epoch: int) -> Sample:
        asked.append(epoch)
        return before

    _, _, (_, closed, again) = followed(
        track,
        state,
        lambda of: undo_reset(of, reset_entry.booking, market(), ""),
        worth=200,
        resumed=resumed,
    )
    assert (asked, closed.pnl) == ([1], -20)
    assert (again.epoch, again.chain, again.equity, again.pnl) == (3, 1, 10_200, 200)
    assert again.growth == Decimal("1.02")
    # what was lost meanwhile stays lost, and what the reset had closed is not counted twice
    assert (again.carried, again.all_pnl) == (-20, 180)
    assert ended.all_pnl == 100


def test_entries_that_do_not_follow_are_refused() -> None:
    state = next_state(state_of(account()), lambda of: deposit(of, 5), MOMENT, "x")
    elsewhere = track_of(opening(balance=9_999))
    with pytest.raises(AccountingError):
        committed(elsewhere, Commit(time=at(1), entries=state.entries), none_resumed)


amounts = st.decimals(min_value=1, max_value=5_000, places=2)
doings = st.lists(
    st.one_of(
        st.tuples(st.just("deposit"), amounts),
        st.tuples(st.just("withdraw"), amounts),
        st.tuples(st.just("adjust"), st.decimals(min_value=-5_000, max_value=5_000, places=2)),
        st.tuples(st.just("reset"), amounts),
    ),
    max_size=15,
)
DO: Any = {"deposit": deposit, "withdraw": withdraw, "adjust": adjust, "reset": reset}


@given(doings)
def test_the_samples_follow_every_wallet_and_sum_up_all_epochs(
    path: list[tuple[str, Decimal]],
) -> None:
    track, state = track_of(opening()), state_of(account())
    settled = Decimal(0)
    for name, amount in path:
        before = state.account
        try:
            track, state, samples = followed(
                track, state, lambda of, do=DO[name], by=amount: do(of, by)
            )
        except BalanceError:
            continue
        if name == "reset":
            settled += before.wallet.balance - before.wallet.capital
        assert track.wallet == samples[-1].wallet == state.account.wallet
        assert all(each.time == samples[-1].time for each in samples)
    with exact():
        assert track.last.all_pnl == settled + track.wallet.balance - track.wallet.capital


def test_samples_of_a_moment_later_keep_what_they_are_not_told() -> None:
    late = replace(opening(), gap=600, is_kept=True)
    next_one = moved(late, late.time + timedelta(seconds=5), 10)
    assert (next_one.gap, next_one.is_kept, next_one.carried) == (0, False, 0)
