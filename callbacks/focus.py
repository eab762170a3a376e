"""The focus, where a callback in Python moves it."""

from uuid import uuid4

from dash import ClientsideFunction, Dash, Input, set_props

from layouts.shell import FOCUS


def register(app: Dash) -> None:
    """Have the page move the focus to what callbacks put into its store."""
    app.clientside_callback(ClientsideFunction("desk", "moveFocus"), Input(FOCUS, "data"))


def move_focus(target: str) -> None:
    """Move the focus to the component with the id ``target``, beside what the running callback
    returns, as soon as it is shown; what stands in a field is selected."""
    # another one each time, so that it is moved to the same place again
    set_props(FOCUS, {"data": {"id": target, "request": uuid4().hex}})
