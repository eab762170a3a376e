"""Changes of the bots: each made once, kept, noted in the log and told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from balance.bots.bot import Bot
from balance.bots.bot_file import Answer
from balance.bots.roster import save_quietly
from balance.bots.telling import Telling


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a request: one sentence, and members of the answer such as the ``bot``."""

    message: str
    members: Mapping[str, Any] = field(default_factory=dict)
    # whether an earlier request with the same key had done it already
    replayed: bool = False


class Changing(Telling):
    """How a change is made. Safe to use from many threads."""

    def _changed(
        self,
        asked: Sequence[Any],
        key: str | None,
        change: Callable[[], tuple[Bot | None, str]],
        afterwards: Callable[[Bot], str] = lambda _: "",
    ) -> Done:
        """Make ``change``, kept durably, do what comes ``afterwards``, and tell both.

        Raises:
            BalanceError: whatever ``change`` refuses; nothing of it is left.
        """
        with self._roster.guard:
            earlier = self._earlier(asked, key)
            if earlier is not None:
                return earlier
            said = ""

            def make() -> Bot | None:
                nonlocal said
                bot, words = change()
                said = words if bot is None else words.replace("{name}", bot.settings.name)
                self._remember(asked, key, bot, said, save=False)
                return bot

            bot = self._roster.all_or_nothing(make)
            try:
                if bot is not None:
                    self._note(bot, said)
                    said = f"{said} {afterwards(bot)}".strip()
            except BaseException:
                # the rest of it may be asked for again
                self._roster.take_back(key)
                raise
            finally:
                self._save_and_tell()
            return Done(said, {} if bot is None else {"bot": self._row(bot.id)})

    def _note(self, bot: Bot, words: str) -> None:
        name, symbol = bot.settings.name, bot.settings.symbol
        self._roster.log.add(bot.id, name, "state", words, symbol=symbol)

    def _earlier(self, asked: Sequence[Any], key: str | None) -> Done | None:
        if key is None:
            return None
        answer = self._roster.answered(key, _fingerprint(asked))
        if answer is None:
            return None
        known = {bot.id for bot in self._roster}
        members = {"bot": self._row(answer.bot)} if answer.bot in known and answer.bot else {}
        return Done(answer.message, members, replayed=True)

    def _remember(
        self,
        asked: Sequence[Any],
        key: str | None,
        bot: Bot | None,
        message: str,
        *,
        save: bool = True,
    ) -> None:
        if key is not None:
            self._roster.answer(
                Answer(
                    key=key,
                    fingerprint=_fingerprint(asked),
                    bot=None if bot is None else bot.id,
                    message=message,
                )
            )
        if save:
            save_quietly(self._roster)

    def _save_and_tell(self) -> None:
        save_quietly(self._roster)
        self._tell()


def _fingerprint(asked: Sequence[Any]) -> str:
    text = json.dumps(asked, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
