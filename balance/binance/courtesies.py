"""What clients ask before they begin, and what there is nothing to say to."""

from __future__ import annotations

from balance.binance.call import Call
from balance.binance.endpoints import Json, public


class Courtesies:
    """Answers without which some clients don't begin. Those below ``/sapi/`` are asked by a ccxt
    that loads all currencies; no secret is needed for what says nothing."""

    @public("GET", "/fapi/v1/ping")
    def ping(self, _: Call) -> Json:
        """That the server is there."""
        return {}

    @public("GET", "/sapi/v1/system/status")
    def read_status(self, _: Call) -> Json:
        """That all is well."""
        return {"status": 0, "msg": "normal"}

    @public("GET", "/sapi/v1/capital/config/getall", "/sapi/v1/margin/allPairs")
    def list_nothing(self, _: Call) -> Json:
        """The currencies and margin pairs of a spot exchange, of which there are none."""
        return []
