"""The table of figures: a row of it is on the screen and in every answer that has figures."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from balance.backtests.report import report
from balance.core.shape import fields_of
from balance.core.trade_sums import TradeSums
from balance.core.wallet import Wallet
from balance.history.epochs import Epoch
from balance.performance.account_figures import ACCOUNT_FIGURES, PerformanceFigures
from balance.performance.epochs import EPOCH_SORTS, Present, epoch_row
from balance.performance.figures import FIGURES, Figure
from balance.performance.results import Results
from layouts.performance import performance_panel
from tests.accounts import MOMENT
from tests.test_report import outcome, planned

REPORT = report(planned(3), outcome([900, 950, 925]))
EPOCH = epoch_row(
    Epoch(
        opened_at=MOMENT,
        opened_by="start",
        carried=Decimal(0),
        first_revision=1,
        last_revision=1,
        entries=1,
        wallet=Wallet.opened(1, Decimal(100)),
        trades=TradeSums(),
        trades_before=TradeSums(),
    ),
    Results(),
    Present(1, MOMENT + timedelta(hours=1)),
)
PANEL = str(performance_panel())


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_a_figure_is_in_every_answer_that_has_figures(figure: Figure[Results]) -> None:
    name = figure.name
    assert name in REPORT
    assert name in REPORT["display"]
    assert name in EPOCH
    assert name in EPOCH["display"]
    assert name in EPOCH_SORTS
    assert name in fields_of(PerformanceFigures)
    shown = {each["name"]: each["label"] for each in REPORT["figures"]}
    assert (shown.get(name) == figure.label) == figure.is_shown
    assert (f"overview-performance-{name.replace('_', '-')}" in PANEL) == figure.is_shown


def test_no_two_figures_have_the_same_name() -> None:
    names = [each.name for each in (*FIGURES, *ACCOUNT_FIGURES)]
    assert len(names) == len(set(names))
