"""Uses a generated client: ``use_client.py GENERATOR FOLDER DESCRIPTION URL``."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ORDER = {"symbol": "BTC/USDT", "side": "buy", "type": "market", "quantity": 0.01}
#: What stands in a path.
IN_PATH = {"symbol": "BTC-USDT", "place": "1"}
_NO_LISTS = ("/virtual_balance/stream", "/openapi.json", "/backup")

Call = Callable[[str, str, dict[str, Any]], Any]


def openapi_generator(url: str) -> tuple[Call, Any]:
    """How an operation of its client is called, and its order."""
    client = importlib.import_module("client")
    api = client.ApiClient(client.Configuration(host=url))

    def call(tag: str, operation: str, arguments: dict[str, Any]) -> Any:
        resource = getattr(client, f"{tag.capitalize()}Api")(api)
        body = {"place_order_request": arguments.pop("body")} if "body" in arguments else {}
        return getattr(resource, operation)(**arguments, **body)

    return call, client.PlaceOrderRequest(**ORDER)


def openapi_python_client(url: str) -> tuple[Call, Any]:
    """How an operation of its client is called, and its order."""
    client = importlib.import_module("client").Client(base_url=url, raise_on_unexpected_status=True)

    def call(tag: str, operation: str, arguments: dict[str, Any]) -> Any:
        return importlib.import_module(f"client.api.{tag}.{operation}").sync(
            client=client, **arguments
        )

    return call, importlib.import_module("client.models").PlaceOrderBody.from_dict(ORDER)


def lists(description: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Tag, operation and arguments of all that can be read."""
    for path, methods in description["paths"].items():
        names = re.findall(r"{(\w+)}", path)
        if "get" in methods and path not in _NO_LISTS and set(names) <= set(IN_PATH):
            operation = methods["get"]
            arguments = {name: IN_PATH[name] for name in names}
            yield operation["tags"][0], operation["operationId"], arguments


def main(generator: str, folder: str, description: str, url: str) -> None:
    """Place an order, then read every list."""
    sys.path.insert(0, folder)
    makers = {
        "openapi-generator": openapi_generator,
        "openapi-python-client": openapi_python_client,
    }
    call, order = makers[generator](url)
    traded = call("trading", "place_order", {"body": order})
    assert traded.status == "success", traded
    (position,) = traded.positions
    assert (position.symbol, position.side) == ("BTC/USDT", "long")
    assert position.quantity >= ORDER["quantity"]
    count = 0
    for tag, operation, arguments in lists(json.loads(Path(description).read_text())):
        answer = call(tag, operation, arguments)
        assert getattr(answer, "status", None) == "success", (operation, answer)
        count += 1
    print(f"{generator}: an order is placed, {count} lists are read.")


if __name__ == "__main__":
    main(*sys.argv[1:])
