"""The command that lists alerts: ``python -m balance alerts``."""

from __future__ import annotations

import argparse
from typing import Any, Final

from balance.alerts.followed import FollowedAlerts
from balance.shell.parts import DONE, AddCommand, desk_of, print_answer, table

_HEAD: Final = ("Alert", "Fires when", "State", "Now", "Distance", "Fired")
_NONE: Final = "No alerts. Make one on the dashboard, behind the bell."


def add_alert_command(command: AddCommand) -> None:
    """Add the command of alerts."""
    command("alerts", "list the alerts, and how far away each is", _alerts)


def _alerts(options: argparse.Namespace) -> int:
    alerts = FollowedAlerts(desk_of(options), options.data_dir)
    # of a damaged file nothing would be seen
    alerts.check()
    listed = alerts.listed()
    told = {name: listed[name] for name in ("alerts", "firings")}
    rows = [_row(each) for each in listed["alerts"]]
    print_answer(options, {"status": "success", **told}, table(_HEAD, rows, 3) if rows else _NONE)
    return DONE


def _row(alert: Any) -> tuple[str, ...]:
    text = alert["display"]
    fired = f"{alert['fired']}"
    return (
        *(alert["id"], text["condition"], text["status"]),
        *(text["value"], text["distance"], fired),
    )
