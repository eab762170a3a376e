"""What a page sends to Dash's own route, made from what the app says of its callbacks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

UPDATE = "/_dash-update-component"


def asked(get: Callable[[str], Any], woken: str, **values: Any) -> dict[str, Any]:
    """What a page sends when its component ``woken`` wakes a callback of the server, with
    ``values`` by id (an underscore for each hyphen). ``get`` is how to ask the server."""
    answer = get("/_dash-dependencies")
    known = answer.json() if callable(answer.json) else answer.json
    (callback,) = (
        each
        for each in known
        if each["clientside_function"] is None and each["inputs"][0]["id"] == woken
    )

    # the parts of an id are sent as they are, not as text
    def whole(name: str) -> Any:
        return json.loads(name) if name.startswith("{") else name

    def part(each: dict[str, str]) -> dict[str, Any]:
        value = values.get(each["id"].replace("-", "_"))
        return {**each, "id": whole(each["id"]), "value": value}

    names = [] if callback["no_output"] else callback["output"].strip(".").split("...")
    pairs = [each.rsplit(".", 1) for each in names]
    outputs = [{"id": whole(name), "property": changed} for name, changed in pairs]
    is_one = names and not callback["output"].startswith("..")
    return {
        "output": callback["output"],
        "outputs": outputs[0] if is_one else outputs,
        "inputs": [part(each) for each in callback["inputs"]],
        "changedPropIds": [f"{woken}.{callback['inputs'][0]['property']}"],
        "state": [part(each) for each in callback["state"]],
    }
