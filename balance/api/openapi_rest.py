"""What the description of the HTTP interface has beside the resources."""

from __future__ import annotations

from typing import Any, Final

from balance.api.description import responses
from balance.api.schemas import ACCOUNT_SCHEMAS

REST: Final[dict[str, Any]] = {
    "paths": {
        "/openapi.json": {
            "get": {
                "summary": "This description",
                "responses": responses({"type": "object"}, 400, 401),
            }
        },
    },
    "components": {"schemas": {"Problem": ACCOUNT_SCHEMAS["Problem"]}},
}
