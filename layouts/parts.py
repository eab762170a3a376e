"""Small parts that every tab is put together from."""

from dash import html
from dash.development.base_component import Component

Children = Component | str | list["Component | str"]


def icon(name: str) -> html.I:
    """A Bootstrap icon beside a word that says the same."""
    return html.I(className=f"bi bi-{name}", **{"aria-hidden": "true"})


def card(title: str, *children: Component, className: str = "") -> html.Section:  # noqa: N803
    """A panel with a heading."""
    return html.Section(
        [html.H2(title, className="panel-title"), *children],
        className=f"panel {className}".strip(),
    )


def empty_state(icon_name: str, title: str, words: Children, id: str) -> html.Div:  # noqa: A002
    """What stands where there is nothing to list yet: what the place is for."""
    return html.Div(
        [
            html.I(className=f"bi bi-{icon_name} empty-icon", **{"aria-hidden": "true"}),
            html.P(title, className="empty-title"),
            html.P(words, className="empty-words"),
        ],
        id=id,
        className="empty",
    )


def problem(words: str) -> html.P:
    """What stands where something could not be shown: why, and what to do."""
    return html.P(words, className="problem", role="alert")


def moment(text: str) -> html.Time:
    """A moment in UTC (ISO 8601), shown as how long ago it was; the exact time is on hover."""
    # the page writes and ages the words, so there are none here
    return html.Time(dateTime=text, className="moment", title=text)
