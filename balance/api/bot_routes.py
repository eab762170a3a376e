"""The routes of bots, strategies and signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from flask import Blueprint, Response, request

from balance.api.answers import json_answer
from balance.api.bot_requests import (
    close_wanted,
    nothing_wanted,
    settings_wanted,
    signal_wanted,
)
from balance.api.encoding import success
from balance.api.requests import key_of, true_or_false, whole_number
from balance.history.pages import Page


class Done(Protocol):
    """What came of a change of the bots."""

    @property
    def message(self) -> str:
        """One sentence that tells it."""

    @property
    def members(self) -> Mapping[str, Any]:
        """What else there is to answer, such as the bot's row."""

    @property
    def replayed(self) -> bool:
        """Whether an earlier request with the same key had made it already."""


class Bots(Protocol):
    """The bots, as the routes use them. What is refused raises an error of ``balance.core.errors``;
    a repeated ``key`` gets the first answer and changes nothing."""

    @property
    def needs_secret(self) -> bool:
        """Whether signals need one."""

    def check_secret(self, text: str) -> bool:
        """Whether ``text`` is the secret of signals."""

    def listed(self) -> Mapping[str, Any]:
        """All bots, as ``GET /bots`` and the stream tell them."""

    def strategies(self) -> Sequence[Mapping[str, Any]]:
        """What may be chosen, with its parameters."""

    def log(
        self,
        bot: str | None = None,
        kind: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> Page:
        """A page of the log, newest first, from before the entry with the id ``before``."""

    def trades(self, bot: str | None = None, limit: int = 100) -> Sequence[Mapping[str, Any]]:
        """The newest trades of bots, newest first."""

    def create(self, members: Mapping[str, Any], key: str | None = None) -> Done:
        """Make a bot with the settings ``members``."""

    def edit(self, bot_id: str, members: Mapping[str, Any], key: str | None = None) -> Done:
        """Change the settings of a bot."""

    def duplicate(self, bot_id: str, key: str | None = None) -> Done:
        """Make another one with the same settings."""

    def start(self, bot_id: str, key: str | None = None) -> Done:
        """Let a bot trade."""

    def pause(self, bot_id: str, key: str | None = None) -> Done:
        """Let a bot open nothing."""

    def resume(self, bot_id: str, key: str | None = None) -> Done:
        """Let a paused bot open again."""

    def stop(self, bot_id: str, *, close: bool = False, key: str | None = None) -> Done:
        """Stop a bot, and close what it holds if asked to."""

    def delete(self, bot_id: str, *, close: bool = False, key: str | None = None) -> Done:
        """Delete a bot, and close what it holds if asked to."""

    def stop_all(self, *, close: bool = False, key: str | None = None) -> Done:
        """Stop all bots, and close what they hold if asked to."""

    def signal(self, members: Mapping[str, Any], key: str | None = None) -> Done:
        """Give a signal from outside to the bots that take such."""


def add_bot_routes(api: Blueprint, bots: Bots) -> None:
    """Let ``api`` serve ``bots``."""
    _add_readers(api, bots)
    _add_changes(api, bots)
    _add_states(api, bots)


def _add_readers(api: Blueprint, bots: Bots) -> None:
    @api.get("/strategies")
    def strategies() -> Response:
        return json_answer({"status": "success", "strategies": list(bots.strategies())})

    @api.get("/bots")
    def listed() -> Response:
        return json_answer(success(bots.listed()))

    @api.get("/bots/log")
    def log() -> Response:
        limit = whole_number(request, "limit")
        page = bots.log(
            bot=request.args.get("bot"),
            kind=request.args.get("kind"),
            limit=100 if limit is None else limit,
            before=whole_number(request, "before"),
        )
        return json_answer({"status": "success", "entries": page.entries, "next": page.next})

    @api.get("/bots/trades")
    def trades() -> Response:
        limit = whole_number(request, "limit")
        found = bots.trades(bot=request.args.get("bot"), limit=100 if limit is None else limit)
        return json_answer({"status": "success", "trades": list(found)})


def _add_changes(api: Blueprint, bots: Bots) -> None:
    @api.post("/bots")
    def create() -> Response:
        return _done(bots.create(settings_wanted(request), key=key_of(request)))

    @api.put("/bots/<bot_id>")
    def edit(bot_id: str) -> Response:
        return _done(bots.edit(bot_id, settings_wanted(request), key=key_of(request)))

    @api.delete("/bots/<bot_id>")
    def delete(bot_id: str) -> Response:
        close = true_or_false(request, "close")
        return _done(bots.delete(bot_id, close=close, key=key_of(request)))

    @api.post("/bots/<bot_id>/duplicate")
    def duplicate(bot_id: str) -> Response:
        nothing_wanted(request)
        return _done(bots.duplicate(bot_id, key=key_of(request)))

    @api.post("/signals")
    def signal() -> Response:
        members = signal_wanted(request, bots.check_secret if bots.needs_secret else None)
        return _done(bots.signal(members, key=key_of(request)))


def _add_states(api: Blueprint, bots: Bots) -> None:
    @api.post("/bots/<bot_id>/start")
    def start(bot_id: str) -> Response:
        nothing_wanted(request)
        return _done(bots.start(bot_id, key=key_of(request)))

    @api.post("/bots/<bot_id>/pause")
    def pause(bot_id: str) -> Response:
        nothing_wanted(request)
        return _done(bots.pause(bot_id, key=key_of(request)))

    @api.post("/bots/<bot_id>/resume")
    def resume(bot_id: str) -> Response:
        nothing_wanted(request)
        return _done(bots.resume(bot_id, key=key_of(request)))

    @api.post("/bots/<bot_id>/stop")
    def stop(bot_id: str) -> Response:
        return _done(bots.stop(bot_id, close=close_wanted(request), key=key_of(request)))

    @api.post("/bots/stop")
    def stop_all() -> Response:
        return _done(bots.stop_all(close=close_wanted(request), key=key_of(request)))


def _done(done: Done) -> Response:
    response = json_answer({"status": "success", "message": done.message, **done.members})
    if done.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response
