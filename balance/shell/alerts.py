"""The command that lists alerts: ``python -m balance alerts``."""

from __future__ import annotations

import argparse
from typing import Any, Final

from balance.alerts.alerts import FollowedAlerts
from balance.shell.parts import AddCommand, Result, desk_of, table

_HEAD: Final = ("Alert", "Fires when", "State", "Now", "Distance", "Fired")
_NONE: Final = "No alerts. Make one on the dashboard, behind the bell."


def add_alert_command(command: AddCommand) -> None:
    """Add the command of alerts."""
    command("alerts", "list the alerts, and how far away each is", _alerts)


def _alerts(options: argparse.Namespace) -> Result:
    alerts = FollowedAlerts(desk_of(options), options.data_dir)
    # Raises where the file is damaged, of which the list would show nothing.
    alerts.check()
    listed = alerts.listed()
    rows = [_row(each) for each in listed["alerts"]]
    members = {name: listed[name] for name in ("alerts", "firings")}
    return Result(members, table(_HEAD, rows, 3) if rows else _NONE)


def _row(alert: Any) -> tuple[str, ...]:
    names = ("condition", "status", "value", "distance")
    return (alert["id"], *(alert["display"][name] for name in names), f"{alert['fired']}")
