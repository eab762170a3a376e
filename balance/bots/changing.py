"""Changes of the bots: each made once, kept, noted in the log and told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from balance.bots.bot import Bot
from balance.bots.file import Answer
from balance.bots.telling import Telling
from balance.core.request import check_key
from balance.store.kept_file import Done


class Changing(Telling):
    """How a change is made. Safe to use from many threads."""

    def _changed(
        self,
        asked: Sequence[Any],
        key: str | None,
        change: Callable[[], tuple[Bot, str]],
        afterwards: Callable[[Bot], str] = lambda _: "",
    ) -> Done:
        """Make ``change``, kept durably, do what comes ``afterwards``, and tell both.

        Raises:
            BalanceError: whatever ``change`` refuses, with nothing of it left; or what comes
                afterwards, which may be asked for again.
        """
        with self._roster.guard:
            earlier = self._earlier(asked, key)
            if earlier is not None:
                return earlier

            def make() -> tuple[Bot, str]:
                bot, words = change()
                words = words.replace("{name}", bot.settings.name)
                self._remember(asked, key, words, bot)
                return bot, words

            bot, said = self._roster.all_or_nothing(make)
            self._note(bot, said)
            try:
                more = afterwards(bot)
                said = f"{said} {more}".strip()
                self._remember(asked, key, said, bot)
            except BaseException:
                self._roster.take_back(key)
                raise
            finally:
                self._save_and_tell()
            return Done(said, self._members(bot.id))

    def _note(self, bot: Bot, words: str) -> None:
        name, symbol = bot.settings.name, bot.settings.symbol
        self._roster.log.add(bot.id, name, "state", words, symbol=symbol)

    def _members(self, bot: str | None) -> Mapping[str, Any]:
        """The row of ``bot`` for an answer; without one, or one that is gone, there is none."""
        known = {each.id for each in self._roster}
        return {"bot": self._row(bot)} if bot is not None and bot in known else {}

    def _earlier(self, asked: Sequence[Any], key: str | None) -> Done | None:
        """What the request was answered before.

        Raises:
            InvalidRequest: its key can be none.
            KeyReused: its key came with another one.
        """
        if key is None:
            return None
        check_key(key)
        answer = self._roster.answered(key, _fingerprint(asked))
        if answer is None:
            return None
        return Done(answer.message, {**answer.members, **self._members(answer.bot)}, replayed=True)

    def _remember(
        self,
        asked: Sequence[Any],
        key: str | None,
        message: str,
        bot: Bot | None = None,
        members: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        if key is not None:
            self._roster.answer(
                Answer(
                    key=key,
                    fingerprint=_fingerprint(asked),
                    message=message,
                    bot=None if bot is None else bot.id,
                    members=dict(members),
                )
            )

    def _save_and_tell(self) -> None:
        self._roster.keep()
        self._tell()


def _fingerprint(asked: Sequence[Any]) -> str:
    text = json.dumps(asked, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
