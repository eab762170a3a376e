"""The market that the last server saved in a data folder, with its past."""

from __future__ import annotations

from pathlib import Path

from balance.core.errors import InvalidRequest
from balance.market.board import saved_feed
from balance.market.feed import Feed
from balance.market.open_feed import FeedOptions, open_feed
from balance.market.simulated.feed import simulated_seed
from balance.store.advice import program


def saved_market(folder: Path, otherwise: str) -> Feed:
    """The market whose past is in ``folder``; ``otherwise`` says what can be done where there
    is none, such as "name a file".

    Raises:
        InvalidRequest: no server has run there, or its market keeps no past.
    """
    feed_id, state, _ = saved_feed(folder)
    if feed_id is None:
        raise InvalidRequest(
            "No server has run on this data folder yet, so there is no past in it. Start it with "
            f"{program(folder)}, or {otherwise}."
        )
    seed = simulated_seed(feed_id)
    if seed is None:
        raise InvalidRequest(f"The data folder keeps no past of {feed_id}: {otherwise}.")
    return open_feed(FeedOptions(seed=seed), {"id": feed_id, "state": state})
