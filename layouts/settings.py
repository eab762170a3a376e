"""The settings: a dialog that is behind the gear at the end of the tabs, and the button for it."""

from decimal import Decimal
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from balance.core.settings import RULES, Rule, Settings, members, texts, value_text
from layouts.dialogs import close_button, dialog
from layouts.parts import (
    button,
    choice,
    copy_button,
    field,
    icon_button,
    number_entry,
    select,
    unit_field,
)

#: The groups of the dialog: their names, what is in them, and what else there is to say.
GROUPS = (
    (
        "Trading",
        (
            *("maker_fee_percent", "taker_fee_percent", "slippage_percent"),
            *("market_depth", "depth_slippage_percent", "default_leverage"),
        ),
        "An order that waits pays the fees of the moment it fills. One that can't pay them any "
        "more is cancelled then, and says so.",
    ),
    ("Account", ("starting_balance",), ""),
    ("Look", ("theme", "decimals"), ""),
    ("Notices", ("sound", "notifications", "shortcuts"), ""),
)
_HINTS = {
    "maker_fee_percent": "Of a limit order that rested",
    "taker_fee_percent": "Of every other fill",
    "slippage_percent": "Beyond bid or ask, at market",
    "market_depth": "0: any size slips the same",
    "depth_slippage_percent": "More, of an order worth the depth",
    "default_leverage": "Where a symbol has none set",
    "starting_balance": "What a reset begins with",
    "theme": "System: as your machine has it",
    "decimals": "Amounts are exact, whatever is shown",
    "sound": "When an order fills or an alert is reached",
    "notifications": "Of the browser, while you look at something else",
    "shortcuts": "Single keys, listed behind the question mark",
}
#: The numbers, which can be wrong, by the names of their settings.
NUMBERS = tuple(name for name, rule in RULES.items() if rule.kind in ("percent", "money", "whole"))
#: Those of them that are typed into a field, where Enter saves.
TYPED = tuple(name for name in NUMBERS if name != "decimals")
#: The store of what keeps a browser from notifying, which only that knows: messages by their names.
NOTICES = "settings-notices"
_NOTICES = {
    "refused": "This browser refuses notifications for this page. Allow them in its settings for "
    "the page, then turn this on again.",
    "unasked": "On, but this browser has not allowed it yet. Turn it off and on to get the "
    "question.",
    "missing": "This browser shows no notifications here: most do only over https or on this "
    "machine's own address.",
    # in the form of an alert
    "forbidden": "Notifications are on, but this browser has not allowed them here: see the "
    "settings.",
    "off": "Sounds and notifications are off in the settings.",
}
_EXAMPLE = Decimal("1234.56789012")


def settings_button() -> html.Button:
    """The gear that opens the dialog."""
    return icon_button("settings-btn", "gear", "Settings")


def settings_dialog() -> dbc.Modal:
    """The dialog, with a field for each setting; it is filled when it is opened."""
    return dialog(
        "settings",
        "Settings",
        [
            *(_group(*group) for group in GROUPS),
            _backup(),
            dcc.Store(id=NOTICES, data=_NOTICES),
        ],
        [
            button("Back to the defaults", "settings-defaults", "arrow-counterclockwise"),
            close_button("settings"),
            button("Save", "settings-save", color="primary", outline=False),
        ],
        size="lg",
    )


def field_values(settings: Settings) -> dict[str, Any]:
    """What stands in the fields for ``settings``, by their ids."""
    values, written = members(settings), texts(settings)
    return {
        id_of(name): values[name] if rule.kind in ("switch", "word") else written[name]
        for name, rule in RULES.items()
    }


def _backup() -> html.Fieldset:
    """How to take the account away, and to bring it back; the page does both, as a file can be
    large."""
    return html.Fieldset(
        [
            html.Legend("Backup", className="part-title mb-1"),
            html.P(
                "The whole account as one file. A backup is restored into a new folder; the "
                "account that runs here stays as it is.",
                className="dialog-words",
            ),
            html.Div(
                [
                    button("Download a backup", "settings-backup", "download"),
                    button("Restore a backup…", "settings-restore", "upload"),
                ],
                className="whole d-flex flex-wrap gap-2",
            ),
            # written by the page
            html.Div(
                id="settings-backup-state", className="settings-backup-state whole", role="status"
            ),
            html.Div(
                [
                    copy_button("settings-restore-command", "the command that starts on it"),
                    html.Pre(id="settings-restore-command", className="snippet", tabIndex=0),
                ],
                id="settings-restored",
                className="snippet-card whole",
            ),
        ],
        className="field-pairs",
    )


def id_of(name: str) -> str:
    """The id of the field of the setting ``name``."""
    return f"settings-{name.replace('_', '-')}"


def _group(title: str, names: tuple[str, ...], words: str) -> html.Fieldset:
    return html.Fieldset(
        [
            html.Legend(title, className="part-title mb-1"),
            *(_field(name, RULES[name]) for name in names),
            *([html.P(words, className="dialog-words")] if words else []),
        ],
        className="field-pairs",
    )


def _field(name: str, rule: Rule) -> html.Div:
    own_id = id_of(name)
    hint = f"{_HINTS[name]}. Default: {value_text(name, Settings())}."
    wrong = html.Div(id=f"{own_id}-error", className="dialog-error", role="alert")
    look = f"settings-{rule.kind}"
    if rule.kind not in ("switch", "word"):
        if name == "decimals":
            control = select(own_id, _decimals(rule), value="2")
            return field(rule.label, control, hint, wrong, className=look)
        return unit_field(rule.label, number_entry(own_id), rule.unit, hint, wrong, className=look)
    control = [dbc.Switch(id=own_id, label=rule.label, value=False)]
    if rule.kind == "word":
        options = [(each.capitalize(), each) for each in rule.options]
        label = html.Div(rule.label, className="form-label")
        control = [label, choice(own_id, options, rule.options[0], label=rule.label)]
    about = html.Div(hint, id=f"{own_id}-hint", className="hint")
    return html.Div([*control, about, wrong], className=f"field {look}")


def _decimals(rule: Rule) -> dict[str, str]:
    counts = range(int(rule.least), int(rule.most) + 1)
    # no dollars: it is no figure of the account
    return {str(each): f"{each}: {_EXAMPLE:,.{each}f}" for each in counts}
